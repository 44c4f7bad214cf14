package edit

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// placement puts an entity, header and body, somewhere in a message. The path is
// that of its part.
type placement struct {
	name, path string
	put        func(head, body string) string
}

const topHead = "From: a@example.net\nTo: b@example.com\nSubject: test\nMIME-Version: 1.0\n"

var placements = []placement{
	{"root", "1", func(head, body string) string { return topHead + head + "\n" + body }},
	{"part", "1", func(head, body string) string {
		return topHead + "Content-Type: multipart/mixed; boundary=\"==x\"\n\n--==x\n" + head + "\n" + body + "\n--==x--\n"
	}},
	{"last part without a delimiter", "1", func(head, body string) string {
		return topHead + "Content-Type: multipart/mixed; boundary=\"==x\"\n\n--==x\n" + head + "\n" + body
	}},
	{"in a message", "1.1", func(head, body string) string {
		return topHead + "Content-Type: message/rfc822\n\nFrom: c@example.net\nMIME-Version: 1.0\n" + head + "\n" + body
	}},
}

// ways are how a body travels. A soft break at its end stands for a body without
// a line end, in a message with one.
var ways = []struct {
	name, field string
	encode      func(s, newline string) string
}{
	{"none given", "", asIs},
	{"7bit", "7bit", asIs},
	{"8bit", "8bit", asIs},
	{"binary", "binary", asIs},
	{"quoted-printable", "quoted-printable", quoted},
	{"quoted-printable with a soft break at its end", "quoted-printable", func(s, newline string) string { return quoted(s, newline) + "=" + newline }},
	{"one that nobody knows", "x-strange", asIs},
	{"8bit, named twice", "8bit\nContent-Transfer-Encoding: 8bit", asIs},
	{"quoted-printable, named twice", "quoted-printable\nContent-Transfer-Encoding: quoted-printable", quoted},
	{"base64", "base64", func(s, newline string) string { return base64.StdEncoding.EncodeToString([]byte(s)) + newline }},
	{"base64 without a line end", "base64", func(s, _ string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
}

func asIs(s, _ string) string { return s }

func quoted(s, newline string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\n", newline)
}

// bodies are texts with what is to be done with them.
var bodies = []struct {
	name, mediaType, text string
	job                   func(b *bench, m *scan.Message, part int) Job
}{
	{"disarm a form", "text/html", "<p>Hello</p>\n<form action=x><input name=a></form>\n<p>Bye</p>", judgedOf},
	{"disarm what ends the page", "text/html", "<p>Hello</p>\n<script>x</script>", judgedOf},
	{"warn of a link", "text/html", "<p>Hello\n" + `<a href="http://evil.test/">www.bank.com</a>`, judgedOf},
	{"a line that becomes too long", "text/html", strings.Repeat(`<a href="http://evil.test/">www.bank.com</a>`, 14), judgedOf},
	{"non-ASCII page", "text/html; charset=utf-8", "<p>Grüße</p>\n<form action=x>ü</form>\n", judgedOf},
	{"another charset", "text/html; charset=iso-8859-1", "<p>Gr\xfc\xdfe</p>\n<form action=x>\xfc</form>\n", judgedOf},
	{"an escape charset", "text/html; charset=iso-2022-jp", "<p>\x1b$BF|K\x5c\x1b(B</p>\n<form action=x>x</form>\n", judgedOf},
	{"simplify", "text/html; charset=utf-8", "<p>Grüße</p>\n<form action=x>ü</form>", simplifyOf},
	{"replace", "text/plain", "Hello\n", replaceOf},
	{"banner in text", "text/plain; charset=utf-8", "Hello\n\nBye", bannersOf},
	{"banner below an empty line", "text/plain; charset=utf-8", "Hello =20 .\n.\nFrom me \n\n", bannersOf},
	{"banner in text without a charset", "text/plain", "Hello\n", bannersOf},
	{"banner in text of another charset", "text/plain; charset=iso-8859-1", "Gr\xfc\xdfe\n", bannersOf},
	{"banner in a page", "text/html; charset=utf-8", "<body>Grüße</body>\n", bannersOf},
	{"banner in a piece of a page", "text/html; charset=utf-8", "Grüße", bannersOf},
	{"banner and disarm", "text/html; charset=utf-8", "<body>Grüße<script>x</script></body>\n", func(b *bench, m *scan.Message, part int) Job {
		job := judgedOf(b, m, part)
		job.Banners = []string{legal.Name}
		return job
	}},
}

func judgedOf(b *bench, m *scan.Message, _ int) Job { return b.judged(m) }

func simplifyOf(b *bench, m *scan.Message, part int) Job {
	return b.job(m, policy.Simplify, scan.Finding{Rule: "content/form", Part: part})
}

func replaceOf(b *bench, m *scan.Message, part int) Job {
	return b.job(m, policy.Replace, infected(part))
}

func bannersOf(_ *bench, m *scan.Message, _ int) Job {
	return Job{Message: m, Found: m.Notes, Banners: []string{legal.Name}}
}

// partWithBody is the index of a part with a path that is an entity.
func (b *bench) partWithBody(m *scan.Message, path string) int {
	for i, p := range m.Parts {
		if p.Path == path && p.Entity != nil && !p.Entity.Composite() {
			return i
		}
	}
	b.Fatalf("there is no part %q", path)
	return 0
}

// TestEveryEditOfEveryBody edits a body in every transfer encoding, wherever it
// stands and however it and its lines end, and holds the outcome against what
// becomes of the same content in base64 in a multipart.
func TestEveryEditOfEveryBody(t *testing.T) {
	b := newBench(t).withBanners(legal)
	done := map[string]string{}
	reference := func(name, mediaType, body, newline string, job func(*bench, *scan.Message, int) Job) string {
		key := name + body
		if _, ok := done[key]; !ok {
			raw := placements[1].put("Content-Type: "+mediaType+"\nContent-Transfer-Encoding: base64\n", base64.StdEncoding.EncodeToString([]byte(body)))
			out := b.edited(strings.ReplaceAll(raw, "\n", newline), "1", job)
			done[key] = b.ownBody(out, "1")
		}
		return done[key]
	}
	n := 0
	for _, newline := range []string{"\r\n", "\n"} {
		for _, row := range bodies {
			for _, end := range []string{"", "\n"} {
				content := strings.ReplaceAll(row.text+end, "\n", newline)
				want := reference(row.name, row.mediaType, content, newline, row.job)
				for _, way := range ways {
					head := "Content-Type: " + row.mediaType + "\n"
					if way.field != "" {
						head += "Content-Transfer-Encoding: " + way.field + "\n"
					}
					for _, at := range placements {
						if at.name == "in a message" && strings.HasPrefix(row.name, "banner") {
							continue // what was forwarded stays as it was written
						}
						name := fmt.Sprintf("%s, %s, %s, %q, end %q", row.name, at.name, way.name, newline, end)
						const mark = "@BODY@"
						raw := strings.Replace(strings.ReplaceAll(at.put(head, mark), "\n", newline), mark, way.encode(content, newline), 1)
						out := b.edited(raw, at.path, row.job)
						if n++; out == "" || out == raw {
							t.Errorf("%s: not edited", name)
							continue
						}
						if got := b.ownBody(out, at.path); got != want {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
						if strings.HasSuffix(raw, newline) && !strings.HasSuffix(out, newline) {
							t.Errorf("%s: the last line end is gone", name)
						}
					}
				}
			}
		}
	}
	t.Logf("%d edits", n)
}

// edited applies the edits of a job to a mail; "" stands for a refusal, whose
// reason is reported.
func (b *bench) edited(raw, path string, job func(*bench, *scan.Message, int) Job) string {
	b.Helper()
	m := b.opened(raw)
	defer m.Close()
	out, err := b.apply(job(b, m, b.partWithBody(m, path)))
	if err != nil {
		b.Error(err)
	}
	return out
}

// ownBody is the content of a part of a mail.
func (b *bench) ownBody(raw, path string) string {
	b.Helper()
	if raw == "" {
		return ""
	}
	m := b.opened(raw)
	defer m.Close()
	return b.read(m.Parts[b.partWithBody(m, path)].Content)
}

// TestNoBannerHasAReason in whatever way it cannot be put in.
func TestNoBannerHasAReason(t *testing.T) {
	b := newBench(t).withBanners(legal)
	for _, raw := range []string{
		mail(part("text/plain; charset=x-unheard-of", "Hello")),
		mail(part("text/plain", "Gr\xfc\xdfe")),
		"Subject : x\r\nContent-Type : text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n",
	} {
		m := b.open(raw)
		if out, err := b.apply(bannersOf(b, m, 0)); err == nil || err.Error() == "" {
			t.Errorf("%q: %v, and %q", raw, err, out)
		}
	}
}
