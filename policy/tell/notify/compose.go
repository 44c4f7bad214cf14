package notify

import (
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

//go:embed templates
var shipped embed.FS

// Page is what templates are filled with. Every text in an event that comes from
// a message is one line of printable characters, at most 200 bytes; the HTML
// templates escape it as well.
type Page struct {
	Host   string // that sends the notice
	To     string
	Events []Event // at least one, at most MaxEvents
	More   int     // that are not listed
	Total  int     // both
}

// MaxEvents is how many messages one notice lists.
const MaxEvents = 50

// Templates are the words of notices, by language.
type Templates struct{ *letter.Templates }

// Languages returns the languages of the shipped templates.
func Languages() []string { return letter.Languages() }

// NewTemplates reads the shipped templates, and those in local, if it is not nil,
// over them: a file LANGUAGE.txt or LANGUAGE.html there replaces what it defines,
// or adds a language. The error names every file that cannot be used.
func NewTemplates(local fs.FS) (*Templates, error) {
	t, err := letter.Read(shipped, local, try)
	return &Templates{t}, err
}

// try fills every template of a language.
func try(fill letter.Fill) error {
	p := Page{Host: "mx.example.com", To: "a@example.com", Events: []Event{{ID: "x"}, {Kept: true}}, More: 1, Total: 3}
	var errs []error
	for _, a := range Audiences() {
		_, err := fill(string(a), p)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Draft is a notice before it has words.
type Draft struct {
	From     string // of the header; the envelope has the null sender
	To       string
	Audience policy.Audience
	Language string // one that is not there is English
	Host     string // that sends it
	ID       string // for its Message-ID and the MIME boundary: unique, letters and digits
	Date     time.Time
	Events   []Event
}

// Compose writes a notice, without the pass that lets it through.
func (t *Templates) Compose(d Draft) ([]byte, error) {
	p := Page{Host: d.Host, To: d.To, More: max(0, len(d.Events)-MaxEvents), Total: len(d.Events)}
	for _, e := range d.Events[:min(len(d.Events), MaxEvents)] {
		p.Events = append(p.Events, e.harmless())
	}
	f, err := t.Fill(d.Language, string(d.Audience), p)
	if err != nil {
		return nil, err
	}
	return letter.Letter{From: d.From, To: d.To, Host: d.Host, Kind: "notice", ID: d.ID, Date: d.Date}.Write(f)
}

// harmless returns the event with every text in it a short line.
func (e Event) harmless() Event {
	for _, s := range []*string{&e.Sender, &e.Recipient, &e.Subject, &e.Client, &e.Finding, &e.File, &e.Detail, &e.Rule} {
		*s = submission.OneLine(*s, 200)
	}
	return e
}
