package entity

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeWords(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain", "plain"},
		{"=?UTF-8?B?aW52b2ljZS5leGU=?=", "invoice.exe"},
		{"=?utf-8?q?gr=C3=BCn_und_gut?=", "grün und gut"},
		{"=?iso-8859-1*de?Q?gr=FCn?=", "grün"},
		{"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
		{"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c", "ab c"},
		{"=?utf-8?Q?gr=C3?= =?utf-8?B?vG4=?=", "grün"}, // a character cut in two
		{"=?iso-8859-1?Q?=FC?= =?utf-8?Q?=C3=BC?=", "üü"},
		{`"=?utf-8?Q?a.exe?="`, `"a.exe"`},
		{"x=?utf-8?Q?a?=.exe", "xa.exe"},
		{"=?utf-8?Q?a b.exe?=", "a b.exe"},               // blanks are forbidden, and common
		{"=?utf-8?B?aW52b2ljZS5leGU", "invoice.exe"},     // no end
		{"=?utf-8?B?aW52b2ljZS5leGU=", "invoice.exe"},    // half an end
		{"=?utf-8?B?aW52b2lj ZS5l.eGU?=", "invoice.exe"}, // junk
		{"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"=?utf-8?", "=?utf-8?"},
		{"=??Q?a?=", "=??Q?a?="},
		{"=?martian?Q?gr=FCn?=", "grün"},
		{"=?utf-7?Q?+AC4-exe?=", ".exe"},
		{"=?iso-2022-jp?B?GyRCJCIbKEI=?=", "あ"},
		{"gr\xfcn", "grün"},
		{"grün", "grün"},
		{"=?utf-8?Q??= x", " x"},
		{"Re: [list] =?utf-8?Q?=C3=BC?= and ?= rest", "Re: [list] ü and ?= rest"},
	}
	for _, tt := range tests {
		if got := DecodeWords(tt.in); got != tt.want {
			t.Errorf("DecodeWords(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDecodeNames(t *testing.T) {
	tests := []struct {
		name   string
		ct, cd string
		want   []string
	}{
		{"none", "text/plain", "attachment", nil},
		{"both", `x/y; name="a.txt"`, `attachment; filename="b.exe"`, []string{"b.exe", "a.txt"}},
		{"same", `x/y; name="a.txt"`, `attachment; filename="a.txt"`, []string{"a.txt"}},
		{"names in the wrong field", `x/y; filename=a.exe`, `attachment; name=b.exe`, []string{"b.exe", "a.exe"}},
		{"two of one", "", `attachment; filename=a.txt; filename=b.exe`, []string{"a.txt", "b.exe"}},
		{"extended before plain", "", `attachment; filename="a.txt"; filename*=UTF-8''b%2Eexe`, []string{"b.exe", "a.txt"}},
		{"language", "", `attachment; filename*=iso-8859-1'de-at'gr%FCn.exe`, []string{"grün.exe"}},
		{"sections", "", `attachment; filename*0*=UTF-8''inv; filename*1*=oice.exe`, []string{"invoice.exe"}},
		{"sections in any order", "", `attachment; filename*1="ice.exe"; filename*0="invo"`, []string{"invoice.exe", "ice.exeinvo"}},
		{"mixed sections", "", `attachment; filename*0*=UTF-8''a%20; filename*1="b%20"; filename*2*=%2Eexe`, []string{"a b%20.exe", "a b .exe"}},
		{"character over two sections", "", `attachment; filename*0*=UTF-8''gr%C3; filename*1*=%BCn.exe`, []string{"grün.exe"}},
		{"gap", "", `attachment; filename*0=a; filename*2=.exe`, []string{"a", "a.exe"}},
		{"no first section", "", `attachment; filename*1=a; filename*2=.exe`, []string{"a.exe"}},
		{"repeated number", "", `attachment; filename*0=a; filename*1=.txt; filename*1=.exe`, []string{"a.txt", "a.exe", "a.txt.exe"}},
		{"no charset", "", `attachment; filename*=b%2Eexe`, []string{"b.exe"}},
		{"percent without a star", "", `attachment; filename="b%2Eexe"`, []string{"b%2Eexe", "b.exe"}},
		{"charset without a star", "", `attachment; filename="UTF-8''b%2Eexe"`, []string{"UTF-8''b%2Eexe", "b.exe"}},
		{"encoded word", `x/y; name="=?UTF-8?B?aW52b2ljZS5leGU=?="`, "", []string{"invoice.exe"}},
		{"encoded word without quotes", `x/y; name==?UTF-8?B?aW52b2ljZS5leGU=?=`, "", []string{"invoice.exe"}},
		{"encoded words with a fold", "x/y; name=\"=?UTF-8?Q?in?=\r\n =?UTF-8?Q?voice.exe?=\"", "", []string{"invoice.exe"}},
		{"encoded word in sections", "", `attachment; filename*0="=?UTF-8?B?aW52b2lj"; filename*1="ZS5leGU=?="`, []string{"invoice.exe"}},
		{"fold in a name", "", "attachment; filename=\"payload.\r\n exe\"", []string{"payload. exe", "payload.exe"}},
		{"fold before a name", "", "attachment;\r\n filename=\r\n \"payload.exe\"", []string{"payload.exe"}},
		{"raw Japanese", "", "attachment; filename=\"\x1b$B2q5D\x1b(B.pdf\"", []string{"会議.pdf"}},
		{"8 bit", "", "attachment; filename=\"gr\xfcn.exe\"", []string{"grün.exe"}},
		{"UTF-8", "", "attachment; filename=\"grün.exe\"", []string{"grün.exe"}},
		{"blanks without quotes", "", `attachment; filename=my report.exe`, []string{"my report.exe", "my"}},
		{"UTF-7", "", `attachment; filename*=utf-7''a+AC4-exe`, []string{"a.exe", "a+AC4-exe"}},
		{"unknown charset", "", `attachment; filename*=martian''gr%FCn.exe`, []string{"grün.exe"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decodeNames(parsed(tt.ct), parsed(tt.cd)); !slices.Equal(got, tt.want) {
				t.Errorf("names %q, want %q", got, tt.want)
			}
		})
	}
}

func parsed(field string) [][]Param {
	return [][]Param{parseValue(field, 200).Params}
}

func TestNamesAreBounded(t *testing.T) {
	var many []Param
	for i := range 5000 {
		many = append(many, Param{Name: "filename", Value: strings.Repeat("x", i%7+1) + strings.Repeat("y", i/7)})
	}
	if n := len(decodeNames(nil, [][]Param{many})); n != mostNames {
		t.Errorf("%d names", n)
	}
}

// FuzzDecodeWords checks that a text stays one: valid UTF-8, and not much
// larger.
func FuzzDecodeWords(f *testing.F) {
	f.Add("=?utf-8?Q?a?= =?x?B?YQ==?= b")
	f.Add(strings.Repeat("=?", 100))
	f.Fuzz(func(t *testing.T, s string) {
		got := DecodeWords(s)
		if !utf8.ValidString(got) || len(got) > 3*len(s)+3 {
			t.Fatalf("DecodeWords(%q) = %q", s, got)
		}
	})
}

// FuzzDecodeNames checks that any parameters give names in UTF-8, and the plain
// value among them.
func FuzzDecodeNames(f *testing.F) {
	f.Add("attachment; filename*0*=UTF-8''inv; filename*1*=oice.exe; filename=a")
	f.Add("attachment; filename*99999999999999999999=x; name*-1=y; name**=z")
	f.Fuzz(func(t *testing.T, field string) {
		params := parsed(field)
		names := decodeNames(nil, params)
		for _, n := range names {
			if n == "" || !utf8.ValidString(n) {
				t.Fatalf("%q gives the name %q", field, n)
			}
		}
		for _, p := range params[0] {
			if p.Name == "filename" && strings.Trim(p.Value, "\r\n") != "" && len(names) == 0 {
				t.Fatalf("%q gives no name", field)
			}
		}
	})
}

func BenchmarkDecodeNames(b *testing.B) {
	cd := parsed(`attachment; filename="=?UTF-8?Q?Gr=C3=BC=C3=9Fe.pdf?="; size=12345`)
	ct := parsed(`application/pdf; name="=?UTF-8?Q?Gr=C3=BC=C3=9Fe.pdf?="`)
	for b.Loop() {
		decodeNames(ct, cd)
	}
}
