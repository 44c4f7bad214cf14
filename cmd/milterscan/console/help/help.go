// Package help shows the pages about milterscan in the console, and searches them, where no
// other host needs to be reached.
package help

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/docs/guide"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// room is the pages.
type room struct {
	console   *console.Console
	texts     map[string]wording.Texts
	templates map[string]*template.Template
}

// Mount has a console serve the pages to everybody who has logged in. The error is a fault of
// the program.
func Mount(c *console.Console, who console.People) error {
	x := &room{c, map[string]wording.Texts{}, map[string]*template.Template{}}
	for _, code := range wording.Languages() {
		t, err := wording.Read(textFiles, code)
		if err != nil {
			return err
		}
		x.texts[code] = t
		x.templates[code], err = template.New("").Funcs(template.FuncMap{"t": t.Of, "place": place}).ParseFS(templateFiles, "templates/*.html")
		if err != nil {
			return err
		}
	}
	c.Mount(console.Surface{Who: who.Who, Fail: c.Fail, Routes: []console.Route{
		{Method: "GET", Pattern: "/help", Apart: true, Handle: x.contents},
		{Method: "GET", Pattern: "/help/{page}", Apart: true, Handle: x.page},
	}})
	return nil
}

// contents shows the list of pages, or what a search has found.
func (x *room) contents(w http.ResponseWriter, r *http.Request, p login.Person) error {
	g, err := guide.Shipped()
	if err != nil {
		return err
	}
	question := r.URL.Query().Get("q")
	data := struct {
		Question string
		Hits     []guide.Hit
		Groups   []guide.Group
	}{Question: question}
	if question == "" {
		data.Groups = g.Groups()
	} else {
		data.Hits = g.Search(question)
	}
	return x.show(w, r, p, "contents", "", data)
}

// place returns the address of what a search has found.
func place(h guide.Hit) string {
	if h.Anchor == "" {
		return "/help/" + h.Page.Name
	}
	return "/help/" + h.Page.Name + "#" + h.Anchor
}

// page shows one page.
func (x *room) page(w http.ResponseWriter, r *http.Request, p login.Person) error {
	g, err := guide.Shipped()
	if err != nil {
		return err
	}
	page := g.Page(r.PathValue("page"))
	if page == nil {
		return console.ErrNotFound
	}
	return x.show(w, r, p, "page", page.Title, page)
}

// show writes a page in the language of the person; what it is about is in English.
func (x *room) show(w http.ResponseWriter, r *http.Request, p login.Person, name, title string, data any) error {
	code := console.LanguageOf(r, p)
	var body bytes.Buffer
	if err := x.templates[code].ExecuteTemplate(&body, name+".html", data); err != nil {
		return err
	}
	if title == "" {
		title = x.texts[code].Of("title")
	}
	x.console.Frame(w, r, p, title, template.HTML(body.String()), http.StatusOK)
	return nil
}
