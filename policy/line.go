package policy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Bounds of a line about a message.
const (
	// MaxLine is how long one may be, with all that is escaped in it.
	MaxLine = 64 << 10
	around  = 512 // for what the log adds
)

// room is how much of a record's lists and texts is written.
type room struct{ list, text int }

// rooms are tried in turn until a record that is too long is short enough. The last one
// is for any.
var rooms = [...]room{{200, 500}, {100, 300}, {50, 200}, {20, 150}, {8, 80}, {4, 60}}

// Line returns the record as a line of JSON for the log, without a line end, and
// with nothing invisible in it. It has all fields but the details for "explain",
// which are the verdicts with their matches and the alternatives. It has at most
// MaxLine bytes: of one that would be longer, lists are cut and counted, and then
// texts.
func (r Record) Line() []byte {
	line := r.line()
	for _, m := range rooms {
		if len(line) <= MaxLine-around {
			break
		}
		line = r.within(m).line()
	}
	return line
}

func (r Record) line() []byte { return written(func(o *object) { o.line(&r) }) }

// JSON writes a value on one line, without a line end, and with nothing invisible
// in it.
func JSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // of a record it cannot fail
	return VisibleLine(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// within returns the record with lists and texts no longer than there is room for.
func (r Record) within(m room) Record {
	for _, s := range []*string{&r.ID, &r.Host, &r.Stage, &r.Direction, &r.QueueID, &r.MessageID, &r.Client,
		&r.ClientName, &r.ASName, &r.Helo, &r.User, &r.Sender, &r.From, &r.Subject, &r.Reply, &r.Rule, &r.Release} {
		*s = m.cut(*s)
	}
	r.MoreRecipients += max(0, len(r.Recipients)-m.list)
	r.MoreFindings += max(0, len(r.Findings)-m.list)
	r.Recipients = each(m, r.Recipients, m.recipient)
	r.Findings = each(m, r.Findings, m.finding)
	r.Edits = each(m, r.Edits, func(e RecordEdit) RecordEdit {
		return RecordEdit{m.cut(e.Kind), m.cut(e.Part), m.cut(e.Name), m.cut(e.Value), m.cut(e.Rule)}
	})
	r.Scanners = each(m, r.Scanners, func(s ScannerTime) ScannerTime {
		s.Scanner, s.Error = m.cut(s.Scanner), m.cut(s.Error)
		return s
	})
	r.Changes, r.Applied, r.Watched = each(m, r.Changes, m.cut), each(m, r.Applied, m.cut), each(m, r.Watched, m.cut)
	return r
}

func (m room) recipient(to RecordRecipient) RecordRecipient {
	to.Recipient, to.Action, to.Rule = m.cut(to.Recipient), m.cut(to.Action), m.cut(to.Rule)
	if to.Because != nil {
		f := m.finding(*to.Because)
		to.Because = &f
	}
	return to
}

func (m room) finding(f RecordFinding) RecordFinding {
	for _, s := range []*string{&f.Scanner, &f.Rule, &f.Part, &f.Name, &f.Detail, &f.Recipient} {
		*s = m.cut(*s)
	}
	return f
}

// each returns a new list of as many values as there is room for, each changed by
// change.
func each[T any](m room, list []T, change func(T) T) []T {
	cut := slices.Clone(list[:min(len(list), m.list)])
	for i := range cut {
		cut[i] = change(cut[i])
	}
	return cut
}

// cut returns the beginning of a text that is too long.
func (m room) cut(s string) string {
	if len(s) <= m.text {
		return s
	}
	return strings.ToValidUTF8(s[:m.text], "") + "…"
}
