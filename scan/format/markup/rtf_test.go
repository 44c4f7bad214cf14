package markup

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadRTF(t *testing.T) {
	for _, tt := range []struct{ name, in, want, link string }{
		{"plain", `{\rtf1\ansi Hello {\b world}!\par Next}`, "Hello world! Next", ""},
		{"tables are no text", `{\rtf1{\fonttbl{\f0 Times;}}{\*\generator Riched20;}{\info{\author Eve}}text}`, "text", ""},
		{"charset", `{\rtf1\ansi\ansicpg1251 \'ef\'f0\'e8}`, "при", ""},
		{"Western", `{\rtf1\ansi gr\'fcn}`, "grün", ""},
		{"Unicode", `{\rtf1\uc1 \u1087?\u-10179?x}`, "п\ufffdx", ""},
		{"Unicode without fallback", `{\rtf1{\uc0 \u1087 a}}`, "пa", ""},
		{"split by formats", `{\rtf1 confi{\b den}\i0 tial}`, "confidential", ""},
		{"escaped", `{\rtf1 a\{b\}c\\d\~e\_f}`, `a{b}c\d e-f`, ""},
		{"field", `{\rtf1 {\field{\*\fldinst{HYPERLINK "http://x.test/a"}}{\fldrslt here}}}`, `HYPERLINK "http://x.test/a"here`, "http://x.test/a"},
		{"link in text", `{\rtf1 see http://x.test/a}`, "see http://x.test/a", "http://x.test/a"},
		{"binary", "{\\rtf1 a\\bin5 {}{}{b}", "ab", ""},
		{"cut", `{\rtf1 a\'f`, "a", ""},
		{"deep", strings.Repeat("{", 100_000) + "a" + strings.Repeat("}", 100_000) + "b", "ab", ""},
		{"no RTF", "words only", "words only", ""},
	} {
		p, err := ReadRTF(source(tt.in, ""), DefaultLimits())
		if err != nil || p.Text != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, p.Text, err, tt.want)
		}
		if len(p.Links) > 0 != (tt.link != "") || tt.link != "" && p.Links[0].Href != tt.link {
			t.Errorf("%s: links %v", tt.name, p.Links)
		}
	}
}

func TestReadRTFPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	s := Source{r: io.MultiReader(strings.NewReader(`{\rtf1 a`), iotest.ErrReader(broken))}
	if _, err := ReadRTF(s, DefaultLimits()); err != broken {
		t.Errorf("error %v", err)
	}
}

func FuzzReadRTF(f *testing.F) {
	f.Add([]byte(`{\rtf1\ansi\ansicpg1251 {\fonttbl x}\u1087?\'ef\bin3 abc\par}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := ReadRTF(source(string(in), ""), DefaultLimits())
		if err != nil || len(p.Text) > 4*len(in)+4 {
			t.Errorf("%d bytes of %d, %v", len(p.Text), len(in), err)
		}
	})
}
