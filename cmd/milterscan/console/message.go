package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// messagePage is what became of one message, and why.
type messagePage struct {
	policy.Record
	Entry    *quarantine.Entry
	Gone     bool // it was kept, and is no more
	Troubles []trouble
	Steps    []step
	Places   []*place
	Grounds  []ground
	Allow    string // the rule that would let such a message through
	Whom     string // the recipients of a release: the default of its form
	Senders  []listable
	Owners   []string // on whose lists the person may put them
	PutOff   []string // the recipients that the person may ask to put off the sender no more
	Error    *trouble
	Teaches  bool // the person may say whether it is spam
	mail     login.Mail
	person   login.Person
}

func (m *messagePage) title(v *pages) string {
	return cmp.Or(policy.Visible(clip(m.Subject, shortText)), v.texts.Of("no-subject"))
}

// Can reports whether the person has a right over this message, and it is there.
func (m *messagePage) Can(right string) bool {
	return m.Entry != nil && m.person.MayWith(login.Right(right), m.mail)
}

// Infected reports whether a virus was found in the kept message.
func (m *messagePage) Infected() bool { return m.Entry != nil && infected(m.Entry.Record) }

// message shows one message.
func (c *Console) message(w http.ResponseWriter, r *http.Request, p login.Person) error {
	f, err := c.find(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := c.view(r, p, "message")
	v.Page = c.messagePage(r.Context(), v, f)
	return v.write(w, http.StatusOK)
}

// messagePage puts together the view of a message.
func (c *Console) messagePage(ctx context.Context, v *view, f *found) *messagePage {
	story, err := c.story(ctx, v.Person, f)
	if err != nil {
		f.Errs = append(f.Errs, err)
	}
	m := c.judgedPage(v, f)
	m.Steps = steps(v.pages, f.Record, story)
	return m
}

// judgedPage returns a page as messagePage does, without what happened when.
func (c *Console) judgedPage(v *view, f *found) *messagePage {
	m := &messagePage{Record: f.Record, Entry: f.Entry, mail: f.mail, person: v.Person}
	for _, err := range f.Errs {
		m.Troubles = append(m.Troubles, troubleOf(v.pages, err))
	}
	m.Teaches = m.Can(string(login.Teach)) && !m.Infected() && c.Teaches(v.Person)
	m.Gone = f.Entry == nil && !f.Unsure && f.Record.Kept()
	m.Places = places(f.Record)
	m.Grounds = c.grounds(f.Record)
	if v.Person.MayWith(login.AllowSenders, f.mail) && f.Record.Sender+f.Record.From != "" {
		m.Senders, m.Owners = senders(f.Record), ownRecipients(v.Person, f.Record)
	}
	if v.Person.MayWith(login.AllowSenders, f.mail) && c.putsOff(f.Record) {
		m.PutOff = ownRecipients(v.Person, f.Record)
	}
	m.Whom = strings.Join(awaiting(v.Person, f.Entry), ", ")
	var allow strings.Builder
	if show.WriteAllow(&allow, f.Record) == nil {
		m.Allow = allow.String()
	}
	return m
}

// place is a part of a message in which something was seen, with the parts in it.
type place struct {
	Path     string // "" for the message as a whole
	Findings []placed
	Parts    []*place
}

// placed is a finding with its number in the record, from 1.
type placed struct {
	N int
	policy.RecordFinding
}

// places makes a tree of the parts that findings name. A part is in the one whose path
// its own begins with.
func places(r policy.Record) []*place {
	by := map[string]*place{}
	var all []*place
	for i, f := range r.Findings {
		at := by[f.Part]
		if at == nil {
			at = &place{Path: f.Part}
			by[f.Part], all = at, append(all, at)
		}
		at.Findings = append(at.Findings, placed{i + 1, f})
	}
	slices.SortStableFunc(all, func(a, b *place) int { return strings.Compare(a.Path, b.Path) })
	var top []*place
	for _, one := range all {
		if around := around(by, one.Path); around != nil {
			around.Parts = append(around.Parts, one)
			continue
		}
		top = append(top, one)
	}
	return top
}

// around returns the nearest part that a path is in, nil for none.
func around(by map[string]*place, path string) *place {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' && by[path[:i]] != nil {
			return by[path[:i]]
		}
	}
	return nil
}

// ground is a rule that had a say, with its text as it is now.
type ground struct {
	policy.RecordVerdict
	Text    string // of the rule that decided; "" if it is not in force any more
	Changed bool   // it is in another place now, and may be another
	Lines   []policy.RecordMatch
}

// grounds returns the verdicts with the texts of their rules.
func (c *Console) grounds(r policy.Record) []ground {
	rules := c.Host.Config().Effective().Rules
	var all []ground
	for _, v := range r.Verdicts {
		g := ground{RecordVerdict: v, Lines: v.Matches}
		if v.Rule != nil {
			g.Text, g.Changed = ruleText(rules, *v.Rule)
		}
		all = append(all, g)
	}
	return all
}

// ruleText returns the text of a rule as it is now: of the one in that place, or else of
// that name.
func ruleText(rules []policy.Rule, ref policy.RecordRule) (text string, changed bool) {
	for _, r := range rules {
		switch {
		case r.Ref.Name != ref.Name:
		case r.Ref.File == ref.File && r.Ref.Line == ref.Line:
			return r.String(), false
		default:
			text, changed = r.String(), true
		}
	}
	return text, changed
}

// Without says in words what an alternative does without.
func (m *messagePage) Without(a policy.Alternative) string {
	var all []string
	for _, f := range a.Findings {
		if f >= 0 && f < len(m.Findings) {
			all = append(all, fmt.Sprintf("%d. %s", f+1, m.Findings[f].Rule))
		}
	}
	return strings.Join(append(all, a.Rules...), " + ")
}
