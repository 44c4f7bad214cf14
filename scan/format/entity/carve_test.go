package entity

import (
	"slices"
	"strings"
	"testing"
)

func TestCarve(t *testing.T) {
	const digits = "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD\n"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"plain text", "Dear Bob,\n\nbegin at once.\n-- \nAlice\n", nil},
		{"uuencode", "Hi\nbegin 644 cat.exe\n#0V%T\n`\nend\nbye\n", []string{"~carved1 uuencode cat.exe"}},
		{"yEnc", "Hi\n=ybegin line=128 size=3 name=a.bin\nkl\n=yend size=3\n", []string{"~carved1 yenc a.bin"}},
		{"base64", "Hi\n" + digits + digits + "QUI=\nbye\n", []string{"~carved1 base64"}},
		{"a word", "Donaudampfschifffahrtsgesellschaft\n", nil},
		{"a mail", "Hi\n\nSubject: x\nContent-Type: text/plain; name=a.txt\n\nhello\n", []string{"~carved1 a.txt"}},
		{"a mail with parts", "Hi\n\nSubject: x\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhello\n--foo\nContent-Type: a/b; name=b\nContent-Transfer-Encoding: base64\n\nQUJD\n--foo--\n",
			[]string{"1~carved1", "2~carved1 base64 b"}},
		{"parts without a mail", "Hi\n--foo\nContent-Type: a/b; name=a\n\nx\n--foo\nContent-Type: a/b; name=b\n\ny\n--foo--\n",
			[]string{"1~carved1 a", "2~carved1 b"}},
	}
	for _, tt := range tests {
		tree := &Tree{Root: &Entity{composite: true}}
		tree.Root.Carved = Carve(strings.NewReader(tt.text), int64(len(tt.text)), Limits{})
		if got := readings(tree); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if codes := noted(tree); len(codes) > 0 {
			t.Errorf("%s: what was carved says %v", tt.name, codes)
		}
	}
}
