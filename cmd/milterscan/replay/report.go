package replay

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
)

// examples is how many mails of a group the report names.
const examples = 20

// Report adds verdicts up, and tells persons what differs.
type Report struct {
	Mails      int // that were compared
	Differing  int
	Unsure     int
	Unreadable int
	Left       int      // files that are no mail
	Reasons    []string // why some of the last three were, the first of each kind
	groups     map[change]*group
}

// change is what a group of differences has in common.
type change struct{ wasAction, wasRule, nowAction, nowRule string }

// group has the differences of one change.
type group struct {
	change
	mails, recipients int
	last              string // the mail counted last
	first             []Difference
}

// Add counts a verdict.
func (r *Report) Add(v Verdict) {
	switch {
	case v.Error != "":
		r.Unreadable++
		r.reason(r.Unreadable, "cannot be read: "+v.Mail+": "+v.Error)
		return
	case v.Unsure != "":
		r.Unsure++
		r.reason(r.Unsure, "was judged without an answer: "+v.Mail+": "+v.Unsure)
		return
	}
	r.Mails++
	if len(v.Differences) > 0 {
		r.Differing++
	}
	for _, d := range v.Differences {
		r.count(d)
	}
}

// Leave counts a file that is no mail.
func (r *Report) Leave(path, why string) {
	r.Left++
	r.reason(r.Left, "is left out: "+path+": "+why)
}

func (r *Report) reason(n int, text string) {
	if n == 1 {
		r.Reasons = append(r.Reasons, text)
	}
}

func (r *Report) count(d Difference) {
	c := change{d.Was.Action, d.Was.Rule, d.Now.Action, d.Now.Rule}
	if r.groups == nil {
		r.groups = map[change]*group{}
	}
	g := r.groups[c]
	if g == nil {
		g = &group{change: c}
		r.groups[c] = g
	}
	g.recipients++
	if g.last != d.Mail {
		g.mails++
		g.last = d.Mail
	}
	if len(g.first) < examples {
		g.first = append(g.first, d)
	}
}

// sorted returns the groups, the change that meets most mails first.
func (r *Report) sorted() []*group {
	return slices.SortedFunc(maps.Values(r.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.mails, a.mails), strings.Compare(a.title(), b.title()))
	})
}

// Write tells persons what differs, the change that meets most mails first.
func (r *Report) Write(w io.Writer, took time.Duration) {
	for _, g := range r.sorted() {
		g.write(w)
	}
	fmt.Fprintf(w, "%s judged in %v: %s.\n", counted(r.Mails, "mail was", "mails were"), took.Round(10*time.Millisecond), r.result())
	for _, s := range r.shortcomings() {
		fmt.Fprintln(w, s)
	}
}

func (r *Report) result() string {
	if r.Differing == 0 {
		return "none ends otherwise"
	}
	return counted(r.Differing, "ends", "end") + " otherwise"
}

// shortcomings says what the report does not cover.
func (r *Report) shortcomings() (list []string) {
	for _, s := range []struct {
		n        int
		one, all string
	}{
		{r.Unreadable, "mail could not be read and does not count", "mails could not be read and do not count"},
		{r.Unsure, "mail was judged without an answer and does not count", "mails were judged without an answer and do not count"},
		{r.Left, "file is no mail and was left out", "files are no mail and were left out"},
	} {
		if s.n > 0 {
			list = append(list, counted(s.n, s.one, s.all)+".")
		}
	}
	for _, why := range r.Reasons {
		list = append(list, "The first that "+show.Printable(why))
	}
	return list
}

func (g *group) title() string {
	return fmt.Sprintf("%s %s -> %s %s", g.wasAction, by(g.wasRule), g.nowAction, by(g.nowRule))
}

func by(rule string) string {
	if rule == "" {
		return "(no rule)"
	}
	return fmt.Sprintf("(rule %q)", show.Printable(rule))
}

// write prints the change and the first mails that it meets.
func (g *group) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %s", g.title(), counted(g.mails, "mail", "mails"))
	if g.recipients != g.mails {
		fmt.Fprintf(w, ", %s", counted(g.recipients, "recipient", "recipients"))
	}
	fmt.Fprintln(w)
	for _, d := range g.first {
		fmt.Fprintf(w, "  %s  <%s> to <%s>: %s\n", show.Printable(d.Mail), show.Printable(d.Sender),
			show.Printable(d.Recipient), show.Printable(d.Subject))
		if d.Was.Action == d.Now.Action {
			for _, line := range d.Was.against(d.Now) {
				fmt.Fprintf(w, "      %s\n", show.Printable(line))
			}
		}
	}
	if more := g.recipients - len(g.first); more > 0 {
		fmt.Fprintf(w, "  and %d more, which --json lists\n", more)
	}
	fmt.Fprintln(w)
}

// against says in which ways two outcomes of one action differ.
func (o Outcome) against(p Outcome) (lines []string) {
	if o.Reply != p.Reply {
		lines = append(lines, "- "+o.Reply, "+ "+p.Reply)
	}
	if o.Kept != p.Kept {
		lines = append(lines, map[bool]string{true: "+ a copy is kept", false: "- a copy is kept"}[p.Kept])
	}
	for _, c := range o.Changes {
		if !slices.Contains(p.Changes, c) {
			lines = append(lines, "- "+c)
		}
	}
	for _, c := range p.Changes {
		if !slices.Contains(o.Changes, c) {
			lines = append(lines, "+ "+c)
		}
	}
	return lines
}

// counted writes a number and the word for what it counts.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// Sum is the report for programs.
type Sum struct {
	Mails      int           `json:"mails"`
	Differing  int           `json:"differing"`
	Unsure     int           `json:"unsure"`
	Unreadable int           `json:"unreadable"`
	Left       int           `json:"left_out"`
	Whole      bool          `json:"whole"` // false: it was interrupted
	Took       policy.Millis `json:"took"`
}

// Sum adds up.
func (r *Report) Sum(took time.Duration, whole bool) Sum {
	return Sum{r.Mails, r.Differing, r.Unsure, r.Unreadable, r.Left, whole, policy.Millis(took)}
}
