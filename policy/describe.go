package policy

import (
	"fmt"
	"strings"
)

// String returns the rule on one line for the administrator: for which mail, on
// which grounds, and after the arrow the action.
func (r Rule) String() string {
	words := append(r.Scope.words(), r.Grounds.words()...)
	if len(words) == 0 {
		words = []string{"all mail"}
	}
	does := r.Outcome.String()
	switch {
	case r.Mode == Watches:
		does = "only log: " + does
	case r.Mode == Adds:
		does = strings.TrimPrefix(does, "deliver, ") + ", then go on"
	}
	return strings.Join(words, "; ") + " → " + does
}

// words returns the conditions that are set.
func (s Scope) words() []string {
	var w []string
	if s.Direction != 0 {
		w = append(w, s.Direction.String())
	}
	w = appendListed(w, "client", s.Lists.Client, s.Client)
	w = appendList(w, "country", s.Country)
	w = appendList(w, "asn", s.ASN)
	w = appendListed(w, "from", s.Lists.From, s.From)
	w = appendList(w, "to", s.To)
	w = appendList(w, "not to", s.NotTo)
	w = appendList(w, "auth", s.Auth)
	w = appendListed(w, "header_from", s.Lists.HeaderFrom, s.HeaderFrom)
	w = appendList(w, "hours", s.Hours)
	if s.Size.Min != 0 {
		w = append(w, fmt.Sprintf("at least %v", s.Size.Min))
	}
	if s.Size.Max != 0 {
		w = append(w, fmt.Sprintf("at most %v", s.Size.Max))
	}
	return w
}

func (g Grounds) words() []string {
	var w []string
	w = appendList(w, "when", g.When)
	w = appendList(w, "part", g.Part)
	w = appendList(w, "requires", g.Requires)
	w = appendList(w, "unless", g.Unless)
	return appendList(w, "not about", g.Not)
}

// maxShown is how many values of a condition are shown: lists in files may have
// any number.
const maxShown = 20

// appendListed adds a condition that lists and values meet.
func appendListed[T any](words []string, key string, lists []ListName, values []T) []string {
	all := make([]any, 0, len(lists)+len(values))
	for _, n := range lists {
		all = append(all, n)
	}
	for _, v := range values {
		all = append(all, v)
	}
	return appendList(words, key, all)
}

// appendList adds a condition with its values, if it has any.
func appendList[T any](words []string, key string, values []T) []string {
	if len(values) == 0 {
		return words
	}
	var shown []string
	for _, v := range values[:min(len(values), maxShown)] {
		shown = append(shown, fmt.Sprint(v))
	}
	if more := len(values) - maxShown; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return append(words, key+" "+strings.Join(shown, ", "))
}

// String returns the outcome on one line: the answer and its effects.
func (o Outcome) String() string {
	w := []string{o.Action()}
	if o.Reply.Code != 0 {
		w = append(w, fmt.Sprintf("saying %q", o.Reply))
	}
	if o.Keep && o.Action() != "quarantine" {
		w = append(w, "keep")
	}
	if len(o.Appeal) > 0 {
		w = append(w, "appeal")
	}
	if o.Edit != NoEdit {
		w = append(w, o.Edit.String())
	}
	if o.Tag != "" {
		w = append(w, "tag "+o.Tag)
	}
	if o.Banner != "" {
		w = append(w, "banner "+o.Banner)
	}
	for _, h := range o.Headers {
		w = append(w, "header "+h.Name+": "+h.Value)
	}
	w = appendList(w, "copy", o.Add)
	w = appendList(w, "redirect", o.Only)
	w = appendList(w, "notify", o.Notify)
	if o.Else != nil {
		w = append(w, "else "+o.Else.String())
	}
	return strings.Join(w, ", ")
}
