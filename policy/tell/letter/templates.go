// Package letter writes our mail, as notices and digests are: texts by language,
// in plain text and HTML, under a header that says that no person wrote it, with the pass that
// lets it through.
package letter

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	text "text/template"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Languages returns the languages of shipped templates; the first is that of people who read none of
// them.
func Languages() []string { return []string{"en", "de", "fr", "es"} }

// Templates are the words of letters, by language.
type Templates struct{ languages map[string]language }

type language struct {
	text *text.Template
	html *html.Template
}

// Filled is a letter without its header.
type Filled struct{ Subject, Text, HTML string }

// Read reads the templates in the folder "templates" of shipped, and those in local, if it is
// not nil, over them: a file LANGUAGE.txt or LANGUAGE.html there replaces what it
// defines, or adds a language. try fills every template of a language, so that an error in
// one is found before it is needed. The error names every file that cannot be used.
func Read(shipped embed.FS, local fs.FS, try func(fill Fill) error) (*Templates, error) {
	t := &Templates{languages: map[string]language{}}
	names, err := named(local)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range names {
		l, err := newLanguage(name, shipped, local)
		if err == nil {
			err = try(l.fill)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("templates for %q: %w", name, err))
		}
		t.languages[name] = l
	}
	return t, errors.Join(errs...)
}

// named returns the languages that are shipped, and those that local adds.
func named(local fs.FS) ([]string, error) {
	names := Languages()
	if local == nil {
		return names, nil
	}
	files, err := fs.Glob(local, "*.txt")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if name := strings.TrimSuffix(f, ".txt"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Languages returns the languages that have templates.
func (t *Templates) Languages() []string { return slices.Sorted(maps.Keys(t.languages)) }

// newLanguage reads the templates of a language. What one that is not shipped
// does not define is in English.
func newLanguage(name string, shipped embed.FS, local fs.FS) (language, error) {
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

// Fill fills the templates of a kind of letter: those called KIND in text and HTML, and
// "KIND.subject".
type Fill func(kind string, page any) (Filled, error)

// Fill fills the templates of a language. One that is not there is English.
func (t *Templates) Fill(code, kind string, page any) (Filled, error) {
	l, ok := t.languages[cmp.Or(code, Languages()[0])]
	if !ok {
		l = t.languages[Languages()[0]]
	}
	return l.fill(kind, page)
}

func (l language) fill(kind string, page any) (Filled, error) {
	var subject, plain, marked strings.Builder
	err := errors.Join(
		l.text.ExecuteTemplate(&subject, kind+".subject", page),
		l.text.ExecuteTemplate(&plain, kind, page),
		l.html.ExecuteTemplate(&marked, kind, page),
	)
	return Filled{submission.OneLine(subject.String(), 200), plain.String(), marked.String()}, err
}
