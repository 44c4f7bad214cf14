package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
)

//go:embed texts/*.json
var textFiles embed.FS

// texts are those of one language, by key. A text with numbers in it has the verbs of
// package fmt.
type texts map[string]string

// Languages returns the languages of the pages, by their codes; the first is that of
// browsers that ask for none of them.
func Languages() []string { return []string{"en", "de", "fr", "es"} }

// readTexts returns the texts of a language.
func readTexts(code string) (texts, error) {
	file, err := textFiles.ReadFile("texts/" + code + ".json")
	if err != nil {
		return nil, err
	}
	t := texts{}
	if err := json.Unmarshal(file, &t); err != nil {
		return nil, fmt.Errorf("texts/%s.json: %w", code, err)
	}
	return t, nil
}

// of returns the text of a key with its arguments. One that is missing shows its key:
// a test finds those.
func (t texts) of(key string, args ...any) string {
	text, ok := t[key]
	switch {
	case !ok:
		return key
	case len(args) == 0:
		return text
	}
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = shown(s)
		}
	}
	return fmt.Sprintf(text, args...)
}

// shown is policy.Visible for texts that a locale may have written: blanks that do not
// break stay what they are.
func shown(s string) string {
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

// or returns the text of a key, or the other text: words of the program that are no
// closed list have no texts.
func (t texts) or(key, other string) string {
	if text, ok := t[key]; ok {
		return text
	}
	return shown(other)
}

// languageOf returns the language that a person has chosen, or else the browser.
func languageOf(r *http.Request, p login.Person) string {
	codes := Languages()
	if slices.Contains(codes, p.Language) {
		return p.Language
	}
	tags := make([]language.Tag, len(codes))
	for i, code := range codes {
		tags[i] = language.Make(code)
	}
	header := r.Header.Get("Accept-Language")
	wanted, _, err := language.ParseAcceptLanguage(header[:min(len(header), maxHeader)])
	if err != nil {
		return codes[0]
	}
	_, i, _ := language.NewMatcher(tags).Match(wanted...)
	return codes[i]
}

// maxHeader is how much of a field of the browser is read.
const maxHeader = 1000
