// Package courier sends single letters to people of ours: links to log in with, what people ask of
// the help desk, and what they are answered.
package courier

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

//go:embed templates
var shipped embed.FS

// Kind is a kind of letter.
type Kind string

// The kinds of letters.
const (
	LogIn    Kind = "login"    // a link to log in with
	Asked    Kind = "asked"    // a person asks for a kept message
	Answered Kind = "answered" // what was answered
)

// Page is what templates are filled with. Every text that comes from a message or a person
// is made one short line by Send.
type Page struct {
	Host    string
	To      string
	URL     string // of a page of ours
	Minutes int    // for which a link is good
	Sender  string // of the message
	Subject string
	ID      string
	Who     string // who asks
	Text    string // the reason, or the answer
	Granted bool
}

// longest is how much of a text is in a letter, in bytes.
const longest = 1000

// harmless returns the page with every text in it a short line.
func (p Page) harmless() Page {
	for _, s := range []*string{&p.Sender, &p.Subject, &p.Who} {
		*s = submission.OneLine(*s, 200)
	}
	p.Text = submission.OneLine(p.Text, longest)
	return p
}

// Sender hands a letter to the MTA.
type Sender interface {
	Send(ctx context.Context, m submission.Mail) error
}

// Courier sends letters.
type Courier struct {
	Sender Sender
	Key    func() ([]byte, error) // that signs passes
	From   string                 // of the header: "postmaster@example.com"
	Host   string                 // our name
}

// templates returns the shipped ones. The error is a fault of the program.
var templates = sync.OnceValues(func() (*letter.Templates, error) { return letter.Read(shipped, nil, try) })

// try fills every template of a language.
func try(fill letter.Fill) error {
	var errs []error
	for _, kind := range []Kind{LogIn, Asked, Answered} {
		for _, granted := range []bool{false, true} {
			_, err := fill(string(kind), Page{Granted: granted, Text: "x"})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Send sends a letter to one address, in a language. It comes from the null sender, and is known
// by its pass when it comes by us.
func (c Courier) Send(ctx context.Context, kind Kind, to, language string, p Page) error {
	t, err := templates()
	if err != nil {
		return err
	}
	p = p.harmless()
	p.Host, p.To = c.Host, to
	filled, err := t.Fill(language, string(kind), p)
	if err != nil {
		return err
	}
	now, id := time.Now(), strings.ToLower(rand.Text())
	text, err := letter.Letter{From: c.From, To: to, Host: c.Host, Kind: string(kind), ID: id, Date: now}.Write(filled)
	if err != nil {
		return err
	}
	key, err := c.Key()
	if err != nil {
		return err
	}
	if text, err = letter.Sign(key, text, id, now); err != nil {
		return err
	}
	return c.Sender.Send(ctx, submission.Mail{To: []string{to}, Message: bytes.NewReader(text)})
}
