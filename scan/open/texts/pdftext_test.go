package texts

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// message is one of so many PDFs.
func message(pdfs int) *scan.Message {
	m := scantest.Message("Subject: x\r\n\r\n")
	for range pdfs {
		m.Parts = append(m.Parts, part("application/pdf", "a.pdf", "%PDF-1.4 /URI(http://x.test/)"))
	}
	return m
}

func TestTextOfPDFs(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		whole bool
		err   error
		cut   bool
	}{
		"read":      {"the words", true, nil, false},
		"too long":  {"the", false, nil, true},
		"damaged":   {"", true, errors.New("damaged"), true},
		"no text":   {"", true, nil, false},
		"not UTF-8": {"a\xffb", true, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			i := New(DefaultLimits(), Everything)
			i.ReadPDF(func(context.Context, scan.Content, int) (string, bool, error) { return c.text, c.whole, c.err })
			texts, err := i.Of(t.Context(), message(1))
			if err != nil || len(texts.Texts) != 1 {
				t.Fatalf("%v, error %v", texts, err)
			}
			want := c.text
			if name == "not UTF-8" {
				want = "a\uFFFDb"
			}
			if p := texts.Texts[0].Page; p.Text != want || p.Cut != c.cut || len(p.Links) != 1 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// TestTextOfPDFsUnavailable: a PDF that this host cannot read now is an error, beside
// which its links are listed.
func TestTextOfPDFsUnavailable(t *testing.T) {
	i := New(DefaultLimits(), Everything)
	i.ReadPDF(func(context.Context, scan.Content, int) (string, bool, error) {
		return "", false, fmt.Errorf("%w: no process", scan.ErrHost)
	})
	texts, err := i.Of(t.Context(), message(1))
	if !errors.Is(err, scan.ErrHost) || len(texts.Texts) != 1 || !texts.Texts[0].Page.Cut || len(texts.Texts[0].Page.Links) != 1 {
		t.Errorf("%+v, error %v", texts, err)
	}
}

// TestManyPDFs: there is an end to what a message may make us read, and what was not
// read is said to be missing.
func TestManyPDFs(t *testing.T) {
	n := 0
	i := New(DefaultLimits(), Everything)
	i.ReadPDF(func(context.Context, scan.Content, int) (string, bool, error) { n++; return "", true, nil })
	texts, err := i.Of(t.Context(), message(mostPDFs+5))
	if err != nil || n != mostPDFs {
		t.Fatalf("%d were read, error %v", n, err)
	}
	for k, text := range texts.Texts {
		if text.Page.Cut != (k >= mostPDFs) {
			t.Errorf("PDF %d: cut %t", k, text.Page.Cut)
		}
	}
}

// TestPDFsUnread: where nobody wants words, nobody reads PDFs.
func TestPDFsUnread(t *testing.T) {
	i := New(DefaultLimits(), Shown)
	i.ReadPDF(func(context.Context, scan.Content, int) (string, bool, error) {
		t.Error("it was read")
		return "", true, nil
	})
	if _, err := i.Of(t.Context(), message(1)); err != nil {
		t.Error(err)
	}
}
