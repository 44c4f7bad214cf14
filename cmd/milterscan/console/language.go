package console

import (
	"embed"
	"net/http"
	"slices"

	"golang.org/x/text/language"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
)

//go:embed texts/*.json
var textFiles embed.FS

// languageOf returns the language that a person has chosen, or else the browser.
func languageOf(r *http.Request, p login.Person) string {
	codes := wording.Languages()
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
