package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"maps"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"path"
	"slices"
	"strings"
	text "text/template"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
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
type Templates struct{ languages map[string]language }

type language struct {
	text *text.Template
	html *html.Template
}

// Languages returns the languages of the shipped templates.
func Languages() []string { return []string{"en", "de", "fr", "es"} }

// NewTemplates reads the shipped templates, and those in local, if it is not nil,
// over them: a file LANGUAGE.txt or LANGUAGE.html there replaces what it defines,
// or adds a language. The error names every file that cannot be used.
func NewTemplates(local fs.FS) (*Templates, error) {
	t := &Templates{languages: map[string]language{}}
	names := Languages()
	if local != nil {
		files, err := fs.Glob(local, "*.txt")
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if name := strings.TrimSuffix(f, ".txt"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	var errs []error
	for _, name := range names {
		l, err := newLanguage(name, local)
		if err == nil {
			err = l.try()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("templates for %q: %w", name, err))
		}
		t.languages[name] = l
	}
	return t, errors.Join(errs...)
}

// Languages returns the languages that have templates.
func (t *Templates) Languages() []string { return slices.Sorted(maps.Keys(t.languages)) }

// newLanguage reads the templates of a language. What one that is not shipped
// does not define is in English.
func newLanguage(name string, local fs.FS) (language, error) {
	base := name
	if !slices.Contains(Languages(), name) {
		base = Languages()[0]
	}
	l := language{text.New("").Option("missingkey=error"), html.New("").Option("missingkey=error")}
	_, err := l.text.ParseFS(shipped, path.Join("templates", base+".txt"))
	if err == nil {
		_, err = l.html.ParseFS(shipped, path.Join("templates", base+".html"))
	}
	if local == nil || err != nil {
		return l, err
	}
	if exists(local, name+".txt") {
		_, err = l.text.ParseFS(local, name+".txt")
	}
	if exists(local, name+".html") && err == nil {
		_, err = l.html.ParseFS(local, name+".html")
	}
	return l, err
}

func exists(in fs.FS, name string) bool {
	_, err := fs.Stat(in, name)
	return err == nil
}

// try fills every template, so that an error in one is found before it is
// needed.
func (l language) try() error {
	p := Page{Host: "mx.example.com", To: "a@example.com", Events: []Event{{ID: "x"}, {Kept: true}}, More: 1, Total: 3}
	for _, a := range Audiences() {
		if _, err := l.fill(string(a), p); err != nil {
			return err
		}
	}
	return nil
}

// filled is a notice without its header.
type filled struct{ subject, text, html string }

func (l language) fill(audience string, p Page) (filled, error) {
	var subject, plain, marked strings.Builder
	err := errors.Join(
		l.text.ExecuteTemplate(&subject, audience+".subject", p),
		l.text.ExecuteTemplate(&plain, audience, p),
		l.html.ExecuteTemplate(&marked, audience, p),
	)
	return filled{submission.OneLine(subject.String(), 200), plain.String(), marked.String()}, err
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
	l, ok := t.languages[d.Language]
	if !ok {
		l = t.languages[Languages()[0]]
	}
	p := Page{Host: d.Host, To: d.To, More: max(0, len(d.Events)-MaxEvents), Total: len(d.Events)}
	for _, e := range d.Events[:min(len(d.Events), MaxEvents)] {
		p.Events = append(p.Events, e.harmless())
	}
	f, err := l.fill(string(d.Audience), p)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	d.header(&b, f.subject)
	err = d.body(&b, f)
	return b.Bytes(), err
}

// header says that no person wrote this, and that no program is to answer it
// (RFC 3834, section 5).
func (d Draft) header(b *bytes.Buffer, subject string) {
	field := func(name, value string) { fmt.Fprintf(b, "%s: %s\r\n", name, value) }
	field("From", d.From)
	field("To", "<"+submission.OneLine(d.To, 300)+">")
	field("Subject", submission.Encoded(subject))
	field("Date", d.Date.Format(time.RFC1123Z))
	field("Message-ID", "<"+d.ID+"@"+d.Host+">")
	field("Auto-Submitted", "auto-generated")
	field("MIME-Version", "1.0")
	field("Content-Type", "multipart/alternative; boundary="+d.boundary())
	b.WriteString("\r\n")
}

func (d Draft) boundary() string { return "notice-" + d.ID }

func (d Draft) body(b *bytes.Buffer, f filled) error {
	m := multipart.NewWriter(b)
	if err := m.SetBoundary(d.boundary()); err != nil {
		return err
	}
	for _, part := range [][2]string{{"text/plain; charset=utf-8", f.text}, {"text/html; charset=utf-8", f.html}} {
		w, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {part[0]}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return err
		}
		q := quotedprintable.NewWriter(w)
		_, err = q.Write([]byte(strings.ReplaceAll(part[1], "\n", "\r\n")))
		if err := errors.Join(err, q.Close()); err != nil {
			return err
		}
	}
	return m.Close()
}

// Sign puts the pass of a notice on top of it, so that it is known when it comes
// by.
func Sign(key, notice []byte, id string, now time.Time) ([]byte, error) {
	sum, err := token.Sum(bytes.NewReader(notice))
	if err != nil {
		return nil, err
	}
	g := token.Grant{For: token.Notice, ID: id, Issued: now, Body: sum}
	return append([]byte(token.Field+": "+token.Write(key, g)+"\r\n"), notice...), nil
}

// harmless returns the event with every text in it a short line.
func (e Event) harmless() Event {
	for _, s := range []*string{&e.Sender, &e.Recipient, &e.Subject, &e.Client, &e.Finding, &e.File, &e.Detail, &e.Rule} {
		*s = submission.OneLine(*s, 200)
	}
	return e
}
