package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// tell makes one line of what all sources know: of the message itself, which is the
// first thread, and of its releases.
func tell(threads []thread, acts []quarantine.Event) Story {
	s := Story{Record: threads[0].record}
	var all []run
	for i, t := range threads {
		s.thread(t, i > 0)
		all = append(all, t.runs...)
	}
	for _, a := range acts {
		s.Steps = append(s.Steps, act(a))
	}
	slices.SortStableFunc(s.Steps, before)
	s.Logged, s.Outcomes = len(all) > 0, outcomes(all)
	return s
}

// thread adds the steps of one way through the MTA.
func (s *Story) thread(t thread, release bool) {
	var off time.Duration
	switch {
	case t.record == nil:
	case release:
		s.Steps = append(s.Steps, Step{Time: verdictTime(*t.record), order: verdictTime(*t.record), Source: Ours, What: "verdict",
			Queue: t.record.QueueID, Text: "the release was judged: " + t.record.Action + " (" + t.record.ID + ")"})
		off = ahead(*t.record, t.runs)
	default:
		s.Steps = append(s.Steps, stages(*t.record)...)
		off = ahead(*t.record, t.runs)
	}
	if s.Ahead == 0 {
		s.Ahead = mtalog.Millis(off / time.Millisecond)
	}
	r := t.record
	for _, w := range t.runs {
		for _, e := range w {
			s.Steps = append(s.Steps, logStep(e, off, r))
		}
		r = nil // the others come later
	}
}

// before orders steps by time.
func before(a, b Step) int { return a.order.Compare(b.order) }

// place says in which country and network the client is: " (DE, AS64496 Example)".
func place(r policy.Record) string {
	var words []string
	if r.Country != "" {
		words = append(words, r.Country)
	}
	if r.ASN != 0 {
		words = append(words, strings.TrimSpace(fmt.Sprintf("AS%d %s", r.ASN, r.ASName)))
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// stages returns the steps of the SMTP dialogue and the verdict.
func stages(r policy.Record) (list []Step) {
	add := func(when time.Time, what, text string) {
		list = append(list, Step{Time: when, Source: Ours, What: what, Text: text, order: cmp.Or(when, r.Time)})
	}
	t := r.When()
	add(t.Connect, "connect", strings.TrimSpace(cmp.Or(r.Client, "client unknown")+" "+r.ClientName)+place(r))
	if r.Helo != "" {
		add(cmp.Or(t.Helo, t.Connect), "helo", "HELO "+r.Helo)
	}
	if r.Stage != "connect" && r.Stage != "helo" {
		who := "<" + r.Sender + ">"
		if r.User != "" {
			who += " as " + r.User
		}
		add(t.Mail, "mail", who)
	}
	if len(r.Recipients) > 0 {
		text := strings.Join(r.Addresses(), ", ")
		if r.MoreRecipients > 0 {
			text += fmt.Sprintf(" and %d more", r.MoreRecipients)
		}
		add(cmp.Or(t.Rcpt, t.Mail), "rcpt", text)
	}
	if r.Stage == "message" {
		add(cmp.Or(t.End, t.Mail), "message", fmt.Sprintf("%d bytes", r.Size))
	}
	verdict := r.Action
	if r.Rule != "" {
		verdict += " by rule " + fmt.Sprintf("%q", r.Rule)
	}
	if r.Reply != "" {
		verdict += ": " + r.Reply
	}
	add(verdictTime(r), "verdict", verdict)
	return list
}

// verdictTime returns when the MTA was answered, as far as that is known.
func verdictTime(r policy.Record) time.Time {
	if t := r.When(); !t.End.IsZero() {
		return t.End.Add(r.Took.Go())
	}
	return r.Time.Add(r.Took.Go())
}

// ahead returns by how much the MTA's clock is before ours: where it says that the
// message came before it did, or long after it was answered.
func ahead(r policy.Record, runs []run) time.Duration {
	if len(runs) == 0 || !runs[0].whole() {
		return 0
	}
	begun := runs[0].begun()
	if begun.Sub(cmp.Or(r.When().Connect, r.Time)) < -together || begun.Sub(verdictTime(r)) > together {
		return begun.Sub(r.Time)
	}
	return 0
}

// logStep returns the step of an event. One of which only the second is known comes after
// all others of that second, but for what the MTA logs while a message comes in.
func logStep(e mtalog.Event, ahead time.Duration, r *policy.Record) Step {
	s := Step{Time: e.Time.Add(-ahead), Coarse: e.Coarse, Source: e.MTA, What: string(e.Kind), Queue: e.Queue, Text: words(e), Event: &e}
	s.order = s.Time
	if e.Coarse {
		s.order = s.Time.Truncate(time.Second).Add(time.Second - time.Nanosecond)
	}
	if r == nil || r.QueueID != "" && r.QueueID != e.Queue {
		return s
	}
	at := map[mtalog.Kind]time.Time{mtalog.Queued: r.Time, mtalog.Named: cmp.Or(r.When().End, r.Time)}[e.Kind]
	if since := at.Sub(s.Time); e.Coarse && since >= 0 && since < time.Second {
		s.order = at
	}
	return s
}

// words says an event.
func words(e mtalog.Event) string {
	switch e.Kind {
	case mtalog.Queued:
		return joined("from "+cmp.Or(e.Client, e.Sender), e.Text)
	case mtalog.Named:
		return "<" + e.MessageID + ">"
	case mtalog.Active:
		return joined(e.Sender, e.Text)
	case mtalog.Sent, mtalog.Deferred, mtalog.Bounced:
		return outcomeWords(e)
	case mtalog.Notified:
		return e.Text + ", queue id " + e.Next
	case mtalog.Omitted:
		return fmt.Sprintf("%d events more are not kept", e.N)
	}
	return e.Text
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// outcomeWords says what became of a delivery: "bob@example.com: 250 2.0.0 Ok from
// mx.example.net[192.0.2.1]:25, 1.3 s after it came".
func outcomeWords(e mtalog.Event) string {
	text := e.Recipient + ": " + cmp.Or(e.Text, e.DSN, string(e.Kind))
	if e.Relay != "" {
		text += " from " + e.Relay
	} else if e.Agent != "" {
		text += " by " + e.Agent
	}
	if e.After > 0 {
		text += ", " + Span(e.After.Go()) + " after it came"
	}
	return text
}

// Span writes a duration for people: "1.3 s", "4 min", "2 h 5 min".
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// act returns the step of something that was done to the copy in the quarantine.
func act(a quarantine.Event) Step {
	text := "by " + a.By
	if len(a.To) > 0 {
		text += " to " + strings.Join(a.To, ", ")
	}
	for _, more := range []string{a.Note, a.Answer} {
		if more != "" {
			text += ": " + more
		}
	}
	return Step{Time: a.Time, order: a.Time, Source: Vault, What: a.What, Queue: mtalog.QueueIn(a.Answer), Text: text}
}

// outcomes returns what the log told last of each recipient. Where the message went on
// under another queue id, that one tells.
func outcomes(runs []run) (list []Outcome) {
	place := map[string]int{}
	for _, w := range runs {
		if w[0].Sender == "<>" && w[0].Parent != "" || notice(runs, w) {
			continue
		}
		for _, e := range w {
			if e.Recipient == "" || e.Next != "" && has(runs, e.Next) {
				continue
			}
			for _, to := range recipients(e) {
				o := Outcome{to, e.Kind, e.Time, e.Relay, e.Text}
				i, ok := place[to]
				if !ok {
					place[to] = len(list)
					list = append(list, o)
				} else if !o.Time.Before(list[i].Time) {
					list[i] = o
				}
			}
		}
	}
	return list
}

// recipients returns those of a delivery, of which Sendmail logs all together.
func recipients(e mtalog.Event) []string {
	if e.MTA != "sendmail" || strings.Contains(e.Recipient, `"`) {
		return []string{e.Recipient}
	}
	return strings.Split(e.Recipient, ", ")
}

// notice reports whether a run is of the mail that tells the sender of another one.
func notice(runs []run, w run) bool {
	return slices.ContainsFunc(runs, func(other run) bool {
		return slices.ContainsFunc(other, func(e mtalog.Event) bool { return e.Kind == mtalog.Notified && e.Next == w.queue() })
	})
}
