// Package console serves the pages on which administrators and help desks see what
// became of mail, and why, and let kept mail go. It works without scripts, and mail
// never waits for it: it has its own handles, limits and deadlines.
package console

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/policy/pace"
)

// Options are what a console works with. All fields are required where they do not say
// what nil means.
type Options struct {
	People  People
	Host    Host
	Log     *zap.Logger
	Now     func() time.Time
	Surface []Surface     // of other rooms: the log-in, the API
	Bench   *replay.Bench // tries configurations; nil: none can be tried
}

// People says who asks, and writes down what persons do.
type People interface {
	// Who returns the person who asks. The error is ErrNobody where that is no one
	// who has logged in.
	Who(r *http.Request) (login.Person, error)
	// Audit writes down that a person looked at something, or did something.
	Audit(r *http.Request, p login.Person, act login.Right, object, outcome string) error
	// Trail returns what was written down, newest first.
	Trail(ctx context.Context, t accounts.Trail) ([]accounts.Entry, error)
	// SetLanguage keeps the language that a person has chosen.
	SetLanguage(ctx context.Context, p login.Person, language string) error
}

// Limits of all pages together. Further requests wait until the deadline of a page,
// and are told to come back.
const mostAtOnce = 32

// Console answers requests.
type Console struct {
	Options
	mux     *http.ServeMux
	routes  []Route
	pages   map[string]*pages // by language
	places  chan struct{}
	tally   *tally
	asks    *asks
	lessons lessons
	forge   *http.CrossOriginProtection
	key     []byte // of addresses that are good for a short time

	requests func(context.Context, login.Person) int // how many wait for a person; nil: they are not counted

	rehearsing chan struct{} // holds a mail that is judged for a person
}

// New returns a console. The error is a fault of the program: texts or templates that
// do not fit.
func New(o Options) (*Console, error) {
	c := &Console{Options: o, mux: http.NewServeMux(), places: make(chan struct{}, mostAtOnce), asks: newAsks(),
		forge: http.NewCrossOriginProtection(), key: make([]byte, 32),
		rehearsing: make(chan struct{}, 1), lessons: lessons{seed: pace.NewSeed(), counts: pace.Counts{}}}
	rand.Read(c.key)
	c.tally = &tally{count: c.countLately, now: o.Now, by: map[int]*counting{}}
	var err error
	if c.pages, err = parsePages(); err != nil {
		return nil, err
	}
	c.mount(c.ours())
	for _, s := range o.Surface {
		c.mount(s)
	}
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.serve(c.ours(), Route{Open: true, Handle: func(http.ResponseWriter, *http.Request, login.Person) error { return ErrNotFound }}, w, r)
	})
	return c, nil
}

// Routes lists everything that can be asked.
func (c *Console) Routes() []Route { return c.routes }

// mount makes the routes of a surface reachable.
func (c *Console) mount(s Surface) {
	for _, route := range s.Routes {
		c.routes = append(c.routes, route)
		c.mux.HandleFunc(route.Method+" "+route.Pattern, func(w http.ResponseWriter, r *http.Request) { c.serve(s, route, w, r) })
	}
}

// ServeHTTP answers a request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), r)
	c.mux.ServeHTTP(w, r)
}
