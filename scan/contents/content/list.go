package content

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/units"
)

// List is a section [[content.list]]: words and patterns whose presence is a
// finding, content/list-NAME.
type List struct {
	// What findings call the list: small letters, digits and "-".
	Name string `toml:"name" example:"\"confidential\""`
	// Words, or several in a row with one blank between.
	Words []string `toml:"words" example:"[\"strictly confidential\", \"for internal use\"]"`
	// Regular expressions (RE2).
	Patterns []string `toml:"patterns" example:"[\"[A-Z]{2}[0-9]{2} ?([0-9]{4} ?){4,7}\"]"`
	// Files with further words, one a line; a line between slashes is a pattern,
	// "#" begins a comment. They are read again with every reload.
	Files []string `toml:"files" example:"[\"/etc/milterscan/confidential.txt\"]"`
	// Where to look: "subject"; "headers", all of them; "text" and "html" of the
	// message; "attachment", the text of attached files and of those in archives:
	// Office, OpenDocument, RTF, and PDF where pdftotext is installed; "names" of
	// attachments.
	Where []Where `toml:"where"`
	// Whether words count only where no letter or digit goes on at their ends.
	WholeWord bool `toml:"whole_word"`
	// Which letters count as equal: "all" folds upper and lower case, accents and characters
	// that do not show; "case" only the first; "none" nothing.
	Fold Fold `toml:"fold"`
	// What the finding adds to the score of the message, however many words it is.
	Score float64 `toml:"score"`
}

// SetDefaults gives l the shipped values.
func (l *List) SetDefaults() {
	*l = List{Where: []Where{InSubject, InText, InHTML, InAttachment}, WholeWord: true, Fold: FoldAll}
}

// Where is a place to look for words in.
type Where string

// The places.
const (
	InSubject    Where = "subject"
	InHeaders    Where = "headers"
	InText       Where = "text"
	InHTML       Where = "html"
	InAttachment Where = "attachment"
	InNames      Where = "names"
)

// UnmarshalText reads the word of a place.
func (w *Where) UnmarshalText(text []byte) error {
	return units.ReadWord(w, text, InSubject, InHeaders, InText, InHTML, InAttachment, InNames)
}

// Fold is what makes words the same.
type Fold string

// The folds.
const (
	FoldAll  Fold = "all"
	FoldCase Fold = "case"
	FoldNone Fold = "none"
)

// UnmarshalText reads "all", "case" or "none".
func (f *Fold) UnmarshalText(text []byte) error {
	return units.ReadWord(f, text, FoldAll, FoldCase, FoldNone)
}

// apply returns a text as it is compared.
func (f Fold) apply(s string) string {
	switch f {
	case FoldAll:
		return charset.Fold(s)
	case FoldCase:
		return strings.ToLower(s)
	}
	return s
}

// check returns the errors of a list.
func (l List) check() error {
	var check units.Check
	check.If(l.Name == "" || strings.Trim(l.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "",
		"name", "%q is no name; write small letters, digits and \"-\"", l.Name)
	check.If(len(l.Words)+len(l.Patterns)+len(l.Files) == 0, "", "the list %q has no words, patterns or files; write some", l.Name)
	check.If(len(l.Where) == 0, "where", "the list %q looks nowhere; where can be \"text\"", l.Name)
	for i, p := range l.Patterns {
		if _, err := l.compile(p); err != nil {
			check.Wrong(fmt.Sprintf("patterns[%d]", i), "%v", err)
		}
	}
	return check.Err()
}

// compile makes a pattern that folds case as the list does.
func (l List) compile(pattern string) (*regexp.Regexp, error) {
	if l.Fold != FoldNone {
		pattern = "(?i:" + pattern + ")"
	}
	re, err := regexp.Compile(pattern)
	if err == nil && re.MatchString("") {
		return nil, fmt.Errorf("the pattern %q finds nothing, which is everywhere", pattern)
	}
	return re, err
}

// read returns the list with what its files hold. An error names file and line.
func (l List) read() (List, error) {
	var errs []error
	l.Words, l.Patterns = slices.Clip(l.Words), slices.Clip(l.Patterns) // those of the configuration stay as they are
	for _, name := range l.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("list %q: %w", l.Name, err))
			continue
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if err := l.line(line); err != nil {
				errs = append(errs, fmt.Errorf("list %q: %s:%d: %w", l.Name, name, n, err))
			}
		}
	}
	return l, errors.Join(errs...)
}

// line takes in one line of a file.
func (l *List) line(s string) error {
	s = strings.TrimSpace(strings.TrimPrefix(s, "\ufeff"))
	switch {
	case s == "", strings.HasPrefix(s, "#"):
	case len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/':
		if _, err := l.compile(s[1 : len(s)-1]); err != nil {
			return err
		}
		l.Patterns = append(l.Patterns, s[1:len(s)-1])
	default:
		l.Words = append(l.Words, s)
	}
	return nil
}
