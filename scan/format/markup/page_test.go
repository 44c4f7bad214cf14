package markup

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

func page(t testing.TB, in string) *Page {
	t.Helper()
	p, err := ReadHTML(source(in, "utf-8"), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// links writes the links of a page: where, target and text.
func links(p *Page) (all []string) {
	for _, l := range p.Links {
		s := fmt.Sprintf("%s %s", l.Where, l.Target)
		if l.Text != "" {
			s += " [" + l.Text + "]"
		}
		if l.Hidden {
			s += " hidden"
		}
		if l.Second {
			s += " second"
		}
		all = append(all, s)
	}
	return all
}

var linkTests = []struct {
	in   string
	want []string
}{
	{`<a href=http://x.test>www.<b>bank</b>.com</a> more`, []string{"a http://x.test [www.bank.com]"}},
	{`<a href=http://x.test>www.bank.com<p>y`, []string{"a http://x.test [www.bank.com y]"}},
	{`<a href=http://x.test>one<a href=http://y.test>two</a>`, []string{"a http://x.test [one]", "a http://y.test [two]"}},
	{`<a href=http://x.test><img src=cid:1 alt="www.bank.com"></a>`, []string{"a http://x.test [www.bank.com]", "img cid:1 [www.bank.com]"}},
	{`<base href="http://evil.test/a/"><a href=page.html>x</a>`, []string{"a http://evil.test/a/page.html [x]"}},
	{`<a href=page.html>x</a><base href=//evil.test><base href=http://late.test>`, []string{"a page.html [x]"}},
	{`<a href=/p?q>x</a><base href=http:\\evil.test>`, []string{"a http://evil.test/p?q [x]"}},
	{`<area href=x alt=y><form action=z></form><button formaction=w>`, []string{"area x [y]", "form z", "button w"}},
	{`<body background=a><td background=b><object data=c codebase=d><applet archive=e code=f><embed src=g>`, []string{"body a", "td b", "object c", "object d", "applet e", "applet f", "embed g"}},
	{`<meta http-equiv=Refresh content="0; URL='http://x.test'"><meta http-equiv=refresh content="5;http://y.test"><meta http-equiv=refresh content=7>`, []string{"meta http://x.test", "meta http://y.test"}},
	{`<img srcset="a 1x, b 2x"><link rel=stylesheet href=c>`, []string{"img a", "img b", "link c"}},
	{`<style>@import "a"; p{background:URL( 'b' )} @import url(c);</style><p style="background:u\72l(d)">`, []string{"style a", "style b", "style c", "style d"}},
	{`<p style=display:none><a href=x>y</a></p><a href=z>w</a>`, []string{"a x hidden", "a z [w]"}},
	{`<!--[if mso]><v:roundrect href=x><center>y</center></v:roundrect><![endif]--><a href=z>w</a>`, []string{"v:roundrect x [y] second", "a z [w]"}},
	{`<a href=x><!--[if mso]>good.test<![endif]-->bank.com</a>`, []string{"a x [bank.com]"}},
	{`<a href="x>www.bank.com</a> y`, []string{"a x [www.bank.com] second"}},
	{`<a href=x>a<br>b&nbsp;c</a>`, []string{"a x [a b c]"}},
	{`<svg><a xlink:href=x><text>y</text></a><image xlink:href=z></svg>`, []string{"a x [y]", "image z"}},
	{`see http://x.test/a, <b>www.y.test</b> <a href=z>http://w.test</a>`, []string{"text http://x.test/a [http://x.test/a]", "text http://www.y.test [http://www.y.test]", "a z [http://w.test]"}},
	{`<Relationship Id=a Target="https://x.test/t.dotm" TargetMode=External />`, []string{"relationship https://x.test/t.dotm"}},
	{`<input type=image src=x><video poster=y src=z><a href="">n</a><a name=q>`, []string{"input x", "video z", "video y"}},
}

func TestLinks(t *testing.T) {
	for _, tt := range linkTests {
		got := links(page(t, tt.in))
		slices.Sort(got)
		want := slices.Sorted(slices.Values(tt.want))
		if !slices.Equal(got, want) {
			t.Errorf("%s gives\n\t%q, want\n\t%q", tt.in, got, want)
		}
	}
}

func TestPlaceOfLinks(t *testing.T) {
	in := `<p>ü<a class=x href="http://x.test">te<b>xt</b></a>`
	l := page(t, in).Links[0]
	cut := func(s Span) string { return in[s.Start:s.End] }
	if got := []string{cut(l.Tag), cut(l.Value), cut(l.Inside)}; !slices.Equal(got, []string{`<a class=x href="http://x.test">`, "http://x.test", "te<b>xt</b>"}) {
		t.Errorf("places %q", got)
	}
}

var hiddenTests = []struct {
	in     string
	shown  string
	hidden int
}{
	{`a<span style="display:none">bcd</span>e`, "ae", 3},
	{`a<span style="DISPLAY : none !important">bcd</span>e`, "ae", 3},
	{`a<span style="dis\70lay:/**/none">bcd</span>e`, "ae", 3},
	{`a<div style="font-size:0"><p>bc<p>d</div>e`, "a\ne", 3},
	{`a<div style="font-size:1px">bcd</div>`, "a", 3},
	{`a<div style="font-size:1em">bcd</div>`, "a\nbcd", 0},
	{`<font color=#FFF>bcd</font>e`, "e", 3},
	{`<font color=white>bcd</font>e`, "e", 3},
	{`<td bgcolor=#000080><font color=white>bcd</font></td>`, "bcd", 0},
	{`<td style="background:url(x)"><a style=color:#fff>bcd</a></td>`, "bcd", 0},
	{`<td style="background-color:#336699"><p style="color: #336699">bcd</p>e</td>`, "e", 3},
	{`<p hidden>bcd</p>e`, "e", 3},
	{`<div style="visibility:hidden">b<i style="visibility:visible">c</i></div>`, "c", 1},
	{`<p style=display:none>b<p>c`, "c", 1},
	{`<td style=display:none>b<td>c`, "c", 1},
	{`<img style=display:none>c`, "c", 0},
	{`<div style="opacity:0.9">b</div>`, "b", 0},
	{`<title>no</title><style>no</style><script>no</script><p>a  b</p><ul><li>c<li>d</ul>`, "a b\nc\nd", 0},
	{`x<!-- no -->y`, "xy", 0},
}

func TestTextAsShown(t *testing.T) {
	for _, tt := range hiddenTests {
		if p := page(t, tt.in); p.Text != tt.shown || p.Hidden != tt.hidden {
			t.Errorf("%s shows %q and hides %d, want %q and %d", tt.in, p.Text, p.Hidden, tt.shown, tt.hidden)
		}
	}
}

func TestScriptsAndData(t *testing.T) {
	data := strings.Repeat("TVqQAAMAAAAEAAAA//8AALgAAAA", 200)
	lines := `"` + strings.Join(strings.Split(strings.Repeat(strings.Repeat("Q", 70)+"\n", 50), "\n"), "\"+\n\"") + `"`
	for _, tt := range []struct {
		name, in, call string
		data           int
	}{
		{"call", "<script>x=atob(y)</script>", "atob", 0},
		{"handler", "<body onload='eval(x)'>", "eval", 0},
		{"link", "<a href='JavaScript:eval(x)'>", "eval", 0},
		{"one run", "<script>x='" + data + "'</script>", "", len(data)},
		{"attribute", "<input value='" + data + "'>", "", len(data)},
		{"text", "<p>" + data + "</p>", "", len(data)},
		{"lines", "<script>x=" + lines + "</script>", "", 3500},
		{"numbers", "<script>x=[" + strings.Repeat("77,90,0x4d,", 400) + "]</script>", "", 4400},
	} {
		p := page(t, tt.in)
		if tt.call != "" && !slices.Contains(p.Calls, tt.call) {
			t.Errorf("%s: calls %q", tt.name, p.Calls)
		}
		if tt.data > 0 && (p.Data < tt.data || p.Data > tt.data+10) {
			t.Errorf("%s: data %d, want %d", tt.name, p.Data, tt.data)
		}
	}
	if p := page(t, "<p>"+strings.Repeat("Words of an ordinary letter that goes on and on\n", 1000)); p.Data > 100 {
		t.Errorf("prose counts as %d of data", p.Data)
	}
}

func TestElementsAreKept(t *testing.T) {
	p := page(t, `<p class=x><FORM action=y><input><p onclick=z><object classid="clsid:1"><b online=1>`)
	var got []string
	for _, e := range p.Elements {
		got = append(got, e.Name)
	}
	if want := []string{"form", "input", "p", "object", "b"}; !slices.Equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if v, ok := p.Elements[3].Attr("classid"); v != "clsid:1" || !ok {
		t.Errorf("attribute %q", v)
	}
}

func TestLimitsAreSaid(t *testing.T) {
	l := Limits{Token: 30_000, Text: 100, Links: 2, Elements: 2}
	for name, in := range map[string]string{
		"links":      strings.Repeat("<a href=x>y</a>", 3),
		"elements":   strings.Repeat("<form>", 3),
		"text":       strings.Repeat("word ", 30),
		"attributes": "<p " + strings.Repeat("a=b ", 5000) + ">",
		"token":      "<img src='" + strings.Repeat("x", 40_000) + "'>",
	} {
		p, err := ReadHTML(source(in, ""), l)
		if err != nil || !p.Cut || len(p.Links) > 2 || len(p.Elements) > 2 || len(p.Text) > 100 {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
}

var plainTests = []struct{ in, want string }{
	{"see http://x.test/a?b=c, and", "http://x.test/a?b=c"},
	{"(https://x.test/a_(b)).", "https://x.test/a_(b)"},
	{"<http://x.test/long/\r\n path>", "http://x.test/long/path"},
	{"<URL:http://x.test/>", "http://x.test/"},
	{"x.test/?u=http://y.test", ""},
	{"e.com/?u=http://y.test", "http://e.com/?u=http://y.test"},
	{"www.example.com.", "http://www.example.com"},
	{"example.com/login and example.com", "http://example.com/login"},
	{"HTTP://EXAMPLE.COM/", "HTTP://EXAMPLE.COM/"},
	{"a.b c.d e.g. 1.2/3 file.txt/x me@example.com", ""},
	{"\"http://x.test\"", "http://x.test"},
	{"*http://x.test*", "http://x.test"},
	{"http://", ""},
	{"http://x\u200b.test/", "http://x\u200b.test/"},
}

func TestLinksOfPlainText(t *testing.T) {
	for _, tt := range plainTests {
		p, err := ReadText(source(tt.in, "utf-8"), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range p.Links {
			got = append(got, l.Href)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q gives %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestLinksOfLongText has a link at every place a chunk may be cut.
func TestLinksOfLongText(t *testing.T) {
	var b strings.Builder
	for b.Len() < 3*scratch.Size {
		b.WriteString("words and http://x.test/path then\n")
	}
	p, err := ReadText(source(b.String(), "utf-8"), DefaultLimits())
	if want := strings.Count(b.String(), "http"); err != nil || len(p.Links) != min(want, 20_000) {
		t.Fatalf("%d links of %d, %v", len(p.Links), want, err)
	}
	for _, l := range p.Links {
		if got := b.String()[l.Value.Start:l.Value.End]; got != l.Href {
			t.Fatalf("link %q stands at %q", l.Href, got)
		}
	}
}

var big = map[string]func(int) string{
	"newsletter": func(n int) string {
		const row = `<tr><td align="center" style="font-family:Arial,sans-serif;color:#333333;padding:10px 20px"><a href="https://click.example.test/c?x=1&amp;y=2" target="_blank" style="color:#0066cc">Read more about this</a> <img src="https://img.example.test/a.png" width="200" height="60" alt="Shop"><p>Some ordinary text, which goes on for a line or two; grün &amp; blau.</p></td></tr>` + "\n"
		return "<html><body><table>" + strings.Repeat(row, n/len(row)) + "</table></body></html>"
	},
	"nested":     func(n int) string { return strings.Repeat("<div>", n/5) },
	"anchors":    func(n int) string { return strings.Repeat("<a href=http://x.test>b</a>", n/27) },
	"end tags":   func(n int) string { return strings.Repeat("<div>", 300) + strings.Repeat("</b>", n/4) },
	"comments":   func(n int) string { return strings.Repeat("<!-- x ", n/7) },
	"unclosed":   func(n int) string { return strings.Repeat("<title>x ", n/9) },
	"quotes":     func(n int) string { return strings.Repeat("<a b=\"", n/6) },
	"text":       func(n int) string { return strings.Repeat("words and words. ", n/17) },
	"css":        func(n int) string { return "<p style='" + strings.Repeat("/**/url(", n/8) + "'>" },
	"script":     func(n int) string { return "<script>" + strings.Repeat("var a='QUJD';\n", n/14) + "</script>" },
	"attributes": func(n int) string { return "<p " + strings.Repeat("a=b ", n/4) + ">" },
	"references": func(n int) string { return strings.Repeat("&amp;", n/5) },
	"styled":     func(n int) string { return strings.Repeat(`<b style="color:red;x:y">`, n/25) },
}

// TestNothingTakesLong reads 2 MB of each kind; what is not linear in the size
// would show.
func TestNothingTakesLong(t *testing.T) {
	for name, make := range big {
		if _, err := ReadHTML(source(make(2<<20), "utf-8"), DefaultLimits()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkReadHTML(b *testing.B) {
	const size = 20 << 20
	for name, make := range big {
		in := make(size)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadHTML(source(in, "utf-8"), DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadText(b *testing.B) {
	in := strings.Repeat("words and http://x.test/path then more words, which have no link in them.\n", 20<<20/75)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := ReadText(source(in, "utf-8"), DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzPage checks that whatever is read as a page gives links that stand in it,
// and no more than the limits.
func FuzzPage(f *testing.F) {
	for _, tt := range linkTests {
		f.Add(tt.in, "utf-8")
	}
	for _, tt := range hiddenTests {
		f.Add(tt.in, "")
	}
	for _, tt := range charsetTests {
		f.Add(tt.in, tt.label)
	}
	l := Limits{Token: 1024, Text: 1024, Links: 20, Elements: 20}
	f.Fuzz(func(t *testing.T, in, label string) {
		p, err := ReadHTML(source(in, label), l)
		if err != nil || len(p.Links) > l.Links || len(p.Elements) > l.Elements || len(p.Text) > int(l.Text) {
			t.Fatalf("%v, %d links, %d elements, %d bytes", err, len(p.Links), len(p.Elements), len(p.Text))
		}
		for _, link := range p.Links {
			end := int64(len(in))
			if p.Decoded {
				end = 4*end + 4
			}
			if link.Tag.Start < 0 || link.Value.Len() < 0 || link.Inside.Len() < 0 || max(link.Tag.End, link.Value.End, link.Inside.End) > end {
				t.Errorf("link %+v in %d bytes", link, len(in))
			}
		}
		if _, err := ReadText(source(in, label), l); err != nil {
			t.Error(err)
		}
	})
}
