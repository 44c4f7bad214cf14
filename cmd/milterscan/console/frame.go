package console

import (
	"html/template"
	"net/http"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// framed is a page of another room.
type framed struct {
	heading string
	Body    template.HTML
}

func (f framed) title(*pages) string { return f.heading }

// Frame writes a page of another room, laid out like ours. Its body is markup.
func (c *Console) Frame(w http.ResponseWriter, r *http.Request, p login.Person, title string, body template.HTML, status int) {
	secure(w.Header(), r) // where the sessions cannot be read, no page of ours is asked
	v := c.view(r, p, "framed")
	v.Page = framed{title, body}
	v.write(w, status)
}

// Fail shows an error as a page.
func (c *Console) Fail(w http.ResponseWriter, r *http.Request, p login.Person, err error) {
	c.fail(w, r, p, err)
}

// LanguageOf returns the language in which pages are written for a person, who may not
// have logged in.
func LanguageOf(r *http.Request, p login.Person) string { return languageOf(r, p) }
