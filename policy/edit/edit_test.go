package edit

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
)

// bench is all it takes to open messages and edit them.
type bench struct {
	testing.TB
	opener  *unpack.Opener
	content *content.Scanner
	editor  *Editor
}

func newBench(t testing.TB) *bench {
	t.Helper()
	room := spool.New(t.TempDir(), 64<<20, 1<<30)
	limits := archive.Limits{Expanded: 64 << 20, Member: 64 << 20, Ratio: 1000, Entries: 10000, Depth: 8}
	b := &bench{TB: t}
	b.opener = unpack.NewOpener(unpack.Limits{Entity: entity.DefaultLimits(), Archive: limits, Parts: 10000, Nesting: 20}, archive.Formats(), room)
	c := content.DefaultConfig()
	var err error
	if b.content, err = content.New(c, content.With{Texts: texts.New(c.Limits, c.Extent())}); err != nil {
		t.Fatal(err)
	}
	b.editor, err = New(Options{
		Config:    DefaultConfig(),
		NewParser: b.opener.NewParser,
		NewBuffer: func() Buffer { return room.Buffer() },
		Pages:     b.content,
		Markup:    markup.DefaultLimits(),
		Formats:   archive.Formats(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stored is content that nobody has to close.
type stored struct{ scan.Content }

func (stored) Close() error { return nil }

// open opens a mail until the end of the test.
func (b *bench) open(raw string) *scan.Message {
	b.Helper()
	m := b.opened(raw)
	b.Cleanup(func() { m.Close() })
	return m
}

// opened is a mail that the caller closes.
func (b *bench) opened(raw string) *scan.Message {
	p := b.opener.NewParser()
	io.WriteString(p, raw)
	return b.opener.Open(b.Context(), scan.Received{Raw: stored{strings.NewReader(raw)}, Tree: p.Close(), Size: int64(len(raw))})
}

// job is a message with edits of one kind for some findings.
func (b *bench) job(m *scan.Message, kind policy.EditKind, found ...scan.Finding) Job {
	job := Job{ID: "0123456789abcdef", Message: m, Found: append([]scan.Finding(nil), m.Notes...)}
	by := map[int]int{}
	for _, f := range found {
		job.Found = append(job.Found, f)
		i, ok := by[f.Part]
		if !ok {
			i = len(job.Edits)
			by[f.Part] = i
			job.Edits = append(job.Edits, policy.Edit{Kind: kind, Part: f.Part})
		}
		job.Edits[i].Found = append(job.Edits[i].Found, len(job.Found)-1)
	}
	return job
}

// judged is a job for all findings of the scanner of pages.
func (b *bench) judged(m *scan.Message) Job {
	b.Helper()
	found, err := b.content.Scan(b.Context(), m)
	if err != nil {
		b.Fatal(err)
	}
	var edited []scan.Finding
	for _, f := range found {
		if f.Kind == scan.Suspicious && f.Rule != "content/external-body" {
			edited = append(edited, f)
		}
	}
	return b.job(m, policy.Disarm, edited...)
}

// apply makes the edits of a job and returns the new message.
func (b *bench) apply(job Job) (string, error) {
	b.Helper()
	r, err := b.editor.Apply(b.Context(), job)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return b.read(r.Message), nil
}

// must is apply where nothing can go wrong.
func (b *bench) must(job Job) string {
	b.Helper()
	out, err := b.apply(job)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func (b *bench) read(c scan.Content) string {
	b.Helper()
	all, err := io.ReadAll(scan.Reader(c))
	if err != nil {
		b.Fatal(err)
	}
	return string(all)
}

// part is the index of the part with a path.
func (b *bench) part(m *scan.Message, path string) int {
	b.Helper()
	for i, p := range m.Parts {
		if p.Path == path {
			return i
		}
	}
	b.Fatalf("there is no part %q", path)
	return 0
}

// body is the content of a part.
func (b *bench) body(m *scan.Message, path string) string {
	b.Helper()
	return b.read(m.Parts[b.part(m, path)].Content)
}

// infected is a virus in a part.
func infected(part int) scan.Finding {
	return scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/Test", Part: part}
}

// sums are the parts of a message by path: SHA-256 of header and body as they
// stand there.
func (b *bench) sums(m *scan.Message) map[string][32]byte {
	sums := map[string][32]byte{}
	for _, e := range newLayout(m).list {
		if e.Composite() {
			continue
		}
		var all bytes.Buffer
		for _, s := range []entity.Span{e.Head, e.Body} {
			if s == e.Head && e == m.Root {
				continue // its fields may change
			}
			io.Copy(&all, io.NewSectionReader(m.Raw, s.Start, s.Len()))
		}
		sums[e.Number] = sha256.Sum256(all.Bytes())
	}
	return sums
}

// mail is a message of parts, each with its header; CRLF for "\n".
func mail(parts ...string) string {
	all := "From: a@example.net\nTo: b@example.com\nSubject: test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"==x\"\n\n"
	for _, p := range parts {
		all += "--==x\n" + p + "\n"
	}
	return strings.ReplaceAll(all+"--==x--\n", "\n", "\r\n")
}

const (
	plainPart = "Content-Type: text/plain\n\nHello\n"
	filePart  = "Content-Type: application/octet-stream; name=\"a b.exe\"\nContent-Disposition: attachment; filename=\"a b.exe\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA\n"
)

func TestReplace(t *testing.T) {
	b := newBench(t)
	m := b.open(mail(plainPart, filePart, plainPart))
	out := b.must(b.job(m, policy.Replace, infected(b.part(m, "2"))))
	after := b.open(out)
	text := b.body(after, "2")
	for _, want := range []string{`"a b.exe"`, "virus", "0123456789abcdef"} {
		if !strings.Contains(text, want) {
			t.Errorf("the notice lacks %s:\n%s", want, text)
		}
	}
	if p := after.Parts[b.part(after, "2")]; p.Type != "text/plain" || p.Name() != "removed.txt" || strings.Contains(out, "exe\"\r\nContent") {
		t.Errorf("the part is %s, %q", p.Type, p.Names)
	}
	if b.body(after, "1") != "Hello\r\n" || b.body(after, "3") != "Hello\r\n" {
		t.Error("the other parts have changed")
	}
}

// TestReplaceTheOnlyPart has to change the message's own header.
func TestReplaceTheOnlyPart(t *testing.T) {
	b := newBench(t)
	m := b.open("From: a@example.net\r\nMIME-Version: 1.0\r\n" + strings.ReplaceAll(filePart, "\n", "\r\n"))
	r, err := b.editor.Apply(t.Context(), b.job(m, policy.Replace, infected(0)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := map[string]string{
		"Content-Type":              `text/plain; charset=utf-8; name=removed.txt`,
		"Content-Disposition":       "inline; filename=removed.txt",
		"Content-Transfer-Encoding": "7bit",
	}
	for _, h := range r.Headers {
		if h.Op != policy.Change || h.Index != 1 || want[h.Name] != h.Value {
			t.Errorf("header change %+v", h)
		}
		delete(want, h.Name)
	}
	if len(want) > 0 || !strings.HasPrefix(b.read(r.Body), "The attachment") {
		t.Errorf("not changed: %v; body %q", want, b.read(r.Body))
	}
}

// TestReplaceWhatIsInside takes the attachment a part came out of.
func TestReplaceWhatIsInside(t *testing.T) {
	b := newBench(t)
	m := b.open(mail(plainPart, file("a.zip", zipOf(t, "x.txt", "hello", "y.exe", "MZ"))))
	after := b.open(b.must(b.job(m, policy.Replace, infected(b.part(m, "2/y.exe")))))
	if text := b.body(after, "2"); !strings.Contains(text, `"a.zip"`) {
		t.Errorf("the notice is %q", text)
	}
}

func TestRefused(t *testing.T) {
	b := newBench(t)
	page := "Content-Type: text/html\n\n<form>\n"
	for name, row := range map[string]struct {
		raw, path string
		kind      policy.EditKind
		rule      string
	}{
		"no page":           {mail(plainPart), "1", policy.Disarm, "content/form"},
		"no such disarming": {mail(page), "1", policy.Disarm, "attachment/name"},
		"no name":           {mail(plainPart), "1", policy.Rename, "attachment/name"},
		"name inside":       {mail(file("a.zip", zipOf(t, "y.exe", "MZ"))), "1/y.exe", policy.Rename, "attachment/name"},
		"page inside":       {mail(file("a.zip", zipOf(t, "y.html", "<form>"))), "1/y.html", policy.Disarm, "content/html-attachment"},
	} {
		m := b.open(row.raw)
		out, err := b.apply(b.job(m, row.kind, scan.Finding{Kind: scan.Suspicious, Rule: row.rule, Part: b.part(m, row.path)}))
		var refused *Refused
		if name == "no page" {
			if err != nil || out != row.raw {
				t.Errorf("%s: %v", name, err) // a text without tags has nothing to disarm
			}
			continue
		}
		if !errors.As(err, &refused) || len(refused.Edits) != 1 || refused.Edits[0].Part != b.part(m, row.path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestFixed(t *testing.T) {
	b := newBench(t)
	signed := strings.Replace(mail(plainPart, "Content-Type: application/pgp-signature\n\nx\n"), "multipart/mixed", "multipart/signed", 1)
	for name, row := range map[string]struct {
		raw  string
		want string
	}{
		"plain":      {mail(plainPart, filePart), "[]"},
		"signed":     {signed, "[0 1]"},
		"invitation": {mail(plainPart, "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n"), "[-1]"},
		"encrypted":  {mail(plainPart, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG\n"), "[1]"},
		"armored":    {mail("Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n", plainPart), "[0]"},
		"signed in forwarded": {mail(plainPart, "Content-Type: message/rfc822\n\n"+strings.ReplaceAll(strings.ReplaceAll(signed, "\r\n", "\n"), "==x", "==y")),
			"[2 3]"},
		"two types":  {mail(plainPart, "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=z\n\n--z\n\nx\n--z\n\nMZ\n--z--\n"), "[-1]"},
		"in archive": {mail(file("a.zip", zipOf(t, "a.txt", "x"))), "[]"},
		"carved":     {mail("Content-Type: text/plain\n\nbegin 644 a.exe\n#351J\n`\nend\n", plainPart), "[1]"},
	} {
		m := b.open(row.raw)
		if got := fmt.Sprint(Fixed(m, m.Notes)); got != row.want {
			t.Errorf("%s: %s of %v are fixed, want %s; notes %v", name, got, paths(m), row.want, m.Notes)
		}
	}
}

func paths(m *scan.Message) (all []string) {
	for _, p := range m.Parts {
		all = append(all, p.Path)
	}
	return all
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no notice":        func(c *Config) { c.Notice = nil },
		"line end":         func(c *Config) { c.Notice = []string{"a\nb"} },
		"no place":         func(c *Config) { c.LinkWarning = "[careful]" },
		"name with a path": func(c *Config) { c.NoticeName = "../x.txt" },
		"image":            func(c *Config) { c.ImageRemoved = "a\r\nb" },
	} {
		c := DefaultConfig()
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type contentConfig = content.Config

// contentWith is a scanner of pages with another configuration.
func (b *bench) contentWith(change func(*contentConfig)) *content.Scanner {
	b.Helper()
	c := content.DefaultConfig()
	change(&c)
	s, err := content.New(c, content.With{Texts: texts.New(c.Limits, c.Extent())})
	if err != nil {
		b.Fatal(err)
	}
	return s
}
