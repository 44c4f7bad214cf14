package quarantine

import (
	"encoding/json"
	"testing"
)

// FuzzHint holds the hint of a filter to the filter: it never says no to a row that is let through.
func FuzzHint(f *testing.F) {
	for _, seed := range [][3]string{
		{"@example.com", "Ann@Example.com", "hello"}, {".example.com", "x@a.example.com.", "wörld"}, {"<>", "", ""}, {"ann*", "<ann@example.com>", "A*b"},
		{"a<b&\"c", "a<b&\"c@x", "\u2028"}, {"k", "\u212aelvin@example.com", "İ"}, {"x\\y", "x\\y@z", "\xff\xfe"}, {"?@*.com", "a@b.com", "a?c*"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, pattern, sender, subject string) {
		text, err := json.Marshal(Row{Sender: sender, From: subject, Subject: subject, Reason: "spam/x", Recipients: []string{sender}, QueueID: "4F1", Class: "note", State: Kept, Awaits: []string{"virus/x"}})
		if err != nil {
			t.Skip()
		}
		var r Row
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		for name, one := range map[string]Filter{"sender": {Sender: pattern}, "recipient": {Recipient: pattern}, "subject": {Subject: pattern},
			"reason": {Reason: pattern}, "queue": {QueueID: pattern}, "class": {Class: pattern}, "state": {State: State(pattern)},
			"awaited": {Awaited: true}, "both": {Subject: pattern, Class: "note"}} {
			if one.Matches(r) && !one.Hint()(text) {
				t.Errorf("%s: %q lets %s through, and the hint says no", name, pattern, text)
			}
		}
	})
}
