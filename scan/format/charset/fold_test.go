package charset

import (
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"plain text 1":             "plain text 1",
		"UPPER Case":               "upper case",
		"Ärger über Öl":            "arger uber ol",
		"e\u0301te\u0301":          "ete",
		"Straße":                   "strasse",
		"ＦＵＬＬ ｗｉｄｔｈ":               "full width",
		"con\u200bfi\u00addential": "confidential",
		"ﬁnance ² №":               "finance 2 no",
		"ПРИВЕТ Ё":                 "привет е",
		"İSTANBUL ılık":            "istanbul ilik",
		"中文":                       "中文",
		"\xff":                     "\ufffd",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q folds to %q, want %q", in, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Ärger ﬁ \u200b\xff가")
	f.Fuzz(func(t *testing.T, in string) {
		once := Fold(in)
		if !utf8.ValidString(once) && utf8.ValidString(in) {
			t.Errorf("%q folds to %q", in, once)
		}
		if len(once) > 64*len(in) {
			t.Errorf("%d bytes fold to %d", len(in), len(once))
		}
	})
}
