package edit

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

var update = flag.Bool("update", false, "write testdata/disarmed.txt anew")

func link(href, text string) string {
	return fmt.Sprintf(`<p>Hello <a href="%s">%s</a></p>`, href, text)
}

// pageRows are pages that mislead, act or report back, and some that do not.
var pageRows = []struct{ name, html string }{
	{"P1 elsewhere", link("http://evil.test/x", "http://www.bank.com/")},
	{"P2 the same", link("http://bank.com", "www.bank.com")},
	{"P3 another host of the domain", link("http://login.bank.com", "www.bank.com")},
	{"P4 the domain as a host", link("http://bank.com.evil.test", "www.bank.com")},
	{"P5 below co.jp", link("http://www.nasty.co.jp", "www.nice.co.jp")},
	{"P6 below co.uk", link("http://www.nasty.company.co.uk", "www.nice.company.co.uk")},
	{"P7 no claim", link("http://click.esp.test", "Click here")},
	{"P8 a claim in words", link("http://click.esp.test", "Visit Bank.com")},
	{"P9 bad", link("http://www.bad.test/", "Click here")},
	{"P10 bad and safe", link("http://both.test/", "www.bank.com")},
	{"P11 numeric", link("http://192.0.2.1/x", "Click here")},
	{"P12 numeric and honest", link("http://192.0.2.1/x", "http://192.0.2.1/x")},
	{"P13 hexadecimal", link("http://0xC0000201", "Click here")},
	{"P13 one number", link("http://3221225985", "Click here")},
	{"P13 IPv6", link("http://[2001:db8::1]", "Click here")},
	{"P15 a host as user", link("http://bank.com@evil.test", "www.bank.com")},
	{"P16 the usual port", link("https://www.bank.com:443", "https://www.bank.com")},
	{"P17 another port", link("https://www.bank.com:8080", "https://www.bank.com")},
	{"P19 script", link("javascript:alert(1)", "www.bank.com")},
	{"P20 data", link("data:text/html;base64,PGI+", "www.bank.com")},
	{"P21 any suffix", link("http://evil.test", "bank.de")},
	{"P23 spaced", link("http://evil.test", "w w w . b a n k . c o m")},
	{"P24 in pieces", link("http://evil.test", "<b>www.</b>bank<i>.com</i>")},
	{"P24 no end tag", "<a href=http://evil.test>www.bank.com"},
	{"P24 no end of the tag", `<a href="http://evil.test>www.bank.com</a>`},
	{"P25 a picture", link("http://evil.test", `<img src=cid:1 alt="www.bank.com">`)},
	{"P26 base", "<base href=http://evil.test/>" + link("page.html", "www.bank.com")},
	{"P27 another address", link("mailto:eve@example.com", "bob@example.com")},
	{"P28 the same address", link("mailto:a@b.test?subject=x", "a&#64;b.test")},
	{"P29 telephone", link("tel:+1.800.555.1234", "1.800.555.1234")},
	{"P31 look-alike", link("http://pаypal.com/", "pаypal.com")},
	{"P32 look-alike behind the name", link("http://xn--pypal-4ve.com/", "www.paypal.com")},
	{"P33 checked by Microsoft", link("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.bank.com%2Fa&amp;data=05", "https://www.bank.com")},
	{"P33 checked, and elsewhere", link("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.test%2Fa&amp;data=05", "https://www.bank.com")},
	{"P34 counted at home", link("https://r.example.com/track", "https://www.example.com/page")},
	{"P35 in a sentence", link("http://www.bank.com", "See www.bank.com, our site")},
	{"P36 a claim behind words", link("http://evil.test", "Node.js at nodejs.org")},
	{"P38 a product", link("http://evil.test", "asp.net")},
	{"P39 warned before", `<p>Hello <b>[Caution: this link leads to evil.test]</b> <a href="http://evil.test/x">www.bank.com</a></p>`},
	{"P39 warned before, quoted", "<p>&gt; Hello [Caution: this link\r\n leads to <b>evil.test</b>]&nbsp;<a href=http://evil.test/x>www.bank.com</a></p>"},
	{"P39 warned falsely", `<p>[Caution: this link leads to bank.com] <a href="http://evil.test/x">www.bank.com</a></p>`},
	{"a link in a link", `<p><a href="http://evil.test">here <a href="http://other.test">www.bank.com</a></p>`},
	{"a map", `<map><area href="http://evil.test" alt="www.bank.com"></map>`},
	{"in Outlook only", `<!--[if mso]><v:rect href="http://evil.test">www.bank.com</v:rect><![endif]-->`},
	{"a share", link(`file://evil.test/share`, "the report")},
	{"two ways to deceive", link("http://www.bank.com@192.0.2.1/", "www.bank.com")},

	{"H1 form", "text <form class=c action=http://x.test method=post><input name=a><button onclick=go()>Go</button></form> more"},
	{"H1 forms", "<form><form action=y></form>text</form></form><textarea>x</textarea><select><option>1</select><isindex>"},
	{"P37 two addresses", `<a href="http://evil.test/" href="http://www.bank.com/">www.bank.com</a>`},
	{"P37 two scripts", `<a href="javascript:x()" title=t href="javascript:y()">text</a>`},
	{"P37 two styles", `text <p style="background:u\72l(http://x.test/)" style="background:url(http://x.test/b)">more</p>`},
	{"P22 full-width dots", link("http://evil.test/", "www．bank．com")},
	{"P38 honest names", link("http://click.esp.test/", "B.Sc.") + link("http://click.esp.test/", "holiday.zip")},
	{"H1 button outside a form", "text <button formaction=http://x.test formaction=http://y.test formmethod=post>Go</button><input type=image formaction=//x.test>"},
	{"H2 script", "text <SCRIPT\n>alert(1)\n</SCRIPT\n> more"},
	{"H2 script without end", "text <script>alert(1)<p>more <b onclick=x>text</b>"},
	{"H2 two scripts", "text <script src=http://x.test></script><script>//<!--\n</scr</script >more"},
	{"H2 data about the order", `text <script type="application/ld+json">{"@type":"Order"}</script>`},
	{"H4 iframe", "text <iframe src=http://x.test>instead</iframe> more"},
	{"H4 iframe with a script", "text <IFRAME SRC=javascript:alert(1)> more"},
	{"H4 nested", "text <div><iframe><iframe src=x></iframe></iframe></div> more"},
	{"H5 object", "text <object data=http://x.test codebase=y><param name=a value=b>instead</object> more"},
	{"H5 class", `text <object classid="clsid:0002E559-0000-0000-C000-000000000046"><b>instead</b></object>`},
	{"H5 embed and applet", "text <embed src=http://x.test></embed><applet code=a.class><param name=x>instead</applet>"},
	{"H6 svg", "text <svg onload=alert(1)><circle r=1></svg>"},
	{"H6 body", "<body bgcolor=white onload='alert(1)' text=black>text"},
	{"H6 link", "<a onclick=alert(1) href=http://x.test>text</a>"},
	{"H6 handlers twice", "<b onclick=a onclick=b OnMouseOver\r\n=\r\n'c' title=t/onfocus=d>text</b>"},
	{"H6 refresh", `text <meta http-equiv="Refresh" content="0;url=http://x.test"> more`},
	{"H6 style sheet", `text <link rel=stylesheet href=http://x.test/a.css> more`},
	{"H6 style", `text <style>p{background:url(http://x.test/a);color:red} b{background:url(cid:1)}</style>`},
	{"H6 import", `text <style>@import "//x.test/a"; @import url(http://x.test/b) screen; p{color:red}</style>`},
	{"H6 style in disguise", `text <style>p{background:\75rl(http://x.test/a)}</style><b style="a:u\72l(//x.test/)">b</b>`},
	{"H6 style of an element", `text <p style="background:URL('http://x.test/a') red" title=t>more</p><p style=background:url(//x.test/b)>more</p>`},
	{"H6 style without end", "text <style>p{background:url(http://x.test/a)} <b onclick=x>more</b>"},
	{"H7 1×1", "text <img src=http://x.test/a width=1 height=1> more"},
	{"H7 0×0", "text <IMG SRC=http://x.test/a srcset='http://x.test/b 2x' width=0 height=0>"},
	{"H7 1px", `text <img src=//x.test/a width="1px" height="1px">`},
	{"H7 hidden", `text <img src=http://x.test/a style="display:none">`},
	{"H7 a logo", "text <img src=http://x.test/a width=200 height=60 alt=Shop>"},
	{"H9 in the mail", "text <img src=cid:1 width=1 height=1>"},
	{"H9 for layout", "text <img src=http://x.test/i/spacer.gif?1 width=1 height=1>"},
	{"H11 known host", "text <img src=https://mailtrack.io/trace/x width=200 height=60><table background=https://mailtrack.io/t><td>x</table>"},
	{"H12 half a page", "text <form"},
	{"H12 half a tag", "text <form action=x onsubmit=y"},
	{"H14 no findings", "<p>Grüße <b>aus</b> &ouml;"},
	{"a tag around a tag", "text <<iframe></iframe>script>alert(1)</script> </<iframe></iframe>script><!<embed>-- x -->"},
	{"in Outlook only, a script", "text <!--[if mso]><script>alert(1)</script><p onclick=x>a<![endif]--> more"},
	{"a script in a comment", "text <!-- <script>alert(1)</script> --> more"},
	{"a script where style is markup", "text <svg><style><p>see <script>alert(1)</script></style> more"},
	{"a handler where scripts run", "text <noscript><!--</noscript><img src=x onerror=alert(1)><!-- --> more"},
	{"a link across a style sheet", `text <svg><style><a title="</style>" href="http://evil.test">www.bank.com</a></style> more`},
	{"a link in an attribute", `text <svg></svg><p title='<a href="http://evil.test">www.bank.com</a>'>more`},
	{"a script that writes", "text <noscript>no</noscript><script>document.write('<iframe src=x onload=y>')</script> more"},
	{"a comment without end", "text <!-- <script>alert(1)</script> more"},
}

// htmlMail is a message with an HTML part.
func htmlMail(html string) string {
	return mail(plainPart, "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"+strings.ReplaceAll(html, "\r\n", "\n")+"\n", plainPart)
}

func TestPages(t *testing.T) {
	b := newBench(t)
	b.content = b.contentWith(func(c *contentConfig) {
		c.Bad, c.Safe = []string{"bad.test", "both.test"}, append(c.Safe, "both.test")
	})
	b.editor.Pages = b.content
	var all strings.Builder
	for _, row := range pageRows {
		m := b.open(htmlMail(row.html))
		before := b.body(m, "2")
		out := b.must(b.judged(m))
		m = b.open(out)
		after := b.body(m, "2")
		if again := b.must(b.judged(m)); again != out {
			t.Errorf("%s: a second run makes of\n%s\n%s", row.name, after, b.body(b.open(again), "2"))
		}
		for _, f := range b.judged(m).Found {
			if !strings.HasPrefix(f.Rule, "content/link-") && f.Kind == scan.Suspicious {
				t.Errorf("%s: %s is left in %s", row.name, f.Rule, after)
			}
		}
		if after == before {
			after = "as it is\r\n"
		}
		fmt.Fprintf(&all, "== %s\n%s-> %s\n", row.name, strings.ReplaceAll(before, "\r", ""), strings.ReplaceAll(after, "\r", ""))
	}
	const golden = "testdata/disarmed.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != all.String() {
		t.Errorf("%s is not what becomes of pages (%v); run go test ./policy/edit -update and look at the difference", golden, err)
	}
}

func TestPagesInFiles(t *testing.T) {
	b := newBench(t)
	for name, row := range map[string]struct{ mediaType, file, html, want string }{
		"html": {"text/html", "a.html", "<body onload=x><script>y</script><form>text</form><img src=http://x.test/ width=1 height=1>",
			"<body ><div>text</div><img src=http://x.test/ width=1 height=1>\r\n"},
		"scripts as addresses": {"text/html", "a.html", "<script>x</script><table background='javascript:x()'><td>text<img src=vbscript:y>",
			"<b>[Link to javascript:x() removed]</b> <table ><td>text<b>[Link to vbscript:y removed]</b> <img >\r\n"},
		"svg": {"image/svg+xml", "a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script><![CDATA[alert(1)]]></script><foreignObject><body>x</body></foreignObject><g onclick="y"/><a xlink:href="javascript:z">a</a></svg>`,
			`<svg xmlns="http://www.w3.org/2000/svg"><body>x</body><g /><b>[Link to javascript:z removed]</b> <a >a</a></svg>` + "\r\n"},
	} {
		m := b.open(mail(plainPart, "Content-Type: "+row.mediaType+"; name="+row.file+"\nContent-Disposition: attachment; filename="+row.file+"\n\n"+row.html+"\n"))
		job := b.judged(m)
		if name == "svg" {
			job = b.job(m, policy.Disarm, scan.Finding{Rule: "attachment/svg-script", Part: b.part(m, "2")})
		}
		after := b.open(b.must(job))
		if got := b.body(after, "2"); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// TestOnlyWhatIsAsked leaves alone what no finding is about.
func TestOnlyWhatIsAsked(t *testing.T) {
	b := newBench(t)
	m := b.open(htmlMail("<form action=x>a</form><script>y</script>" + link("http://evil.test", "www.bank.com")))
	job := b.job(m, policy.Disarm, scan.Finding{Rule: "content/script", Part: b.part(m, "2")})
	if got, want := b.body(b.open(b.must(job)), "2"), "<form action=x>a</form>"+link("http://evil.test", "www.bank.com")+"\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestLongLines has to choose another encoding.
func TestLongLines(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat(link("http://evil.test", "www.bank.com"), 14)
	m := b.open(htmlMail(long))
	after := b.open(b.must(b.judged(m)))
	e := after.Parts[b.part(after, "2")].Entity
	if e.Encoding != "quoted-printable" || strings.Count(b.body(after, "2"), "[Caution: ") != 14 {
		t.Errorf("encoding %q of %s", e.Encoding, b.body(after, "2"))
	}
}

// TestPagesAtRandom puts pages together of pieces: whatever comes out, a second
// run changes nothing, and little is refused.
func TestPagesAtRandom(t *testing.T) {
	const pages = 1000
	b := newBench(t)
	pieces := []string{"<", ">", "<!--", "-->", "\"", "'", "<script", "</script", "<style>", "<textarea>", "<title>", "<xmp>", "<noscript>", "&lt;", " ", "<![CDATA[", "]]>", "</", "<svg>", "url(http://x.test/)", "<!--[if mso]>", "<![endif]-->", "onload=x", "\x00"}
	for _, row := range pageRows {
		pieces = append(append(pieces, row.html), strings.SplitAfter(row.html, ">")...)
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range pages {
		var html strings.Builder
		for range 1 + random.IntN(8) {
			piece := pieces[random.IntN(len(pieces))]
			if random.IntN(4) == 0 {
				piece = piece[:random.IntN(len(piece)+1)]
			}
			html.WriteString(piece)
		}
		m := b.open(htmlMail(html.String()))
		out, err := b.apply(b.judged(m))
		if err != nil {
			refused++
			continue
		}
		if again, err := b.apply(b.judged(b.open(out))); err != nil || again != out {
			t.Errorf("%q becomes\n%q, and then (%v)\n%q", html.String(), out, err, again)
		}
	}
	if refused > pages/50 {
		t.Errorf("%d pages of %d are refused", refused, pages)
	}
}

func BenchmarkDisarm(b *testing.B) {
	for _, row := range []struct{ name, html string }{
		{"1MB", strings.Repeat("<p>some text in a paragraph that goes on\n", 25_000) + "<form action=x><script>x</script>"},
		{"18MB", strings.Repeat("<p>some text in a paragraph that goes on\n", 440_000) + "<form action=x><script>x</script>"},
		{"million-tags", "text" + strings.Repeat("<div>", 1_000_000) + "<form>"},
	} {
		b.Run(row.name, func(b *testing.B) {
			bench := newBench(b)
			job := bench.judged(bench.open(htmlMail(row.html)))
			b.SetBytes(int64(len(row.html)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := bench.editor.Apply(b.Context(), job)
				if err != nil || !r.Changed() {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

// TestHarmless makes every page of the table harmless, whatever charset it is in: nothing
// is left that acts or fetches, and what cannot be made so is not returned.
func TestHarmless(t *testing.T) {
	b := newBench(t)
	rows := append(pageRows[:len(pageRows):len(pageRows)], struct{ name, html string }{"acts", `<p onclick="a()">x<script>b()</script><form action="http://e.test">` +
		`<input name=p></form><iframe src="http://e.test"></iframe><object data=x></object><meta http-equiv=refresh content="0;url=http://e.test">`})
	for _, row := range rows {
		for label, content := range map[string]string{"utf-8": row.html, "utf-16le": utf16le(row.html), "": row.html} {
			got, err := b.editor.Harmless(t.Context(), strings.NewReader(content), label)
			if err != nil {
				continue
			}
			page, err := markup.ReadHTML(markup.NewSource(strings.NewReader(got), int64(len(got)), "utf-8"), markup.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range b.content.Objections(page) {
				if o.Link >= 0 && page.Links[o.Link].Where == markup.InText {
					continue
				}
				for _, rule := range append(append([]string{}, acting...), fetches...) {
					if o.Rule == rule {
						t.Errorf("%s in %q: %s in %q", row.name, label, o.Rule, got)
					}
				}
			}
		}
	}
	got, err := b.editor.Harmless(t.Context(), strings.NewReader(rows[len(rows)-1].html), "")
	if err != nil || !strings.Contains(got, "x") || strings.Contains(got, "script") || strings.Contains(got, "onclick") || strings.Contains(got, "form") {
		t.Errorf("%q %v", got, err)
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}
