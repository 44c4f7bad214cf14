package texts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/scantest"
)

// shown is a part with a picture.
func shown(sniffed, content string) scan.Part {
	return with(part(sniffed, "a", content), func(p *scan.Part) { p.Sniffed = sniffed })
}

// answering reads the same code in every picture of a set.
func answering(code string) Codes {
	return func(_ context.Context, s *picture.Set, _ time.Duration) (found []picture.Found, err error) {
		for i := range s.Len() {
			found = append(found, picture.Found{Item: i, What: picture.Code, Text: code})
		}
		return found, nil
	}
}

func TestPicturesOfParts(t *testing.T) {
	small := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
	drawn := "<pre>" + strings.Repeat(strings.Repeat("█ ▀", 10)+"\n", 15) + "</pre>"
	for _, tt := range []struct {
		name  string
		parts []scan.Part
		want  string
	}{
		{"a picture", []scan.Part{shown("image/png", "x")}, "0 QR 0 http://x.test/"},
		{"attached", []scan.Part{with(shown("image/jpeg", "x"), func(p *scan.Part) { p.Entity = &entity.Entity{Disposition: "attachment"} })}, "0 QR 1 http://x.test/"},
		{"in an archive", []scan.Part{with(shown("image/gif", "x"), func(p *scan.Part) { p.Archived, p.Entity = true, nil })}, "0 QR 1 http://x.test/"},
		{"a document", []scan.Part{shown("application/pdf", "%PDF-1.4 /Subtype/Image")}, "0 QR 0 http://x.test/"},
		{"a document without pictures", []scan.Part{shown("application/pdf", "%PDF-1.4")}, ""},
		{"the same twice", []scan.Part{shown("image/webp", "x"), shown("image/webp", "x")}, "0 QR 0 http://x.test/"},
		{"two", []scan.Part{shown("image/bmp", "x"), shown("image/tiff", "y")}, "0 QR 0 http://x.test/ 1 QR 0 http://x.test/"},
		{"a spacer", []scan.Part{shown("image/png", small)}, ""},
		{"no picture", []scan.Part{shown("application/zip", "x")}, ""},
		{"drawn by a page", []scan.Part{part("text/html", "", drawn)}, "0 HTML 0 0 QR 0 http://x.test/"},
	} {
		i := New(DefaultLimits(), Shown)
		i.ReadCodes(answering("http://x.test/"))
		texts, err := i.Of(t.Context(), &scan.Message{Parts: tt.parts})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(listed(texts), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestLinksOfCodes(t *testing.T) {
	for code, want := range map[string]string{
		"https://x.test/a?b":                "https://x.test/a?b",
		"HTTPS://X.TEST/A":                  "HTTPS://X.TEST/A",
		"  https://x.test/ \n":              "https://x.test/",
		"URL:https://x.test/":               "https://x.test/",
		"example.com/a":                     "http://example.com/a",
		"https://x.test/a>b\"c":             "https://x.test/a>b\"c",
		"javascript:alert(1)":               "javascript:alert(1)",
		"MEBKM:TITLE:x;URL:http://x.test;;": "",
		"WIFI:T:WPA;S:guests;P:secret;;":    "",
		"M1DOE/JOHN EABC123 MUCFRALH":       "",
		"":                                  "",
	} {
		i := New(DefaultLimits(), Shown)
		i.ReadCodes(answering(code))
		texts, err := i.Of(t.Context(), &scan.Message{Parts: []scan.Part{shown("image/png", "x")}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range texts.Links() {
			got = append(got, l.Target)
		}
		switch {
		case code == "MEBKM:TITLE:x;URL:http://x.test;;":
			if !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, "x.test") }) {
				t.Errorf("%s: %q", code, got)
			}
		case strings.HasPrefix(code, "WIFI:"): // a scheme of its own, which leads nowhere
		case strings.Join(got, " ") != want:
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

// TestPicturesUnread: what was not looked at is said, and a host that cannot look now is an
// error.
func TestPicturesUnread(t *testing.T) {
	i := New(DefaultLimits(), Shown)
	i.ReadCodes(func(context.Context, *picture.Set, time.Duration) ([]picture.Found, error) {
		return []picture.Found{{Item: 1, What: picture.Over, Text: "too much"}, {Item: 7, What: picture.Code}},
			fmt.Errorf("%w: no child", scan.ErrHost)
	})
	m := scantest.Message("Subject: x\r\n\r\n")
	m.Parts = []scan.Part{shown("image/png", "x"), shown("image/png", "y")}
	texts, err := i.Of(t.Context(), m)
	if !errors.Is(err, scan.ErrHost) || len(texts.Texts) != 0 || !slices.Equal(texts.Obscure, []Obscure{{1, picture.Over, "too much"}}) {
		t.Errorf("%+v, error %v", texts, err)
	}
}

// TestPicturesFlawed: a picture whose header is wrong is told of, and not handed over.
func TestPicturesFlawed(t *testing.T) {
	header := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x00\x00\x02\x00\x08\x02\x00\x00\x00none"
	for handed, parts := range [][]scan.Part{
		{shown("image/png", header)},
		{shown("image/png", header), shown("image/png", "x"), shown("image/png", header)},
	} {
		i, got := New(DefaultLimits(), Shown), 0
		i.ReadCodes(func(_ context.Context, s *picture.Set, _ time.Duration) ([]picture.Found, error) {
			got += s.Len()
			return []picture.Found{{Item: 0, What: picture.Over, Text: "too much"}}, nil
		})
		texts, err := i.Of(t.Context(), &scan.Message{Parts: parts})
		want := []Obscure{{0, picture.Broken, "png: png: invalid format: invalid checksum"}}
		if handed > 0 {
			want = append(want, Obscure{1, picture.Over, "too much"})
		}
		if err != nil || got != handed || !slices.Equal(texts.Obscure, want) {
			t.Errorf("%d pictures handed over, %+v, error %v", got, texts.Obscure, err)
		}
	}
}
