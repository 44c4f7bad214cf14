package courier

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
)

// mta has what was sent.
type mta struct {
	mail submission.Mail
	text string
	err  error
}

func (m *mta) Send(_ context.Context, mail submission.Mail) error {
	text, err := io.ReadAll(mail.Message)
	m.mail, m.text = mail, string(text)
	return errors.Join(err, m.err)
}

// TestSend: every letter, in every language, is one that no program answers and that we know
// again; nothing in it comes from a message as it was written.
func TestSend(t *testing.T) {
	m := &mta{}
	c := Courier{Sender: m, Key: func() ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }, From: "postmaster@example.com", Host: "mx.example.com"}
	seen := map[string]bool{}
	for _, language := range append(letter.Languages(), "xx") {
		for _, kind := range []Kind{LogIn, Asked, Answered} {
			p := Page{URL: "https://mx.example.com/x", Minutes: 15, Sender: "a@example.net\r\nBcc: eve@example.net", Subject: "<b>x</b>\r\n\r\nbody", Who: "ann", Text: "please\n.\nthanks"}
			if err := c.Send(t.Context(), kind, "ann@example.com", language, p); err != nil {
				t.Fatal(language, kind, err)
			}
			read, err := mail.ReadMessage(strings.NewReader(m.text))
			if err != nil {
				t.Fatal(err)
			}
			h := read.Header
			if m.mail.From != "" || h.Get("Auto-Submitted") != "auto-generated" || h.Get(token.Field) == "" || h.Get("Bcc") != "" || h.Get("To") != "<ann@example.com>" {
				t.Errorf("%s %s: %+v", language, kind, h)
			}
			text, page := parts(t, read)
			if strings.Contains(page, "<b>x") || strings.Contains(text, "\n.\n") || kind != Answered && !strings.Contains(text, p.URL) {
				t.Errorf("%s %s: %s\n%s", language, kind, text, page)
			}
			seen[text] = true
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d letters differ; want one for each kind and language", len(seen))
	}
	m.err = errors.New("451 later")
	if err := c.Send(t.Context(), LogIn, "ann@example.com", "en", Page{}); err == nil {
		t.Error("the MTA does not take it, and nobody hears")
	}
}

// parts returns the two parts of a letter.
func parts(t *testing.T, m *mail.Message) (text, page string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for _, to := range []*string{&text, &page} {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		*to = string(b)
	}
	return text, page
}
