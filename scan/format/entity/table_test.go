package entity

import (
	"encoding/base64"
	"strings"
	"testing"
)

func encode(t testing.TB, s string, w wrap) string {
	if w.cte == "base64" {
		return crlf(foldAt(base64.StdEncoding.EncodeToString([]byte(s)), 76))
	}
	return crlf(qpAll(s))
}

// TestHostileFamilies shows that no mail of any family hides its payload, and
// that one which only another reading has comes with an ambiguous deviation.
func TestHostileFamilies(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			var sum struct{ first, other, dug, clean int }
			for i, mail := range f.mails {
				for _, w := range []wrap{inBase64, inQP} {
					msg := fill(t, mail, w)
					r := judge(t, msg)
					noted := strings.Join(r.noted, " ")
					switch {
					case r.first:
						sum.first++
					case r.other:
						sum.other++
						if r.worst == Malformed {
							t.Errorf("%d %s: only another reading has it, but that is not ambiguous: %s\n%s", i, w.cte, noted, msg)
						}
					case r.dug:
						sum.dug++
					default:
						t.Errorf("%d %s: missed; %s\n%s", i, w.cte, noted, msg)
					}
					if r.worst < 0 {
						sum.clean++
						t.Logf("%d %s: nothing noted\n%s", i, w.cte, msg)
					}
				}
			}
			t.Logf("first reading %d, another %d, carved %d; of all, nothing to note %d", sum.first, sum.other, sum.dug, sum.clean)
		})
	}
}
