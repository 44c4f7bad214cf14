package markup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/net/html"
)

func source(s, label string) Source {
	return NewSource(strings.NewReader(s), int64(len(s)), label)
}

// tokens writes a page token by token.
func tokens(t *testing.T, s Source, limit int) []string {
	t.Helper()
	r := NewReader(s, limit)
	var all []string
	for {
		tok, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, describe(tok))
	}
}

func describe(t *Token) string {
	var b strings.Builder
	if t.Second {
		b.WriteString("2:")
	}
	switch t.Kind {
	case StartTag:
		b.WriteString("<" + t.Name)
		for _, a := range t.Attrs() {
			fmt.Fprintf(&b, " %s=%q", a.Name, a.Value)
		}
	case EndTag:
		b.WriteString("/" + t.Name)
	case Comment:
		b.WriteString("!")
	case Literal:
		fmt.Fprintf(&b, "%s:%q", t.Name, t.Text())
	default:
		fmt.Fprintf(&b, "%q", t.Text())
	}
	return b.String()
}

var readerTests = []struct {
	name, in string
	want     []string
}{
	{"plain", "a &amp b", []string{`"a & b"`}},
	{"upper case", "<IFRAME SRC=javascript:alert(1)>", []string{`<iframe src="javascript:alert(1)"`}},
	{"attributes", "<a href = 'x' b c=\"d&quot;e\" f=g/>", []string{`<a href="x" b="" c="d\"e" f="g/"`}},
	{"no blank between", `<a href="x"class='y'>`, []string{`<a href="x" class="y"`}},
	{"slash between", `<img/src=x/onerror=y>`, []string{`<img src="x/onerror=y"`}},
	{"slashes for blanks", `<img/src="x"/onerror="y">`, []string{`<img src="x" onerror="y"`}},
	{"twice", `<a href=1 href=2>`, []string{`<a href="1" href="2"`}},
	{"equals sign first", `<a =x=y>`, []string{`<a =x="y"`}},
	{"reference without end", `<a href="http&#58//x?a=1&copy=2&amp=3&lt">`, []string{`<a href="http://x?a=1&copy=2&amp=3<"`}},
	{"NUL in tag", "<a hr\x00ef=x\x00y>", []string{"<a hr\ufffdef=\"x\ufffdy\""}},
	{"no tag", "a < b <3 <", []string{`"a < b <3 <"`}},
	{"end tag with blanks", "</a\n x>", []string{"/a"}},
	{"script", "<SCRIPT>if(a<b)'</p>'</SCRIPT >x", []string{"<script", `script:"if(a<b)'</p>'"`, "/script", `"x"`}},
	{"script without end", "<script>a<b>c", []string{"<script", `script:"a<b>c"`, `2:"a"`, "2:<b", `2:"c"`}},
	{"empty script", "<script></script>x", []string{"<script", "/script", `"x"`}},
	{"title", "<title>a&amp;<b></title>", []string{"<title", `title:"a&<b>"`, "/title"}},
	{"title without end", "<title>x<a href=y>", []string{"<title", `title:"x<a href=y>"`, `2:"x"`, `2:<a href="y"`}},
	{"noscript is markup", "<noscript><a href=x></noscript>", []string{"<noscript", `<a href="x"`, "/noscript"}},
	{"plaintext is forgotten", "<plaintext><a>", []string{"<plaintext", "<a"}},
	{"comment", "a<!-- <b> -->c", []string{`"a"`, "!", `"c"`}},
	{"comment ends early", "<!--><a>-->", []string{"!", "<a", `"-->"`}},
	{"comment ends oddly", "<!-- --!><a>", []string{"!", "<a"}},
	{"comment without end", "<!-- <a>x", []string{"!", `2:" "`, "2:<a", `2:"x"`}},
	{"comment without end, and a tag there", "<!-- <a>x</a>", []string{"!", `2:" "`, "2:<a", `2:"x"`, "2:/a"}},
	{"conditional comment", "<!--[if mso]><a href=x><![endif]-->y", []string{"!", `2:<a href="x"`, "2:!", `"y"`}},
	{"downlevel revealed", "<![if !mso]><a><![endif]>", []string{"!", "<a", "!"}},
	{"for all but Outlook", "<!--[if !mso]><!--><a><!--<![endif]-->", []string{"!", "2:!", "<a", "!"}},
	{"tag without end", "x<a href=y", []string{`"x"`, `2:<a href="y"`}},
	{"quote too many", `<a href="x>www.example.com</a> <b>`, []string{`2:<a href="x"`, `2:"www.example.com"`, "2:/a", `2:" "`, "2:<b"}},
	{"declarations", "<!DOCTYPE html><?xml?></ x>", []string{"!", "!", "!"}},
}

func TestReader(t *testing.T) {
	for _, tt := range readerTests {
		got := tokens(t, source(tt.in, ""), 1<<20)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q gives\n\t%s\nwant\n\t%s", tt.name, tt.in, strings.Join(got, " "), strings.Join(tt.want, " "))
		}
	}
}

func TestXMLReaderKnowsCDATA(t *testing.T) {
	r := NewXMLReader(source("<svg><![CDATA[a<b>]]></svg>", ""), 1<<20)
	r.Next()
	if tok, err := r.Next(); err != nil || tok.Kind != Text || tok.Text() != "a<b>" {
		t.Errorf("token %+v, %v", tok, err)
	}
}

// TestLongTokens reads what is longer than the limit in pieces, and says so.
func TestLongTokens(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name, in, last string
		cut            bool
	}{
		{"text", long + "<b>", "<b", false},
		{"script", "<script>" + long + "<b></script><i>", "<i", false},
		{"tag", "<img src=\"" + long + ">\" alt='>' b><i>", "<i", true},
		{"tag without quotes", "<img src=" + long + "><i>", "<i", true},
		{"tag without end", "<img src=\"" + long, "", true},
		{"comment", "<!-- " + long + "--><i>", "<i", true},
	} {
		r := NewReader(source(tt.in, ""), 100)
		var last string
		for {
			tok, err := r.Next()
			if err != nil {
				break
			}
			if len(tok.raw) > 100 {
				t.Errorf("%s: a token of %d bytes", tt.name, len(tok.raw))
			}
			last = describe(tok)
		}
		if tt.last != "" && last != tt.last || r.Cut() != tt.cut {
			t.Errorf("%s: last %s, cut %v", tt.name, last, r.Cut())
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for _, in := range []string{"", "text", "<a", "<script>x", "<img src='" + strings.Repeat("x", 200)} {
		r := NewReader(Source{r: io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken))}, 100)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if err != broken {
			t.Errorf("%.20q: error %v", in, err)
		}
	}
}

var charsetTests = []struct{ name, label, in, want string }{
	{"utf-8", "utf-8", "<p>gr\xc3\xbcn</p>", "grün"},
	{"utf-8 without label", "", "<p>gr\xc3\xbcn</p>", "grün"},
	{"latin1 without label", "", "<p>gr\xfcn</p>", "grün"},
	{"unknown label", "x-unheard-of", "<p>gr\xfcn</p>", "grün"},
	{"references and 8-bit", "windows-1251", "<p>&uuml;\xe0</p>", "üа"},
	{"declared inside", "", "<meta charset=koi8-r><p>\xc1</p>", "а"},
	{"declared inside in the old way", "", "<meta http-equiv=content-type content='text/html; charset=koi8-r'><p>\xc1</p>", "а"},
	{"the label weighs more", "koi8-r", "<meta charset=latin1><p>\xc1</p>", "а"},
	{"mark", "latin1", "\xef\xbb\xbf<p>\xc3\xbc</p>", "ü"},
	{"utf-16 by mark", "latin1", "\xff\xfe<\x00p\x00>\x00\xfc\x00", "ü"},
	{"utf-16", "utf-16le", "<\x00p\x00>\x00\xfc\x00", "ü"},
	{"utf-16 that is none", "utf-16", "<p>\xfc</p>", "ü"},
	{"utf-7", "utf-7", "+ADw-p+AD4-+APw-", "ü"},
	{"iso-2022-jp", "iso-2022-jp", "<p>\x1b$B$\"\x1b(B</p>", "あ"},
	{"utf-16 declared inside is a lie", "", "<meta charset=utf-16><p>x</p>", "x"},
}

func TestCharsets(t *testing.T) {
	for _, tt := range charsetTests {
		var text string
		r := NewReader(source(tt.in, tt.label), 1<<20)
		for {
			tok, err := r.Next()
			if err != nil {
				break
			}
			if tok.Kind == Text {
				text += tok.Text()
			}
		}
		if text != tt.want {
			t.Errorf("%s: text %q, want %q", tt.name, text, tt.want)
		}
	}
}

// TestSpansOfAttributes cuts attributes out of the original.
func TestSpansOfAttributes(t *testing.T) {
	in := "\xef\xbb\xbf<p>\xc3\xbc<a href = \"x y\"class=z checked id='q' onclick=a(b)>"
	r := NewReader(source(in, "utf-8"), 1<<20)
	var got []string
	for {
		tok, err := r.Next()
		if err != nil {
			break
		}
		for _, a := range tok.Attrs() {
			got = append(got, in[a.Span.Start:a.Span.End]+"|"+in[a.At.Start:a.At.End])
		}
	}
	want := []string{`href = "x y"|x y`, "class=z|z", "checked|", "id='q'|q", "onclick=a(b)|a(b)"}
	if !slices.Equal(got, want) {
		t.Errorf("spans %q, want %q", got, want)
	}
}

// FuzzReader checks that the tokens read once cover the page in order, that
// those read again lie within, and that attributes are those the tokenizer sees.
func FuzzReader(f *testing.F) {
	for _, tt := range readerTests {
		f.Add([]byte(tt.in), 1<<20)
		f.Add([]byte(tt.in), 64)
	}
	for _, in := range splitPages(f) {
		f.Add([]byte(in), 64)
	}
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		limit = min(max(limit, 64), 1<<20)
		r := NewReader(Source{Charset: "utf-8", r: bytes.NewReader(in)}, limit)
		var end int64
		for {
			tok, err := r.Next()
			if err != nil {
				break
			}
			switch {
			case tok.Maybe:
				if tok.Span.Start < 0 || tok.Span.End > int64(len(in)) || !bytes.Equal(in[tok.Span.Start:tok.Span.End], tok.raw) {
					t.Fatalf("%q: what may be a token at %v is %q", in, tok.Span, tok.raw)
				}
			case len(r.layers) > 1:
				if tok.Span.Start < 0 || tok.Span.End > end || tok.Span.Len() < 0 {
					t.Fatalf("%q: second token at %v, first ones end at %d", in, tok.Span, end)
				}
			case tok.Span.Start != end || tok.Span.End <= end:
				t.Fatalf("%q: token at %v behind one that ends at %d", in, tok.Span, end)
			default:
				end = tok.Span.End
			}
			checkAttrs(t, in, tok)
		}
		if end < int64(len(in))-1 { // a lone "<" or "</" at the end may be none
			t.Fatalf("%q: tokens end at %d of %d", in, end, len(in))
		}
	})
}

func checkAttrs(t *testing.T, in []byte, tok *Token) {
	var keys []string
	var first []html.Attribute
	for _, a := range tok.Attrs() {
		if a.Span.Start < tok.Span.Start || a.At.End > a.Span.End || a.Span.End > tok.Span.End || a.At.Start < a.Span.Start && a.At.Len() > 0 {
			t.Fatalf("%q: attribute %+v in token %v", in, a, tok.Span)
		}
		if name := string(in[a.Span.Start : a.Span.Start+1]); !strings.EqualFold(name, a.Name[:1]) && name != "\x00" && name[0] < 0x80 {
			t.Fatalf("%q: attribute %+v begins with %q", in, a, name)
		}
		if !slices.Contains(keys, a.Name) {
			keys = append(keys, a.Name)
			first = append(first, html.Attribute{Key: a.Name, Val: a.Value})
		}
	}
	if tok.Kind != StartTag || tok.raw[len(tok.raw)-1] != '>' || tok.Span.Len() != int64(len(tok.raw)) {
		return
	}
	z := html.NewTokenizer(bytes.NewReader(tok.raw))
	if z.Next() == html.ErrorToken {
		return // a quote too many
	}
	want := z.Token().Attr
	valid := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
	if len(want) != len(first) {
		t.Fatalf("%q: attributes %q, the tokenizer has %q", tok.raw, first, want)
	}
	for i, a := range want {
		if a.Key != first[i].Key || strings.ReplaceAll(valid(a.Val), "\ufffd", "") != strings.ReplaceAll(valid(first[i].Val), "\ufffd", "") {
			t.Fatalf("%q: attribute %q, the tokenizer has %q", tok.raw, first[i], a)
		}
	}
}
