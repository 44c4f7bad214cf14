package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// TimeFormat is how people are shown a time: as --since reads it.
const TimeFormat = "2006-01-02 15:04:05 -0700"

// WriteRecord prints what became of a message and why, for a person: the stages
// in their order, what was found, the rules that matched, and what would have
// made a difference.
func WriteRecord(w io.Writer, r policy.Record, s timeline.Story) {
	p := &explainer{w, colours(w), r}
	p.head()
	p.held()
	p.timeline(s)
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
	for _, s := range [][2]string{{"queue id", p.QueueID}, {"Message-ID", p.MessageID}, {"release of", p.Release},
		{"recorded by", p.Host}} {
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

// timeline prints what happened, in order of time, and how long scanners took.
func (p *explainer) timeline(s timeline.Story) {
	for _, step := range s.Steps {
		p.step(step)
		if step.Source != timeline.Ours || step.Queue != "" {
			continue
		}
		switch {
		case step.What == "message":
			p.line("  %29s  %-10s took %v", "", "", p.Took.Go().Round(10*time.Microsecond))
			for _, s := range p.Scanners {
				p.line("  %29s    %-20s %10v%s", "", s.Scanner, s.Took.Go().Round(10*time.Microsecond), known(", no answer: ", s.Error))
			}
		case step.What == "verdict" && p.Stage != "message":
			p.line("  %29s  answered at %s, before there was a message", "", p.Stage)
		}
	}
	if s.Ahead != 0 {
		p.line("  the MTA's clock was %s; its times are put right here", aheadWords(s.Ahead.Go()))
	}
	for _, o := range s.Outcomes {
		colour := p.good
		if o.Kind != "sent" {
			colour = p.bad
		}
		p.line("  in the MTA's log last: %s %s%s%s", Printable(o.Recipient), colour, o.Kind, p.off)
	}
	if p.Reply != "" {
		p.line("  the client was told: %s", Printable(p.Reply))
	}
	for _, c := range p.Changes {
		p.line("  changed: %s", Printable(c))
	}
}

// step prints one step.
func (p *explainer) step(s timeline.Step) {
	when := ""
	if !s.Time.IsZero() {
		when = clockTime(s)
	}
	source := ""
	if s.Source != timeline.Ours {
		source = "  [" + Printable(strings.TrimSpace(s.Source+" "+s.Queue)) + "]"
	}
	p.line("  %29s  %-10s %s%s", when, s.What, Printable(s.Text), source)
}

// clockTime returns the time of a step: to the millisecond, if it is known so well.
func clockTime(s timeline.Step) string {
	t := s.Time.Local()
	if s.Coarse {
		return t.Format("2006-01-02 15:04:05 -0700    ")
	}
	return t.Format("2006-01-02 15:04:05.000 -0700")
}

func aheadWords(d time.Duration) string {
	if d < 0 {
		return timeline.Span(-d) + " behind ours"
	}
	return timeline.Span(d) + " ahead of ours"
}

// WriteStory prints what the MTA's log alone tells of a message.
func WriteStory(w io.Writer, s timeline.Story) {
	p := &explainer{w, colours(w), policy.Record{}}
	p.timeline(s)
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
	for _, to := range p.Recipients {
		if to.Listed != nil && slices.Contains(v.Recipients, to.Recipient) {
			p.line("    %s", byEntry(to.Listed))
		}
		if to.Limit != nil && slices.Contains(v.Recipients, to.Recipient) {
			p.line("    %s", byLimit(to.Limit))
		}
	}
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
