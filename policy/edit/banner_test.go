package edit

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// withBanners gives the bench banners.
func (b *bench) withBanners(banners ...Banner) *bench {
	b.Helper()
	c := DefaultConfig()
	c.Banners = banners
	if err := c.Check(); err != nil {
		b.Fatal(err)
	}
	b.editor.Config = c
	return b
}

var legal = Banner{Name: "legal", Position: Bottom, Text: []string{"--", "Müller & Co"}}

func part(mediaType, body string) string { return "Content-Type: " + mediaType + "\n\n" + body }

var bannerRows = []struct {
	name   string
	banner Banner
	raw    string
	path   string
	want   string
}{
	{"text", legal, mail(part("text/plain; charset=utf-8", "Hello")), "1", "Hello\r\n\r\n--\r\nMüller & Co\r\n"},
	{"text without a charset", legal, mail(part("text/plain; charset=us-ascii", "Hello")), "1", "Hello\r\n\r\n--\r\nMüller & Co\r\n"},
	{"text in another charset", legal, mail(part("text/plain; charset=iso-8859-1", "Gr\xfc\xdfe")), "1", "Grüße\r\n\r\n--\r\nMüller & Co\r\n"},
	{"on top", Banner{Name: "legal", Position: Top, Text: []string{"From outside"}}, mail(part("text/plain", "Hello")), "1", "From outside\r\n\r\nHello"},
	{"page", legal, mail(part("text/html", "<html><body class=a>Hello</body></html>")), "1", "<html><body class=a>Hello<div>--<br>M&#252;ller &amp; Co</div></body></html>"},
	{"piece of a page", legal, mail(part("text/html", "Hello")), "1", "Hello<div>--<br>M&#252;ller &amp; Co</div>"},
	{"on top of a page", Banner{Name: "legal", Position: Top, Text: []string{"x"}, HTML: []string{"<b>ü</b>"}}, mail(part("text/html", "<html><head><title><body></title></head><BODY\nclass=a>Hello</body></html>")), "1",
		"<html><head><title><body></title></head><BODY\r\nclass=a><div><b>&#252;</b></div>Hello</body></html>"},
	{"attachment", legal, mail(part("text/plain", "Hello"), filePart), "2", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00"},
	{"nothing but files", legal, mail("Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\nHello\n"), "1", "Hello\r\n"},
	{"signed", legal, strings.Replace(mail(plainPart, part("application/pgp-signature", "x")), "multipart/mixed", "multipart/signed", 1), "1", "Hello\r\n"},
}

func TestBanners(t *testing.T) {
	for _, row := range bannerRows {
		b := newBench(t).withBanners(row.banner)
		job := Job{Message: b.open(row.raw), Banners: []string{"legal"}}
		out := b.must(job)
		m := b.open(out)
		if got := b.body(m, row.path); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		job.Message = m
		if again := b.must(job); again != out {
			t.Errorf("%s: a second run makes of it\n%s", row.name, again)
		}
	}
}

// TestBannerInEveryAlternative stands in each, since clients show one of them.
func TestBannerInEveryAlternative(t *testing.T) {
	b := newBench(t).withBanners(legal)
	m := b.open(strings.Replace(mail(plainPart, part("text/html", "<p>Hello")), "multipart/mixed", "multipart/alternative", 1))
	m = b.open(b.must(Job{Message: m, Banners: []string{"legal"}}))
	if text, page := b.body(m, "1"), b.body(m, "2"); !strings.HasSuffix(text, "Müller & Co\r\n") || !strings.HasSuffix(page, "</div>") {
		t.Errorf("text %q, page %q", text, page)
	}
}

// TestBannerBesideAnEdit goes into what the edit has made.
func TestBannerBesideAnEdit(t *testing.T) {
	b := newBench(t).withBanners(legal)
	job := b.judged(b.open(mail(part("text/html", "<body>Hello<script>x</script></body>"))))
	job.Banners = []string{"legal"}
	m := b.open(b.must(job))
	if got, want := b.body(m, "1"), "<body>Hello<div>--<br>M&#252;ller &amp; Co</div></body>"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSimplify(t *testing.T) {
	b := newBench(t).withBanners(legal)
	m := b.open(mail(part("text/html; charset=iso-8859-1", "<h1>Gr\xfc\xdfe</h1><p>one<br>two<script>x</script><p style=display:none>hidden"), filePart))
	job := b.job(m, policy.Simplify, scan.Finding{Rule: "content/script", Part: b.part(m, "1")})
	after := b.open(b.must(job))
	if p := after.Parts[b.part(after, "1")]; p.Type != "text/plain" || p.Entity.Charset != "utf-8" {
		t.Errorf("the part is %s in %s", p.Type, p.Entity.Charset)
	}
	if got, want := b.body(after, "1"), "Grüße\r\none\r\ntwo\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	job.Banners = []string{"legal"}
	if got := b.body(b.open(b.must(job)), "1"); !strings.HasSuffix(got, "two\r\n\r\n--\r\nMüller & Co\r\n") {
		t.Errorf("with a banner: %q", got)
	}
}
