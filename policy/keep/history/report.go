package history

import (
	"embed"
	html "html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	text "text/template"
	"time"

	"github.com/milterscan/milterscan/policy"
)

//go:embed templates
var shipped embed.FS

// Report is what happened since a time, counted. Templates are filled with it.
type Report struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Messages int64     `json:"messages"` // and early stages that refused
	Bytes    int64     `json:"bytes"`
	Sections []Section `json:"sections"`
	Engines  []Engine  `json:"engines"`
}

// Section is one kind of count, the most frequent first.
type Section struct {
	What   string  `json:"what"` // one of Counted
	Title  string  `json:"title"`
	Of     int64   `json:"of"` // how many there are in all: messages or, where the title says so, recipients
	Rows   []Count `json:"rows"`
	Others int     `json:"others"` // values that are not listed
	Rest   int64   `json:"rest"`   // how often these turned up, together
}

// Engine is what one engine or scanner did.
type Engine struct {
	Name   string `json:"name"`
	Asked  int64  `json:"asked"`  // messages
	Found  int64  `json:"found"`  // messages it objected to
	Failed int64  `json:"failed"` // messages it gave no answer for
}

// sections are what a report counts, in its order. New ones come last, since
// templates of sites count on it.
var sections = [...]struct{ what, title string }{
	{ByAction, "Messages, by what became of them"}, {ByRule, "Rules that applied, by recipients"}, {ByFinding, "Findings"},
	{BySender, "Sender domains"}, {ByRecipient, "Recipient domains"},
	{ByVerdict, "Recipients, by what became of their mail"}, {ByWatched, "Rules that only watch, by recipients"},
}

// NewReport makes a report of counts that are sorted by number. It lists the top
// values of each section, all if top is 0.
func NewReport(counts []Count, since, until time.Time, top int) Report {
	r := Report{Since: since, Until: until}
	by := map[string][]Count{}
	for _, c := range counts {
		by[c.What] = append(by[c.What], c)
	}
	for _, c := range by[ByAction] {
		r.Messages += c.N
	}
	for _, c := range by[Bytes] {
		r.Bytes += c.N
	}
	recipients := int64(0)
	for _, c := range by[ByVerdict] {
		recipients += c.N
	}
	for _, s := range sections {
		section := newSection(s.what, s.title, by[s.what], top)
		section.Of = r.Messages
		if s.what == ByRule || s.what == ByVerdict || s.what == ByWatched {
			section.Of = recipients
		}
		r.Sections = append(r.Sections, section)
	}
	r.Engines = engines(by)
	return r
}

func newSection(what, title string, counts []Count, top int) Section {
	s := Section{What: what, Title: title, Rows: []Count{}}
	for i, c := range counts {
		if top == 0 || i < top {
			s.Rows = append(s.Rows, c)
			continue
		}
		s.Others++
		s.Rest += c.N
	}
	return s
}

func engines(by map[string][]Count) []Engine {
	of := func(what, name string) int64 {
		for _, c := range by[what] {
			if c.Value == name {
				return c.N
			}
		}
		return 0
	}
	list := []Engine{}
	for _, c := range by[ByEngine] {
		list = append(list, Engine{c.Value, c.N, of(ByEngineFound, c.Value), of(ByEngineFailed, c.Value)})
	}
	return list
}

// Text writes the report for a terminal.
func (r Report) Text(w io.Writer) error { return r.text(w, "report.txt", "") }

// HTML writes the report as a page.
func (r Report) HTML(w io.Writer) error { return r.html(w, "") }

// Template writes the report by a template of the site's own, in the syntax of
// Go's text/template. Where its name ends in .html, values are escaped.
func (r Report) Template(w io.Writer, file string) error {
	if strings.HasSuffix(file, ".html") {
		return r.html(w, file)
	}
	return r.text(w, "report.txt", file)
}

func (r Report) text(w io.Writer, name, own string) error {
	t := text.New(name).Funcs(text.FuncMap{"line": policy.Visible, "share": r.share, "percent": percent})
	t, err := t.ParseFS(shipped, "templates/"+name)
	if err == nil && own != "" {
		name = filepath.Base(own)
		t, err = t.ParseFS(os.DirFS(filepath.Dir(own)), name)
	}
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, name, r)
}

func (r Report) html(w io.Writer, own string) error {
	name := "report.html"
	t, err := html.New(name).Funcs(html.FuncMap{"line": policy.Visible, "share": r.share, "percent": percent}).ParseFS(shipped,
		"templates/"+name)
	if err == nil && own != "" {
		name = filepath.Base(own)
		t, err = t.ParseFS(os.DirFS(filepath.Dir(own)), name)
	}
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, name, r)
}

// share returns a number in percent of all messages.
func (r Report) share(n int64) float64 { return percent(n, r.Messages) }

// percent returns a number in percent of another.
func percent(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}
