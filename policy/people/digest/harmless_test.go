package digest

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// links is what clients make links of.
var links = regexp.MustCompile(`(?i)[a-z]:[^\s\]]|[\pL\pN]\.\pL`)

func TestHarmless(t *testing.T) {
	for s, want := range map[string]string{
		"Hello, Bob: lunch at 12:30?":             "Hello, Bob: lunch at 12:30?",
		"Re: your order no. 4711 (v1.2)":          "Re: your order no. 4711 (v1.2)",
		"https://evil.example/a?b=c":              "https[:]//evil[.]example/a?b=c",
		"www.evil.example now":                    "www[.]evil[.]example now",
		"pay at EVIL.EXAMPLE/login":               "pay at EVIL[.]EXAMPLE/login",
		"a.b.c.d.example":                         "a[.]b[.]c[.]d[.]example",
		"mailto:eve@evil.example":                 "mailto[:]eve@evil[.]example",
		"tel:+15550100 javascript:alert(1)":       "tel[:]+15550100 javascript[:]alert(1)",
		"http:\\\\evil.example":                   "http[:]\\\\evil[.]example",
		"xn--e1afmkfd.xn--p1ai пример.рф":         "xn--e1afmkfd[.]xn--p1ai пример[.]рф",
		"例え。テスト":                                  "例え[。]テスト",
		"two\r\nlines\tand\x00more":               "two lines and more",
		"\u202eexe.fdp\u202c \u2066x\u2069":       "exe[.]fdp x",
		"zero\u200bwidth ht\u200btps://x.example": "zero width ht tps[:]//x[.]example",
		"  many     blanks ":                      "many blanks",
		"bad \xff bytes":                          "bad ? bytes",
		"a:b:c":                                   "a[:]b[:]c",
	} {
		if got := harmless(s, 200); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := harmless("e"+strings.Repeat("\u0301", 500)+"x", 200); got != "e\u0301\u0301\u0301x" {
		t.Errorf("%q", got)
	}
	for _, s := range []string{strings.Repeat("ü", 10_000), strings.Repeat("a.", 5_000), strings.Repeat("https://x.example/ ", 600)} {
		if got := harmless(s, 150); len(got) > 160 || links.MatchString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	}
}

func TestAddress(t *testing.T) {
	for s, want := range map[string]string{
		"a.b@example.com":                   "a.b@example.com",
		`"quoted local"@example.com`:        `"quoted local"@example[.]com`,
		"https://evil.example/@example.com": "https[:]//evil[.]example/@example[.]com",
		"evil.example":                      "evil[.]example",
		"a\u202e@example.com":               "a @example.com",
	} {
		if got := address(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add("https://www.evil.example/ \u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := harmless(s, 150)
		if len(got) > 160 || !utf8.ValidString(got) || links.MatchString(got) {
			t.Errorf("%q: %q", s, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q has %q", got, r)
			}
		}
	})
}
