// Package wording has the texts of pages in all languages.
package wording

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// Texts are those of one language, by key. A text with numbers in it has the verbs of
// package fmt.
type Texts map[string]string

// Languages returns the languages of the pages, by their codes; the first is that of
// browsers that ask for none of them.
func Languages() []string { return []string{"en", "de", "fr", "es"} }

// Read returns the texts of a language, which are in the folder "texts" of files.
func Read(files fs.FS, code string) (Texts, error) {
	file, err := fs.ReadFile(files, "texts/"+code+".json")
	if err != nil {
		return nil, err
	}
	t := Texts{}
	if err := json.Unmarshal(file, &t); err != nil {
		return nil, fmt.Errorf("texts/%s.json: %w", code, err)
	}
	return t, nil
}

// Of returns the text of a key with its arguments. One that is missing shows its key:
// a test finds those.
func (t Texts) Of(key string, args ...any) string {
	text, ok := t[key]
	switch {
	case !ok:
		return key
	case len(args) == 0:
		return text
	}
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = Shown(s)
		}
	}
	return fmt.Sprintf(text, args...)
}

// Shown returns a text as policy.Visible does, for texts that a locale may have written: blanks that do not
// break stay what they are.
func Shown(s string) string {
	all := strings.FieldsFunc(s, func(r rune) bool { return r == hardBlank || r == thinBlank })
	if len(all) < 2 {
		return policy.Visible(s)
	}
	var b strings.Builder
	for _, r := range s {
		if r == hardBlank || r == thinBlank {
			b.WriteRune(r)
		} else {
			b.WriteString(policy.Visible(string(r)))
		}
	}
	return b.String()
}

// The blanks of numbers.
const (
	hardBlank = '\u00a0'
	thinBlank = '\u202f'
)

// Or returns the text of a key, or the other text: words of the program that are no
// closed list have no texts.
func (t Texts) Or(key, other string) string {
	if text, ok := t[key]; ok {
		return text
	}
	return Shown(other)
}
