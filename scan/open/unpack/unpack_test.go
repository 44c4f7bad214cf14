package unpack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/spool"
)

var testLimits = Limits{
	Entity:  entity.DefaultLimits(),
	Archive: archive.Limits{Expanded: 64 << 20, Member: 32 << 20, Ratio: 200, Entries: 1000, Depth: 3},
	Parts:   200,
	Nesting: 4,
}

// open opens a mail and closes it with the test.
func open(t *testing.T, l Limits, mail string) *scan.Message {
	t.Helper()
	o := NewOpener(l, archive.Formats(), spool.New(t.TempDir(), 8<<20, 64<<20))
	p := o.NewParser()
	io.WriteString(p, mail)
	raw := struct {
		*strings.Reader
		io.Closer
	}{strings.NewReader(mail), io.NopCloser(nil)}
	m := o.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
	t.Cleanup(func() { m.Close() })
	return m
}

// leaf is a MIME entity with a body in base64.
func leaf(header string, body []byte) string {
	return header + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(body) + "\r\n"
}

// multipart is a MIME entity of several.
func multipart(boundary string, parts ...string) string {
	return multipartHeader(boundary) + "\r\n" + multipartBody(boundary, parts...)
}

func multipartHeader(boundary string) string {
	return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n"
}

func multipartBody(boundary string, parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, p)
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// zipped is a zip of files given as name, content, name, content …
func zipped(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const text = "Content-Type: text/plain\r\n\r\nhello\r\n"

func TestPaths(t *testing.T) {
	inner := "Subject: inner\r\n" + multipart("in", text, leaf("Content-Type: application/zip; name=a.zip", zipped(t, "dir/a.txt", "x", "a.txt", "y")))
	uu := "begin 644 a.bin\r\n#0V%T\r\n`\r\nend\r\n"
	for name, c := range map[string]struct {
		mail string
		want []string
	}{
		"single":           {"Subject: x\r\n\r\nhello\r\n", []string{"1"}},
		"multipart":        {multipart("out", text, text), []string{"1", "2"}},
		"attached mail":    {multipart("out", text, "Content-Type: message/rfc822\r\n\r\n"+inner), []string{"1", "2", "2.1", "2.2", "2.2/dir%2Fa.txt", "2.2/a.txt"}},
		"encoded mail":     {multipart("out", text, leaf("Content-Type: message/rfc822", []byte(inner))), []string{"1", "2", "2.1", "2.2", "2.2/dir%2Fa.txt", "2.2/a.txt"}},
		"encoded mixed":    {leaf("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=in", []byte(multipartBody("in", text, text))), []string{"1", "1.1", "1.2"}},
		"same name twice":  {leaf("Content-Type: application/zip", zipped(t, "a", "x", "a", "y")), []string{"1", "1/a", "1/a#2"}},
		"mail in zip":      {leaf("Content-Type: application/zip", zipped(t, "m.eml", inner)), []string{"1", "1/m.eml", "1/m.eml/1", "1/m.eml/2", "1/m.eml/2/dir%2Fa.txt", "1/m.eml/2/a.txt"}},
		"mail by its name": {leaf("Content-Type: application/octet-stream; name=m.eml", []byte("Subject: x\r\n\r\nhello\r\n")), []string{"1", "1.1"}},
		"wrapped in text":  {leaf("Content-Type: text/plain", []byte("see below\r\n"+uu)), []string{"1", "1~carved1"}},
		"utf-16":           {leaf("Content-Type: text/plain; charset=utf-16le", []byte("h\x00i\x00")), []string{"1", "1~utf-16le"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range open(t, testLimits, c.mail).Parts {
				got = append(got, p.Path)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("paths %q, want %q", got, c.want)
			}
		})
	}
}

func TestContents(t *testing.T) {
	m := open(t, testLimits, multipart("out", leaf("Content-Type: text/plain; charset=utf-7", []byte("+ADw-b+AD4-")), leaf("Content-Type: application/zip", zipped(t, "a.txt", "from the zip"))))
	for path, want := range map[string]string{"1": "+ADw-b+AD4-", "1~utf-7": "<b>", "2/a.txt": "from the zip"} {
		i := slices.IndexFunc(m.Parts, func(p scan.Part) bool { return p.Path == path })
		if i < 0 {
			t.Errorf("there is no part %s", path)
			continue
		}
		if b, err := io.ReadAll(scan.Reader(m.Parts[i].Content)); err != nil || string(b) != want {
			t.Errorf("part %s is %q, %v; want %q", path, b, err, want)
		}
	}
}

// A page that shows nothing without its charset is not complete without it.
func TestUnknownCharset(t *testing.T) {
	for name, tt := range map[string]struct {
		field, body string
		unknown     bool
	}{
		"EBCDIC":                  {"text/html; charset=x-foo", "\x4c\x81\x40\x88\x99\x85\x86\x7e\x88\xa3\xa3\x97\x7a\x61\x61\xf1", true},
		"UTF-16":                  {"text/html; charset=x-foo", "\x00b\x00<\x00a\x00>\x00b\x00<\x00/\x00a\x00>", true},
		"UTF-16 by its first tag": {"text/html; charset=x-foo", "\x00<\x00a\x00>\x00b\x00<\x00/\x00a\x00>", false},
		"tags in ASCII":           {"text/html; charset=x-foo", "<p>\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3</p>", false},
		"mere text":               {"text/html; charset=x-foo", "no tags at all", false},
		"known":                   {"text/html; charset=cp500", "\x4c\x81\x40\x88\x99\x85\x86\x7e\x88\xa3\xa3\x97\x7a\x61\x61\xf1", false},
		"not a page":              {"text/plain; charset=x-foo", "\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3", false},
		"no charset":              {"text/html", "\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3", false},
		"nothing inside":          {"text/html; charset=x-foo", "", false},
	} {
		m := open(t, testLimits, multipart("out", leaf("Content-Type: "+tt.field, []byte(tt.body))))
		got := slices.ContainsFunc(m.Notes, func(f scan.Finding) bool { return f.Rule == "mime/charset-unknown" })
		if got != tt.unknown {
			t.Errorf("%s: found %v, want %v: %v", name, got, tt.unknown, m.Notes)
		}
	}
}

func TestWhatIsNotReadIsSaid(t *testing.T) {
	deep := zipped(t, "a.txt", "x")
	for range 3 {
		deep = zipped(t, "a.zip", string(deep))
	}
	nested := "Subject: x\r\n\r\nhello\r\n"
	for range 6 {
		nested = leaf("Content-Type: message/rfc822", []byte(nested))
	}
	few := testLimits
	few.Parts = 2
	small := testLimits
	small.Archive.Expanded = 10
	quick := testLimits
	quick.CPU = 1
	for name, c := range map[string]struct {
		limits Limits
		mail   string
		rule   string
	}{
		"depth":         {testLimits, leaf("Content-Type: application/zip", deep), "archive/depth"},
		"nesting":       {testLimits, nested, "mime/nesting"},
		"parts":         {few, multipart("out", text, text, text), "mime/too-many-parts"},
		"decoded":       {small, leaf("Content-Type: text/plain", []byte(strings.Repeat("x", 100))), "mime/decoded-size"},
		"processor":     {quick, leaf("Content-Type: application/zip", zipped(t, "a.bin", string(make([]byte, 16<<20)))), "mime/time"},
		"partial":       {testLimits, "Content-Type: message/partial; number=1; total=2; id=x\r\n\r\nhello\r\n", "mime/partial"},
		"external body": {testLimits, "Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/\"\r\n\r\nContent-Type: text/plain\r\n\r\n", "mime/external-body"},
		"PGP":           {testLimits, "Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n", "mime/encrypted"},
		"S/MIME":        {testLimits, leaf("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", []byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")), "mime/encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, c.limits, c.mail)
			if !slices.ContainsFunc(m.Notes, func(f scan.Finding) bool { return f.Rule == c.rule && f.Kind == scan.Unscannable }) {
				t.Errorf("notes %+v, want %s", m.Notes, c.rule)
			}
		})
	}
}

// A message is opened to the same parts whether its bodies were decoded as they came or not.
func TestDecodedEarly(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	mail := multipart("b", leaf("Content-Type: application/octet-stream", large), leaf("Content-Type: application/zip", zippedBytes("a.bin", large)),
		"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nWDVPIQ==UCVAQVA=\r\n")
	open := func(early bool, l Limits) *scan.Message {
		sp := spool.New(t.TempDir(), 8<<20, 64<<20)
		o := NewOpener(l, archive.Formats(), sp)
		raw, p := sp.Buffer(), o.NewParser()
		if early {
			p.DecodeEarly(func() io.WriteCloser { return raw.Beside() })
		}
		io.WriteString(io.MultiWriter(raw, p), mail)
		m := o.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
		t.Cleanup(func() { m.Close() })
		return m
	}
	little := testLimits
	little.Archive.Expanded = 400 << 10
	for _, l := range []Limits{testLimits, little} {
		early, late := open(true, l), open(false, l)
		if !slices.Equal(early.Notes, late.Notes) || len(early.Parts) != len(late.Parts) || early.Work != late.Work {
			t.Fatalf("%+v, %d parts, %v; not %+v, %d parts, %v", early.Notes, len(early.Parts), early.Work, late.Notes, len(late.Parts), late.Work)
		}
		for i, p := range early.Parts {
			if q := late.Parts[i]; p.Path != q.Path || (p.Content == nil) != (q.Content == nil) || p.Content != nil && !same(p.Content, q.Content) {
				t.Errorf("part %s differs from %s", p.Path, q.Path)
			}
		}
	}
}

func TestNoRoomIsAFailure(t *testing.T) {
	o := NewOpener(testLimits, archive.Formats(), spool.New(t.TempDir(), 0, 0))
	mail := leaf("Content-Type: text/plain", []byte("hello"))
	p := o.NewParser()
	io.WriteString(p, mail)
	raw := struct {
		*strings.Reader
		io.Closer
	}{strings.NewReader(mail), io.NopCloser(nil)}
	m := o.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
	defer m.Close()
	if len(m.Notes) == 0 || m.Notes[0].Kind != scan.Failed || m.Notes[0].Rule != "mime/failed" {
		t.Errorf("notes %+v", m.Notes)
	}
}

// unavailable is a format that this host cannot read now.
type unavailable struct{ archive.Format }

func (unavailable) Walk(context.Context, archive.Content, *archive.Budget, archive.Visit) ([]archive.Note, error) {
	return []archive.Note{archive.NoteOf(archive.Unavailable, archive.Container, "no process")}, nil
}

// What this host cannot read now is a failure, and does not count as opened.
func TestNoChildIsAFailure(t *testing.T) {
	formats := archive.Formats()
	for i, f := range formats {
		formats[i] = unavailable{f}
	}
	o := NewOpener(testLimits, formats, spool.New(t.TempDir(), 1<<20, 1<<20))
	mail := leaf("Content-Type: application/zip", zipped(t, "a.txt", "x"))
	p := o.NewParser()
	io.WriteString(p, mail)
	raw := struct {
		*strings.Reader
		io.Closer
	}{strings.NewReader(mail), io.NopCloser(nil)}
	m := o.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
	defer m.Close()
	if len(m.Notes) != 1 || m.Notes[0].Kind != scan.Failed || m.Notes[0].Rule != "archive/failed" || m.Parts[m.Notes[0].Part].Opened {
		t.Errorf("notes %+v", m.Notes)
	}
}

func TestCatalogueHoldsEveryNote(t *testing.T) {
	known := map[string]scan.Kind{}
	for _, r := range Catalogue() {
		known[r.Name] = r.Kind
	}
	for _, mail := range []string{"", "x", "Content-Type: multipart/mixed\r\n\r\nhello", leaf("Content-Type: application/zip; name=a.zip", []byte("PK\x03\x04 and no more"))} {
		for _, f := range open(t, testLimits, mail).Notes {
			// What may be ambiguous is malformed where all readings agree.
			if kind, ok := known[f.Rule]; !ok || kind != f.Kind && (kind != scan.Ambiguous || f.Kind != scan.Malformed) {
				t.Errorf("%s (%s) is not in the catalogue", f.Rule, f.Kind)
			}
		}
	}
}
