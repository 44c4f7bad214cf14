package door

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// pages are the templates and texts, by language.
type pages struct {
	texts     map[string]wording.Texts
	templates map[string]*template.Template
}

// written are the pages, which are made when the first is shown: most hosts show none.
var written = sync.OnceValues(parse)

// parse reads the templates, once for each language.
func parse() (*pages, error) {
	p := &pages{map[string]wording.Texts{}, map[string]*template.Template{}}
	for _, code := range wording.Languages() {
		t, err := wording.Read(textFiles, code)
		if err != nil {
			return nil, err
		}
		p.texts[code] = t
		p.templates[code], err = template.New("").Funcs(template.FuncMap{"t": t.Of, "time": moment, "visible": visible}).
			ParseFS(templateFiles, "templates/*.html")
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// moment shows a time, and says it to programs.
func moment(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.Local().Format("2006-01-02 15:04") + `</time>`)
}

// visible shows a text that comes from elsewhere: what cannot be seen is written out, and its direction ends with it.
func visible(s string) template.HTML {
	return template.HTML(`<bdi>` + template.HTMLEscapeString(policy.Visible(s)) + `</bdi>`)
}

// show writes a page. Its navigation has what the person may see now or, if that cannot be found out, what the
// account may see.
func (d *Door) show(w http.ResponseWriter, r *http.Request, p login.Person, status int, name string, data any) {
	if whole, err := d.Owners.Complete(r.Context(), p); err == nil {
		p = whole
	}
	title, body, err := write(d.Language(r, p), name, data)
	if err != nil {
		d.Log.Error("page cannot be made", zap.String("page", name), zap.Error(err))
		http.Error(w, "this page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	d.Layout(w, r, p, Page{Title: title, Body: body, Status: status})
}

// write makes a page in a language, or in the first there is.
func write(code, name string, data any) (title string, body template.HTML, err error) {
	p, err := written()
	if err != nil {
		return "", "", err
	}
	if p.templates[code] == nil {
		code = wording.Languages()[0]
	}
	var b bytes.Buffer
	err = p.templates[code].ExecuteTemplate(&b, name+".html", data)
	return p.texts[code].Of("title-" + name), template.HTML(b.String()), err
}

// say writes a page that says why there is no other.
func (d *Door) say(w http.ResponseWriter, r *http.Request, p login.Person, status int, key string) {
	d.show(w, r, p, status, "problem", key)
}
