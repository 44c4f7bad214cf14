package appeal

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// page is what there is in one language.
type page struct {
	code      string
	texts     wording.Texts
	templates *template.Template
}

// parse reads the templates, once for each language.
func parse() (map[string]*page, error) {
	all := map[string]*page{}
	for _, code := range wording.Languages() {
		t, err := wording.Read(textFiles, code)
		if err != nil {
			return nil, err
		}
		p := &page{code: code, texts: t}
		p.templates, err = template.New("").Funcs(template.FuncMap{"t": t.Of, "time": moment, "visible": policy.Visible}).
			ParseFS(templateFiles, "templates/*.html")
		if err != nil {
			return nil, err
		}
		all[code] = p
	}
	return all, nil
}

// languageOf returns the language in which pages are written.
func languageOf(r *http.Request, p login.Person) string { return console.LanguageOf(r, p) }

// moment shows a time, and says it to programs.
func moment(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.Local().Format("2006-01-02 15:04") + `</time>`)
}

// formPage is what the page with the form shows: of the message nothing from which
// another person than its sender would learn.
type formPage struct {
	ID       string
	Time     time.Time
	Form     string
	Question string
	Trouble  string
	Text     string
	Most     int
}

// show writes a page.
func (x *room) show(w http.ResponseWriter, r *http.Request, p *page, status int, name string, data any) error {
	var body bytes.Buffer
	if err := p.templates.ExecuteTemplate(&body, name+".html", data); err != nil {
		return err
	}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	x.Console.Frame(w, r, login.Person{Language: p.code}, p.texts.Of("title"), template.HTML(body.String()), status)
	return nil
}

// say writes a page that has one thing to say.
func (x *room) say(w http.ResponseWriter, r *http.Request, status int, key string) error {
	return x.show(w, r, x.page(r), status, "said", key)
}
