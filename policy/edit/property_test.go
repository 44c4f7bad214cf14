package edit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/tests/corpus"
)

// tally is what a property was held against.
type tally struct{ mails, edits, refused, parts int }

// hold edits one part and makes sure that no other changes, and that a second
// run changes nothing.
func (b *bench) hold(name string, m *scan.Message, job Job, n *tally) {
	b.Helper()
	n.edits++
	out, err := b.apply(job)
	var refused *Refused
	if errors.As(err, &refused) {
		n.refused++
		return
	}
	if err != nil {
		b.Errorf("%s: %v", name, err)
		return
	}
	after := b.opened(out)
	defer after.Close() // thousands of them would not fit into the spool
	edited := newLayout(m).host(job.Edits[0].Part)
	want, got := b.sums(m), b.sums(after)
	for number, sum := range want {
		if number == edited.Number || strings.HasPrefix(number, edited.Number+".") {
			continue
		}
		n.parts++
		if got[number] != sum {
			b.Errorf("%s: part %q has changed", name, number)
		}
	}
	if damaged(out) && !damaged(b.read(m.Raw)) {
		b.Errorf("%s: a line end was damaged", name)
	}
	again := job
	again.Message = after
	if !slices.EqualFunc(m.Parts, after.Parts, func(x, y scan.Part) bool { return x.Path == y.Path }) {
		return // what was replaced is not there a second time
	}
	if job.Edits[0].Kind == policy.Replace || job.Edits[0].Kind == policy.Clean {
		return
	}
	if twice, err := b.apply(again); err != nil || twice != out {
		b.Errorf("%s: a second run changes something (%v)", name, err)
	}
}

// damaged reports whether some lines end in CRLF and others do not.
func damaged(s string) bool {
	rest := strings.ReplaceAll(s, "\r\n", "")
	return len(rest) < len(s) && strings.ContainsAny(rest, "\r\n")
}

// partsOfMail is how many parts of one mail are edited, about.
const partsOfMail = 8

// everyEdit holds every kind of edit, of every part that may be edited, against
// a message.
func (b *bench) everyEdit(name string, m *scan.Message, n *tally) {
	fixed := Fixed(m, m.Notes)
	if slices.Contains(fixed, scan.WholeMessage) {
		return
	}
	for i, p := range m.Parts {
		if p.Entity == nil || slices.Contains(fixed, i) || i%(1+len(m.Parts)/partsOfMail) > 0 {
			continue
		}
		for kind, f := range map[policy.EditKind]scan.Finding{
			policy.Replace: infected(i), policy.Clean: infected(i),
			policy.Rename: {Rule: "attachment/name", Part: i}, policy.Disarm: {Rule: "content/html-attachment", Part: i},
		} {
			b.hold(fmt.Sprintf("%s, %v of part %s", name, kind, p.Path), m, b.job(m, kind, f), n)
		}
	}
}

// TestNothingElseChanges is the promise of this package, held against mail as
// people send it.
func TestNothingElseChanges(t *testing.T) {
	b := newBench(t)
	mails, err := corpus.All()
	if err != nil {
		t.Fatal(err)
	}
	var n tally
	for _, mail := range mails {
		n.mails++
		b.everyEdit(mail.Name, b.open(string(mail.Message)), &n)
	}
	t.Logf("%d mails, %d edits, %d of them refused; %d other parts are the same by SHA-256", n.mails, n.edits, n.refused, n.parts)
}

// greeting holds characters that most charsets below have, and some have not.
const greeting = "Grüße, 日本語, Привет"

var charsets = []struct {
	label  string
	encode func(string) []byte
}{
	{"utf-8", func(s string) []byte { return []byte(s) }},
	{"iso-8859-1", lossy(charmap.ISO8859_1)},
	{"koi8-r", lossy(charmap.KOI8R)},
	{"iso-2022-jp", lossy(japanese.ISO2022JP)},
	{"utf-16", utf16Bytes},
}

func lossy(e encoding.Encoding) func(string) []byte {
	return func(s string) []byte {
		out, _ := encoding.ReplaceUnsupported(e.NewEncoder()).Bytes([]byte(s))
		return out
	}
}

func utf16Bytes(s string) []byte {
	out := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

var encodings = []struct {
	name   string
	encode func([]byte) string
}{
	{"8bit", func(b []byte) string { return string(b) }},
	{"quoted-printable", func(b []byte) string {
		var out strings.Builder
		w := quotedprintable.NewWriter(&out)
		w.Binary = bytes.HasPrefix(b, []byte{0xfe, 0xff})
		w.Write(b)
		w.Close()
		return strings.ReplaceAll(out.String(), "\r\n", "\n")
	}},
	{"base64", func(b []byte) string { _, lines, _ := strings.Cut(file("", string(b)), "\n\n"); return lines }},
}

// TestCharsets disarms pages in five charsets and three encodings: the same has
// to go in all of them, and the rest of the text has to stay.
func TestCharsets(t *testing.T) {
	b := newBench(t)
	var n tally
	for _, row := range pageRows {
		for _, charset := range charsets {
			for _, enc := range encodings {
				if charset.label == "utf-16" && enc.name == "8bit" {
					continue // there is no such mail
				}
				n.mails++
				html := "<html><p>" + greeting + "</p>" + row.html + "\r\n"
				raw := mail(plainPart, "Content-Type: text/html; charset="+charset.label+"\nContent-Transfer-Encoding: "+enc.name+"\n\n"+enc.encode(charset.encode(html))+"\n", plainPart)
				raw = strings.ReplaceAll(raw, "\r\r\n", "\r\n")
				m := b.open(raw)
				name := fmt.Sprintf("%s in %s, %s", row.name, charset.label, enc.name)
				if job := b.judged(m); len(job.Edits) > 0 {
					b.hold(name, m, job, &n)
					b.holdText(name, m, job)
				}
			}
		}
	}
	t.Logf("%d mails, %d edits, %d of them refused; %d other parts are the same by SHA-256", n.mails, n.edits, n.refused, n.parts)
}

// holdText makes sure that the greeting is still read as it was.
func (b *bench) holdText(name string, m *scan.Message, job Job) {
	b.Helper()
	out, err := b.apply(job)
	if err != nil {
		b.Errorf("%s: %v", name, err)
		return
	}
	after := b.open(out)
	if before, now := b.shown(m, "2"), b.shown(after, "2"); !strings.HasPrefix(now, before[:strings.Index(before, "</p>")]) {
		b.Errorf("%s: the text was\n%s\nand is\n%s", name, before, now)
	}
}

// shown is a text part in UTF-8.
func (b *bench) shown(m *scan.Message, path string) string {
	b.Helper()
	p := m.Parts[b.part(m, path)]
	w := &work{Editor: b.editor, Job: Job{Message: m}, ctx: b.Context(), newline: "\r\n"}
	page, err := w.page(b.part(m, path))
	if err != nil {
		b.Fatal(err)
	}
	if page.decoded {
		return strings.TrimPrefix(b.read(page.content), byteOrderMark)
	}
	all, _ := io.ReadAll(scan.Reader(p.Content))
	return strings.TrimPrefix(string(all), byteOrderMark)
}

// TestEncodings writes bodies in every encoding, which must come back as they
// were.
func TestEncodings(t *testing.T) {
	bodies := []string{
		"", "a", "\r\n", "a\r\n", "a \r\n", "a\t", " ", "=", "a=\r\n", ".\r\n..\r\n", "From me\r\nFrom\r\n", "\r", "\n", "a\nb\rc\r\nd", "\r\r\n\n",
		strings.Repeat("x", 1000), strings.Repeat("ü", 200), strings.Repeat("x", 75) + " \r\n", strings.Repeat("x", 74) + "= \r\n", strings.Repeat(" ", 300), "\x00\xff\r\n", strings.Repeat("x", 57), strings.Repeat("x", 114),
	}
	for _, body := range bodies {
		for _, quoted := range []bool{false, true} {
			holdEncoding(t, body, quoted, false)
			holdEncoding(t, body, quoted, true)
		}
	}
	var out bytes.Buffer
	encodeTo(&out, strings.NewReader(strings.Repeat("x=ü ", 100)), entity.QuotedPrintable, "\r\n", "")
	for line := range strings.Lines(out.String()) {
		if len(strings.TrimRight(line, "\r\n")) > encodedLine || strings.HasSuffix(strings.TrimRight(line, "\r\n"), " ") {
			t.Errorf("line %q", line)
		}
	}
}

// holdEncoding makes sure that a body comes back as it was, and that nothing is
// odd about how it is written.
func holdEncoding(t *testing.T, body string, quoted, crlf bool) {
	t.Helper()
	e, newline := entity.Base64, "\n"
	if quoted {
		e = entity.QuotedPrintable
	}
	if crlf {
		newline = "\r\n"
	}
	var out, back bytes.Buffer
	if err := encodeTo(&out, strings.NewReader(body), e, newline, ""); err != nil {
		t.Fatal(err)
	}
	notes, err := entity.Decode(&back, &out, e)
	if err != nil || back.String() != body || len(notes) > 0 {
		t.Errorf("%s, %q: %q comes back as %q, %v", e, newline, body, back.String(), notes)
	}
}
