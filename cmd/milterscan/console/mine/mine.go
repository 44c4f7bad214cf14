// Package mine serves the pages on which recipients look after what was kept back from them, and
// those on which others answer what they ask for.
package mine

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/tell/courier"
)

// Store keeps what people settle, list and ask for.
type Store interface {
	Settings(ctx context.Context, address string) (people.Settings, error)
	SetSettings(ctx context.Context, address string, change func(*people.Settings)) error
	LimitOf(ctx context.Context, address string) (people.Limit, error)
	SetLimit(ctx context.Context, within people.Bounds, l people.Limit) error
	Add(ctx context.Context, by people.Maker, e people.Entry) (people.Entry, error)
	Remove(ctx context.Context, owner string, id int64) (people.Entry, error)
	Entries(ctx context.Context, f people.Filter) ([]people.Entry, error)
	Ask(ctx context.Context, r people.Request) (int64, error)
	Answer(ctx context.Context, id int64, state people.RequestState, by, answer string) error
	Reopen(ctx context.Context, id int64, by string) error
	Requests(ctx context.Context, f people.RequestFilter) ([]people.Request, error)
}

// Letters send a letter to one address.
type Letters interface {
	Send(ctx context.Context, kind courier.Kind, to, language string, p courier.Page) error
}

// Directory says who is who.
type Directory interface {
	Who(address string) (directory.Person, bool)
}

// Options are what the pages work with. All fields are required.
type Options struct {
	Console   *console.Console
	Store     func() Store
	Letters   func() Letters
	Directory Directory
	Log       *zap.Logger
	Now       func() time.Time
}

// room serves the pages.
type room struct {
	Options
	texts     map[string]wording.Texts
	templates map[string]*template.Template

	mu      sync.Mutex
	waiting map[string]counted // how many requests wait, by the person they wait for
}

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// Mount makes the pages reachable. The error is a fault of the program: texts or templates that do
// not fit.
func Mount(o Options, who func(*http.Request) (login.Person, error)) error {
	x := &room{Options: o, texts: map[string]wording.Texts{}, templates: map[string]*template.Template{}, waiting: map[string]counted{}}
	for _, code := range wording.Languages() {
		if err := x.parse(code); err != nil {
			return err
		}
	}
	o.Console.Mount(console.Surface{Who: who, Fail: o.Console.Fail, Routes: x.routes()})
	o.Console.CountRequests(x.count)
	return nil
}

// parse reads the texts and templates of a language. Texts are ours, and where we have none those of the
// console.
func (x *room) parse(code string) error {
	texts, err := wording.Read(textFiles, code)
	if err != nil {
		return err
	}
	functions := x.Console.Functions(code)
	theirs := functions["t"].(func(string, ...any) string)
	functions["t"] = func(key string, args ...any) string {
		if _, ok := texts[key]; ok {
			return texts.Of(key, args...)
		}
		return theirs(key, args...)
	}
	others := functions["tor"].(func(string, string) string)
	functions["tor"] = func(key, other string) string {
		if text, ok := texts[key]; ok {
			return text
		}
		return others(key, other)
	}
	x.texts[code] = texts
	x.templates[code], err = template.New("").Funcs(functions).ParseFS(templateFiles, "templates/*.html")
	return err
}

// The times of acts: those that ask the MTA take longer.
const (
	actTime  = 90 * time.Second
	bulkTime = 150 * time.Second
	lookTime = 30 * time.Second
)

func (x *room) routes() []console.Route {
	const home, desk = console.MinePath, console.RequestsPath
	return []console.Route{
		{Method: "GET", Pattern: home, Right: login.SeeOwn, Handle: x.list},
		{Method: "POST", Pattern: home, Right: login.SeeOwn, Within: bulkTime, Handle: x.act},
		{Method: "GET", Pattern: home + "/{id}", Right: login.SeeOwn, Within: lookTime, Handle: x.message},
		{Method: "POST", Pattern: home + "/{id}/request", Right: login.SeeOwn, Within: lookTime, Handle: x.request},
		{Method: "GET", Pattern: home + "/lists", Right: login.SeeOwn, Handle: x.lists},
		{Method: "POST", Pattern: home + "/lists", Right: login.SeeOwn, Handle: x.addEntry},
		{Method: "POST", Pattern: home + "/lists/remove", Right: login.SeeOwn, Handle: x.removeEntry},
		{Method: "GET", Pattern: home + "/settings", Right: login.SeeOwn, Handle: x.settings},
		{Method: "POST", Pattern: home + "/settings", Right: login.SeeOwn, Handle: x.settle},
		{Method: "GET", Pattern: desk, Right: login.AnswerRequests, Handle: x.requests},
		{Method: "POST", Pattern: desk + "/{id}", Right: login.AnswerRequests, Within: actTime, Handle: x.answer},
	}
}

// page is what a template is filled with.
type page struct {
	Person login.Person
	Done   string // key of what was done last
	Title  string // of what went wrong
	Text   string
	Data   any
}

// show writes a page. name is its template, and of its title.
func (x *room) show(w http.ResponseWriter, r *http.Request, p login.Person, name string, status int, data page) error {
	code := console.LanguageOf(r, p)
	data.Person = p
	if key := r.URL.Query().Get("done"); done[key] && data.Done == "" && r.Method == http.MethodGet {
		data.Done = "done-" + key
	}
	var body bytes.Buffer
	if err := x.templates[code].ExecuteTemplate(&body, name+".html", data); err != nil {
		return err
	}
	x.Console.Frame(w, r, p, x.texts[code].Of("title-"+name), template.HTML(body.String()), status)
	return nil
}

// done are what a page can say was done, by the parameter "done" of its address.
var done = map[string]bool{"released": true, "allowed": true, "blocked": true, "deleted": true, "asked": true, "listed": true,
	"unlisted": true, "settled": true, "granted": true, "refused": true, "learned-spam": true, "learned-ham": true}

// trouble puts what went wrong into a page.
func (x *room) trouble(r *http.Request, p login.Person, err error, data page) page {
	data.Title, data.Text = x.Console.Trouble(r, console.LanguageOf(r, p), err)
	return data
}

// kept asks the store of people for something, within the time it may take.
func kept[T any](ctx context.Context, x *room, call func(context.Context, Store) (T, error)) (T, error) {
	return console.Ask(ctx, x.Console, console.PartPeople, func(ctx context.Context) (T, error) { return call(ctx, x.Store()) })
}

// changed calls, as kept does, for a change, which returns nothing.
func changed(ctx context.Context, x *room, call func(context.Context, Store) error) error {
	_, err := kept(ctx, x, func(ctx context.Context, s Store) (struct{}, error) { return struct{}{}, call(ctx, s) })
	return err
}
