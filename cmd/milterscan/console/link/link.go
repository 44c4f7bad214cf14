// Package link serves the pages that links in mail lead to. Link checkers open every link, so
// opening one changes nothing: it shows a page with one button, which says what will
// happen. Who has the link may press it, once, and need not log in.
package link

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
)

// Options are what the pages work with. All fields are required.
type Options struct {
	Host  Host
	Audit func(r *http.Request, p login.Person, act login.Right, object, outcome string) error
	Pages func() *console.Console // that these are laid out like
	Now   func() time.Time
}

// Host is the daemon, as these pages see it.
type Host interface {
	// Key returns the key of links. The error is fs.ErrNotExist where no link was ever made.
	Key() ([]byte, error)
	// Terms returns what recipients may do now.
	Terms() Terms
	Quarantine() quarantine.Store
	Releaser(by string) quarantine.Releaser
	// Book remembers links that were used.
	Book() Book
	// List makes an entry in the list of a recipient. The error is a *people.Error where it may not
	// be made.
	List(ctx context.Context, e people.Entry) error
}

// Terms are what recipients may do.
type Terms struct {
	Classes, Releases []string // of messages that they see, and release
	Allow, Block      bool     // senders
	Mine              string   // the path of their page; "" where there is none
}

// Book remembers links that were used. A people.Store is one.
type Book interface {
	UseOnce(ctx context.Context, nonce string, expires time.Time) (bool, error)
	Unuse(ctx context.Context, nonce string) error
	Used(ctx context.Context, nonce string) (time.Time, error)
}

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed texts/*.json
var textFiles embed.FS

// Links answers at the addresses of links.
type Links struct {
	Options
	texts     map[string]wording.Texts
	templates map[string]*template.Template
}

// New returns the pages. The error is a fault of the program: texts or templates that do not fit.
func New(o Options) (*Links, error) {
	l := &Links{o, map[string]wording.Texts{}, map[string]*template.Template{}}
	for _, code := range wording.Languages() {
		t, err := wording.Read(textFiles, code)
		if err != nil {
			return nil, err
		}
		l.texts[code] = t
		files, err := fs.Sub(templateFiles, "templates")
		if err == nil {
			l.templates[code], err = template.New("").Funcs(template.FuncMap{"t": t.Of, "time": moment, "visible": visible}).ParseFS(files, "*.html")
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// actTime is how long a message may take to get to the MTA.
const actTime = 90 * time.Second

// Surface returns the routes. The address is the proof of who may ask, so that it must not get
// into other hands.
func (l *Links) Surface(who func(r *http.Request) (login.Person, error)) console.Surface {
	return console.Surface{
		Who: who, Fail: func(w http.ResponseWriter, r *http.Request, p login.Person, err error) { l.Pages().Fail(w, r, p, err) },
		Routes: []console.Route{
			{Method: "GET", Pattern: "/link/{token}", Open: true, Handle: l.show},
			{Method: "POST", Pattern: "/link/{token}", Open: true, Bearer: true, Within: actTime, Handle: l.do},
		},
	}
}

// page is what the template is filled with.
type page struct {
	State  string // "ask", or what came of it: see the texts
	Act    string
	Mail   *shown
	Allow  bool      // the person may have the sender let through as well
	Used   time.Time // when the link was used
	Why    string    // a text of the program, in English
	Mine   string    // the person's page
	Logged bool
}

// shown is a message as a digest shows it.
type shown struct {
	Sender, From, Subject, Class, To string
	Time                             time.Time
	Size                             int64
}

// write writes a page.
func (l *Links) write(w http.ResponseWriter, r *http.Request, who login.Person, status int, p page) error {
	code := console.LanguageOf(r, who)
	if !slices.Contains(wording.Languages(), code) {
		code = wording.Languages()[0]
	}
	body, err := l.body(code, p)
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	title := "title-" + p.State
	if p.State == "ask" {
		title += "-" + p.Act
	}
	l.Pages().Frame(w, r, who, l.texts[code].Of(title), body, status)
	return nil
}

// moment shows a time, and says it to programs.
func moment(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.Local().Format("2006-01-02 15:04") + `</time>`)
}

// visible shows a text that comes from elsewhere: what cannot be seen is written out, and its direction
// ends with it.
func visible(s string) template.HTML {
	return template.HTML(`<bdi>` + template.HTMLEscapeString(policy.Visible(s)) + `</bdi>`)
}
