package folk

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy/people"
)

// rowsOfPage is how many people a page lists.
const rowsOfPage = 50

// mostOfFilter is how long a text may be that is looked for.
const mostOfFilter = 200

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// room serves the pages.
type room struct {
	*Folk
	templates map[string]*template.Template // by language
	texts     map[string]wording.Texts
}

// page is what a template is filled with.
type page struct {
	Person      login.Person
	Done        bool
	Title, Text string // of what went wrong
	Data        any
}

// listPage lists people.
type listPage struct {
	Like   string
	People []One
	Next   string // the address of what comes after; "" where that is all
	Early  bool   // the search goes on there, and the page is not full
}

// onePage shows one person.
type onePage struct {
	One
	Changes   bool // the viewer may change the settings
	At        string
	Intervals []string
	Languages []string
	DropAfter int
	Bounds    people.Bounds // of limits of the score
	Form      string        // a delegate that could not be named
}

// Mount makes the pages reachable. The error is a fault of the program: texts or templates that do not fit.
func Mount(f *Folk, who func(*http.Request) (login.Person, error)) error {
	x := &room{Folk: f, templates: map[string]*template.Template{}, texts: map[string]wording.Texts{}}
	for _, code := range wording.Languages() {
		texts, err := wording.Read(textFiles, code)
		if err != nil {
			return err
		}
		functions := f.Console.Functions(code)
		theirs := functions["t"].(func(string, ...any) string)
		functions["t"] = func(key string, args ...any) string {
			if _, ok := texts[key]; ok {
				return texts.Of(key, args...)
			}
			return theirs(key, args...)
		}
		x.texts[code] = texts
		if x.templates[code], err = template.New("").Funcs(functions).ParseFS(templateFiles, "templates/*.html"); err != nil {
			return err
		}
	}
	const home = console.PeoplePath
	f.Console.Mount(console.Surface{Who: who, Fail: f.Console.Fail, Routes: []console.Route{
		{Method: "GET", Pattern: home, Right: login.SeePeople, Handle: x.list},
		{Method: "GET", Pattern: home + "/{address}", Right: login.SeePeople, Handle: x.one},
		{Method: "POST", Pattern: home + "/{address}", Right: login.ChangePeople, Handle: x.settle},
		{Method: "POST", Pattern: home + "/{address}/delegates", Right: login.ChangePeople, Handle: x.appoint},
	}})
	return nil
}

// show writes a page. name is its template.
func (x *room) show(w http.ResponseWriter, r *http.Request, p login.Person, name string, status int, data page) error {
	code := console.LanguageOf(r, p)
	data.Person = p
	data.Done = r.Method == http.MethodGet && r.URL.Query().Get("done") == "1"
	var body bytes.Buffer
	if err := x.templates[code].ExecuteTemplate(&body, name+".html", data); err != nil {
		return err
	}
	x.Console.Frame(w, r, p, x.texts[code].Of("title-"+name), template.HTML(body.String()), status)
	return nil
}

// trouble puts what went wrong into a page.
func (x *room) trouble(r *http.Request, p login.Person, err error, data page) page {
	data.Title, data.Text = x.Console.Trouble(r, console.LanguageOf(r, p), err)
	return data
}

// list shows the people that a person sees.
func (x *room) list(w http.ResponseWriter, r *http.Request, p login.Person) error {
	q := r.URL.Query()
	l := &listPage{Like: q.Get("like")}
	if len(l.Like) > mostOfFilter {
		return console.ErrBad
	}
	list, next, err := x.List(r.Context(), p, l.Like, q.Get("after"), rowsOfPage)
	if err != nil {
		return x.show(w, r, p, "people", console.StatusOf(err), x.trouble(r, p, err, page{Data: l}))
	}
	l.People = list
	if next != "" {
		l.Early = len(list) < rowsOfPage
		l.Next = console.PeoplePath + "?" + url.Values{"like": {l.Like}, "after": {next}}.Encode()
	}
	return x.show(w, r, p, "people", http.StatusOK, page{Data: l})
}

// one shows a person.
func (x *room) one(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showOne(w, r, p, http.StatusOK, page{}, "")
}

// showOne shows a person, with what went before, and a delegate that could not be named.
func (x *room) showOne(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page, form string) error {
	one, err := x.One(r.Context(), p, r.PathValue("address"))
	if err != nil {
		return err
	}
	o := &onePage{One: one, Changes: p.May(login.ChangePeople), Intervals: people.Intervals(), Languages: wording.Languages(),
		DropAfter: x.Console.Host.Config().People.Digest.DropAfter, Bounds: x.Bounds(), Form: form}
	if o.Settings.Digest == "daily" {
		o.At = TimeOfDay(o.Settings.At)
	}
	data.Data = o
	return x.show(w, r, p, "person", status, data)
}

// TimeOfDay writes minutes after midnight as a time such as "07:00".
func TimeOfDay(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// Wanted returns settings as a form, or a program, has them: at is a time such as "07:00", for daily digests only. The
// error is console.ErrBad for those that cannot be.
func Wanted(language, digest, at string) (people.Settings, error) {
	want := people.Settings{Language: language, Digest: digest}
	if language != "" && !slices.Contains(wording.Languages(), language) {
		return want, console.ErrBad
	}
	if digest == "daily" {
		t, err := time.Parse("15:04", at)
		if err != nil {
			return want, console.ErrBad
		}
		want.At = t.Hour()*60 + t.Minute()
	}
	if want.Check() != nil {
		return want, console.ErrBad
	}
	return want, nil
}

// settle takes over settings of a person.
func (x *room) settle(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	if _, err := x.changeable(p, r.PathValue("address")); err != nil {
		return err
	}
	want, err := Wanted(r.PostForm.Get("language"), r.PostForm.Get("digest"), r.PostForm.Get("at"))
	if err != nil {
		return err
	}
	if _, ok := x.Bounds().Read("", r.PostForm.Get("limit")); !ok {
		return console.ErrBad
	}
	err = x.Settle(r, p, r.PathValue("address"), func(now *people.Settings) {
		now.Language, now.Digest, now.At = want.Language, want.Digest, want.At
	})
	if err == nil && r.PostForm.Has("limit") {
		err = x.Limits(r, p, r.PathValue("address"), r.PostForm.Get("limit"))
	}
	return x.ended(w, r, p, err, "")
}

// appoint names a delegate of a person, or ends that one is.
func (x *room) appoint(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return errors.Join(console.ErrBad, err)
	}
	do, other := x.Appoint, r.PostForm.Get("delegate")
	if r.PostForm.Get("end") != "" {
		do, other = x.Dismiss, r.PostForm.Get("end")
	}
	return x.ended(w, r, p, do(r, p, r.PathValue("address"), other), other)
}

// ended leads back to the page of a person, or shows there what went wrong.
func (x *room) ended(w http.ResponseWriter, r *http.Request, p login.Person, err error, form string) error {
	if errors.Is(err, console.ErrNotFound) || errors.Is(err, console.ErrForbidden) {
		return err
	}
	if err != nil {
		return x.showOne(w, r, p, console.StatusOf(err), x.trouble(r, p, err, page{}), form)
	}
	http.Redirect(w, r, console.PeoplePath+"/"+url.PathEscape(r.PathValue("address"))+"?done=1", http.StatusSeeOther)
	return nil
}
