package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxReply is what fits, with code and id, on the 512 bytes of a reply line
// (RFC 5321, section 4.5.3.1.5).
const maxReply = 400

// String returns the name of a rule and where it is.
func (r RuleRef) String() string {
	if r.File == "" {
		return fmt.Sprintf("rule %q", r.Name)
	}
	return fmt.Sprintf("%s:%d: rule %q", r.File, r.Line, r.Name)
}

// Check returns an error that names what in a rule contradicts itself, nil if
// nothing does.
func (r Rule) Check() error {
	s, o := r.Scope.Size, r.Outcome
	switch {
	case s.Max != 0 && s.Min > s.Max:
		return fmt.Errorf("no size is at least %v and at most %v; write the smaller one as the least", s.Min, s.Max)
	case o.Edit != NoEdit && len(r.Grounds.When) == 0 && len(r.Grounds.Part) == 0:
		return fmt.Errorf("%s needs to know of which part; say which findings it is for", o.Edit)
	case o.Edit != NoEdit && len(r.Grounds.When) > 0 && !slices.ContainsFunc(r.Grounds.When, Condition.aboutFinding):
		return fmt.Errorf("%s needs to know of which part, and a score is about none; put the score into requires, and the "+
			"findings to be edited into when", o.Edit)
	case len(r.Grounds.Part) > 0 && slices.ContainsFunc(r.Grounds.When, Condition.AboutScore):
		return errors.New("part is about a part of the message, and a score is about none; put the score into requires")
	case r.Mode == Adds && o.Answer != Deliver:
		return fmt.Errorf("%s is an answer, and this rule only adds effects; let it decide", o.Answer)
	case r.Mode == Decides && o.tellsOfDelivered() != "":
		return fmt.Errorf("%q hear only of messages that do not arrive, and this rule delivers; leave it out, or put it into "+
			"a rule that keeps messages back, or into one without an action", o.tellsOfDelivered())
	case r.Mode == Adds && o.Edit != NoEdit:
		return fmt.Errorf("%s settles what becomes of a part, and this rule only adds effects; let it decide", o.Edit)
	}
	return o.check()
}

// tellsOfDelivered returns the word in Notify that asks for a notice about a message which
// the outcome, or its Else where the edit cannot be made, delivers; "" if none does.
func (o Outcome) tellsOfDelivered() string {
	for _, word := range o.Notify {
		if (word == Recipients || word == InternalSender) && o.Answer == Deliver && len(o.Only) == 0 {
			return word
		}
	}
	if o.Else != nil {
		return o.Else.tellsOfDelivered()
	}
	return ""
}

func (o Outcome) check() error {
	if o.Answer < Deliver || o.Answer > Reject {
		return fmt.Errorf("%s is no answer", o.Answer)
	}
	if err := o.Reply.check(o.Answer); err != nil {
		return err
	}
	if len(o.Appeal) > 0 && o.Answer != Reject {
		return fmt.Errorf("senders appeal against a refusal, and this rule answers with %s; leave appeal out, or let it reject", o.Answer)
	}
	if e := o.pointless(); e != "" {
		return fmt.Errorf("%s has no effect on mail that is answered with %s; leave it out", e, o.Answer)
	}
	for _, h := range o.Headers {
		if err := h.check(); err != nil {
			return err
		}
	}
	switch {
	case o.Else == nil:
		return nil
	case o.Edit == NoEdit:
		return errors.New("else is for edits that cannot be made, and this rule makes none; leave it out")
	case o.Else.Edit != NoEdit:
		return fmt.Errorf("where one edit cannot be made no other can; let else do something but %s", o.Else.Edit)
	}
	return o.Else.check()
}

// pointless names an effect that makes no sense with the answer.
func (o Outcome) pointless() string {
	if o.Answer == Tempfail && o.Keep {
		return "keeping a copy"
	}
	if o.Answer == Deliver || o.Answer == Hold {
		return ""
	}
	switch {
	case o.Edit != NoEdit:
		return o.Edit.String()
	case o.Tag != "":
		return "a tag"
	case o.Banner != "":
		return "a banner"
	case len(o.Headers) > 0:
		return "a header"
	case len(o.Add)+len(o.Only) > 0:
		return "another recipient"
	}
	return ""
}

func (r Reply) check(a Answer) error {
	class := map[Answer]int{Tempfail: 4, Reject: 5}[a]
	switch {
	case r == Reply{}:
		return nil
	case class == 0:
		return fmt.Errorf("a reply is heard with tempfail and reject only, not with %s; leave it out", a)
	case r.Code/100 != class:
		return fmt.Errorf("%d is no code for %s; write one between %d00 and %d99", r.Code, a, class, class)
	case !strings.HasPrefix(r.Enhanced, fmt.Sprintf("%d.", class)):
		return fmt.Errorf("the enhanced code %q does not go with %d; write one such as %d.7.1", r.Enhanced, r.Code, class)
	case r.Text != printable(r.Text, maxReply) || r.Text == "":
		return fmt.Errorf("the reply's text must be a line of printable ASCII, at most %d characters", maxReply)
	}
	return nil
}

func (h HeaderField) check() error {
	for _, c := range []byte(h.Name) {
		if c <= ' ' || c > '~' || c == ':' {
			return fmt.Errorf("%q is no name of a header field (RFC 5322, section 2.2)", h.Name)
		}
	}
	if h.Name == "" || strings.ContainsAny(h.Value, "\r\n\x00") {
		return fmt.Errorf("the header field %q needs a name, and a value of one line", h.Name)
	}
	return nil
}
