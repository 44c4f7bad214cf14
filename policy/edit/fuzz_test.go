package edit

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzPages disarms anything that passes for a page: nothing else may change, a
// second run changes nothing, and what cannot be made harmless is refused.
func FuzzPages(f *testing.F) {
	for _, row := range pageRows {
		f.Add(row.html, "utf-8", uint8(0))
		f.Add(row.html, "utf-16", uint8(2))
	}
	f.Fuzz(func(t *testing.T, html, label string, encoding uint8) {
		if len(html) > 1<<16 || len(label) > 20 || strings.ContainsAny(label, "\r\n;\"") || !utf8.ValidString(label) {
			t.Skip()
		}
		b := newBench(t)
		enc := encodings[int(encoding)%len(encodings)]
		raw := mail(plainPart, "Content-Type: text/html; charset=\""+label+"\"\nContent-Transfer-Encoding: "+enc.name+"\n\n"+enc.encode([]byte(html))+"\n", plainPart)
		m := b.open(raw)
		job := b.judged(m)
		if fixed := Fixed(m, m.Notes); len(fixed) > 0 || len(job.Edits) == 0 {
			return
		}
		out, err := b.apply(job)
		var refused *Refused
		if errors.As(err, &refused) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		after := b.open(out)
		want, got := b.sums(m), b.sums(after)
		if want["1"] != got["1"] || want["3"] != got["3"] {
			t.Errorf("another part has changed")
		}
		again, err := b.apply(b.judged(after))
		if err != nil || again != out {
			t.Errorf("a second run (%v) makes of\n%q\n%q", err, out, again)
		}
	})
}

// FuzzEncodings writes and reads bodies.
func FuzzEncodings(f *testing.F) {
	f.Add("a \r\n=\n.\r\nFrom ü\t\r", true, true)
	f.Fuzz(func(t *testing.T, body string, quoted, crlf bool) { holdEncoding(t, body, quoted, crlf) })
}
