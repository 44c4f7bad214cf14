package judge

import (
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Bounds of what a record takes from a message: senders choose how long a
// subject is and how much there is to find.
const (
	maxSubject  = 200
	maxFindings = 300
	maxDetail   = 500
	maxMatches  = 200  // of one verdict
	maxListed   = 2000 // matches of all verdicts
	maxEdits    = 300
	maxNames    = 100 // of rules that applied or only watched
)

// Record returns the record that is kept of the result. It refers to nothing of the
// message, and is made before Close.
func (r *Result) Record() policy.Record {
	w := r.told()
	rec := w.rec
	if rules := r.choice.rules; rules != nil {
		list, cut := rules.Alternatives(r.input(), r.Decision, r.late)
		rec.Alternatives, rec.NotTried = w.alternatives(list), cut
	}
	return rec
}

// Told returns the record without what would have been, which costs some decisions more.
func (r *Result) Told() policy.Record { return r.told().rec }

// recorded makes the record, with what it takes to add to it.
func (r *Result) recorded() *recorder {
	w := &recorder{Result: r, listed: map[int]int{}}
	w.rec = w.record()
	return w
}

func (w *recorder) record() policy.Record {
	r := w.Result
	rec := r.envelope()
	rec.Findings = w.findings()
	rec.MoreFindings = len(r.Found) - len(rec.Findings)
	rec.Place(w.listed)
	rec.Recipients = w.recipients(rec)
	rec.Verdicts = w.verdicts(r.Decision.Verdicts)
	rec.Edits, rec.Changes = r.edits(), r.Decision.Changes()
	for _, v := range rec.Verdicts {
		rec.Applied = addNames(rec.Applied, v.Applied)
		rec.Watched = addNames(rec.Watched, v.Watched)
	}
	rec.Scanners, rec.Contents = scannerTimes(r.Reports), r.seen.contents
	return rec
}

// envelope returns all of the record that is one value.
func (r *Result) envelope() policy.Record {
	env, d := r.Envelope, r.Decision
	rec := policy.Record{
		Version:    policy.RecordVersion,
		ID:         r.ID,
		Time:       env.Received.UTC().Truncate(time.Millisecond),
		Generation: r.Generation,
		Stage:      r.Stage.String(),
		Direction:  direction(d.Verdicts),
		QueueID:    env.QueueID,
		ClientName: env.ClientName,
		Country:    env.Place.Country,
		ASN:        env.Place.ASN,
		ASName:     env.Place.Network,
		Helo:       env.Helo,
		User:       env.AuthUser,
		TLS:        env.TLS,
		Sender:     env.Sender,
		Size:       r.Size,
		Action:     d.Action(),
		Reply:      d.Reply.String(),
		Rule:       d.Rule.Name,
		Score:      policy.Score(r.Found),
		Complete:   r.Complete(),
		Appeal:     r.choice.invites,
		Took:       policy.Millis(r.Took),
		Times:      times(env, r.Stage),
	}
	if env.Client.IsValid() {
		rec.Client = env.Client.Addr().String()
	}
	if r.Message != nil {
		rec.From, rec.Subject = words(r.Message.Header, "From"), words(r.Message.Header, "Subject")
		rec.MessageID = messageID(r.Message.Header)
	}
	if r.seen.release != nil {
		rec.Release = r.seen.release.ID
	}
	return rec
}

// times returns when the stages were. A message out of a file has none but its own.
func times(env scan.Envelope, stage scan.Stage) *policy.RecordTimes {
	t := policy.RecordTimes{Connect: env.Times.Connect, Helo: env.Times.Helo, Rcpt: env.Times.Rcpt, End: env.Times.End}
	if t == (policy.RecordTimes{}) {
		return nil
	}
	if stage >= scan.StageMail {
		t.Mail = env.Received
	}
	for _, at := range []*time.Time{&t.Connect, &t.Helo, &t.Mail, &t.Rcpt, &t.End} {
		*at = at.UTC().Truncate(time.Millisecond)
	}
	return &t
}

// direction returns that of all recipients.
func direction(all []policy.Verdict) string {
	var d policy.Directions
	for _, v := range all {
		d |= v.Direction
	}
	if d == 0 {
		return ""
	}
	return d.String()
}

// words returns the first field of a name, decoded.
func words(h entity.Header, name string) string {
	for _, s := range h.Values(name) {
		return cut(strings.TrimSpace(entity.DecodeWords(s)), maxSubject)
	}
	return ""
}

// messageID returns the text between the angle brackets.
func messageID(h entity.Header) string {
	for _, s := range h.Values("Message-ID") {
		return cut(strings.Trim(strings.TrimSpace(s), "<>"), maxSubject)
	}
	return ""
}

// cut returns at most n bytes of s, in a separate string, and valid UTF-8.
func cut(s string, n int) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), n)], "\uFFFD"))
}

// scannerTimes has one entry for each scanner, whatever number of stages it was
// asked at.
func scannerTimes(reports []scan.Report) []policy.ScannerTime {
	var list []policy.ScannerTime
	place := map[string]int{}
	for _, s := range reports {
		i, ok := place[s.Scanner]
		if !ok {
			i = len(list)
			place[s.Scanner] = i
			list = append(list, policy.ScannerTime{Scanner: s.Scanner})
		}
		list[i].Took += policy.Millis(s.Took)
		list[i].Found += objections(s.Findings)
		if s.Err != nil && list[i].Error == "" {
			list[i].Error = cut(s.Err.Error(), maxDetail)
		}
	}
	return list
}

// objections counts the findings that say something against the message.
func objections(found []scan.Finding) int {
	n := 0
	for _, f := range found {
		if f.Kind != scan.Note && f.Kind != scan.Failed {
			n++
		}
	}
	return n
}

// edits lists every change that the decision makes.
func (r *Result) edits() []policy.RecordEdit {
	d := r.Decision
	out := []policy.RecordEdit{}
	for _, h := range d.Headers {
		out = append(out, policy.RecordEdit{Kind: "header", Name: h.Name, Value: h.Value})
	}
	if d.Tag != "" {
		out = append(out, policy.RecordEdit{Kind: "subject", Value: d.Tag})
	}
	for _, b := range d.Banners {
		out = append(out, policy.RecordEdit{Kind: "banner", Value: b})
	}
	for _, e := range d.Edits[:min(len(d.Edits), maxEdits)] {
		out = append(out, policy.RecordEdit{Kind: e.Kind.String(), Part: cut(r.Message.PathOf(scan.Finding{Part: e.Part}), maxDetail),
			Rule: e.Rule.Name})
	}
	for _, a := range d.Add {
		out = append(out, policy.RecordEdit{Kind: "add-recipient", Value: a})
	}
	for _, a := range d.Drop {
		out = append(out, policy.RecordEdit{Kind: "drop-recipient", Value: a})
	}
	return out
}

// addNames appends names that list does not have yet, as far as there is room.
func addNames(list, more []string) []string {
	for _, name := range more {
		if len(list) < maxNames && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
