package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// TimeFormat is how people are shown a time: as --since reads it.
const TimeFormat = "2006-01-02 15:04:05 -0700"

// WriteRecord prints what became of a message and why, for a person: the stages
// in their order, what was found, the rules that matched, and what would have
// made a difference.
func WriteRecord(w io.Writer, r policy.Record) {
	p := &explainer{w, colours(w), r}
	p.head()
	p.held()
	p.timeline()
	p.findings()
	for _, v := range r.Verdicts {
		p.verdict(v)
	}
	p.alternatives()
}

type explainer struct {
	io.Writer
	palette
	policy.Record
}

func (p *explainer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *explainer) head() {
	colour := p.good
	if p.Action != policy.Deliver.String() {
		colour = p.bad
	}
	incomplete := ""
	if !p.Complete {
		incomplete = " " + p.mild + "(not everything could be examined)" + p.off
	}
	p.line("%s%s%s: %s%s%s%s", p.bold, p.ID, p.off, colour, p.Action, p.off, incomplete)
	if p.Subject != "" {
		p.line("  subject: %s", Printable(p.Subject))
	}
	for _, s := range [][2]string{{"queue id", p.QueueID}, {"Message-ID", p.MessageID}, {"release of", p.Release}} {
		if s[1] != "" {
			p.line("  %s: %s", s[0], Printable(s[1]))
		}
	}
}

// held says how a message that the MTA holds goes on.
func (p *explainer) held() {
	if p.Action == policy.Hold.String() && p.QueueID != "" && strings.Trim(p.QueueID, letters) == "" {
		p.line("  it is held in the MTA's queue: with Postfix, \"postsuper -H %s\" lets it go on, and \"postsuper -d %[1]s\" removes it",
			p.QueueID)
	}
}

// letters are the characters of queue ids.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// timeline prints what was known at each stage.
func (p *explainer) timeline() {
	p.line("  %s  connect  %s %s", Time(p.Time), p.client(), known("HELO ", p.Helo))
	p.line("  %25s  mail     <%s>%s", "", Printable(p.Sender), known(" as ", p.User))
	if len(p.Recipients) > 0 {
		p.line("  %25s  rcpt     %s", "", Printable(strings.Join(p.Addresses(), ", ")))
	}
	if p.Stage != "message" {
		p.line("  %25s  answered at %s, before there was a message", "", p.Stage)
		return
	}
	p.line("  %25s  message  %s, looked at for %v", "", Size(p.Size), p.Took.Go().Round(10*time.Microsecond))
	for _, s := range p.Scanners {
		p.line("  %25s    %-20s %10v%s", "", s.Scanner, s.Took.Go().Round(10*time.Microsecond), known(", no answer: ", s.Error))
	}
	if p.Reply != "" {
		p.line("  the client was told: %s", Printable(p.Reply))
	}
	for _, c := range p.Changes {
		p.line("  changed: %s", Printable(c))
	}
}

func (p *explainer) client() string {
	if p.Client == "" {
		return "client unknown"
	}
	return strings.TrimSpace(p.Client + " " + Printable(p.ClientName))
}

// known returns a text with what introduces it, or nothing.
func known(introduction, text string) string {
	if text == "" {
		return ""
	}
	return introduction + Printable(text)
}

func (p *explainer) findings() {
	if len(p.Findings) > 0 {
		p.line("  found:")
	}
	for i, f := range p.Findings {
		score := ""
		if f.Score != 0 {
			score = fmt.Sprintf(" (score %g)", f.Score)
		}
		p.line("    %2d. %s%-11s%s %s %s%s%s", i+1, p.mild, f.Kind, p.off, Printable(f.Rule), at(f.Part), FirstLine(f.Detail), score)
	}
	if p.MoreFindings > 0 {
		p.line("    and %d more", p.MoreFindings)
	}
}

func (p *explainer) verdict(v policy.RecordVerdict) {
	why := "no rule objected"
	if v.Rule != nil {
		why = fmt.Sprintf("%q%s", v.Rule.Name, place(*v.Rule))
	}
	if v.Because >= 0 {
		why += fmt.Sprintf(" because of %d", v.Because+1)
	}
	p.line("  for %s: %s, %s", Printable(strings.Join(v.Recipients, ", ")), v.Action, why)
	for _, m := range v.Matches {
		p.line("    %s %-11s %q%s: %s", mark(m), subjectOf(m), m.Rule.Name, place(m.Rule), Printable(m.Does))
	}
	if v.More > 0 {
		p.line("    and %d matches more", v.More)
	}
}

// mark says what a match counted for.
func mark(m policy.RecordMatch) string {
	switch {
	case m.Observed:
		return "watched"
	case m.Decides:
		return "decided"
	}
	return "matched"
}

func subjectOf(m policy.RecordMatch) string {
	if m.Finding < 0 {
		return "the message"
	}
	if m.Alike > 0 {
		return fmt.Sprintf("finding %d and %d like it", m.Finding+1, m.Alike)
	}
	return fmt.Sprintf("finding %d", m.Finding+1)
}

// place returns the file and line of a rule, in brackets.
func place(r policy.RecordRule) string {
	if r.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", r.File, r.Line)
}

func (p *explainer) alternatives() {
	if p.NotTried {
		p.line("  not all is known of what would have happened otherwise: time was short")
	}
	for _, a := range p.Alternatives {
		var gone []string
		for _, f := range a.Findings {
			gone = append(gone, fmt.Sprintf("finding %d", f+1))
		}
		for _, r := range a.Rules {
			gone = append(gone, fmt.Sprintf("rule %q", r))
		}
		p.line("  without %s: %s", strings.Join(gone, " and "), Printable(a.Then))
	}
}
