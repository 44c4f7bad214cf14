// Package api answers programs: what persons see and do on the pages of the console, as JSON
// below /api/v1. A program has a token of a person, and may do no more than that person.
package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// api is the surface while it answers.
type api struct {
	*console.Console
	accounts  Accounts
	folk      *folk.Folk
	endpoints []endpoint
	known     *http.ServeMux // of the endpoints, to tell what a path takes
	exports   chan struct{}  // holds one for each export that runs
}

// The bounds of answers.
const (
	mostExports = 2
	actTime     = 90 * time.Second // for what asks the MTA, or scans
	exportTime  = time.Hour
	mostMail    = 1 << 30 // bytes of a request with a mail; the limit for messages is lower
)

// endpoint is one thing that a program can ask for.
type endpoint struct {
	method, pattern string
	right           login.Right
	params          []string // of the query; others are refused
	body            int64
	within          time.Duration
	handle          func(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error
}

// New returns the surface of a console. It is to be mounted there.
func New(c *console.Console, people Accounts, who *folk.Folk) console.Surface {
	a := &api{Console: c, accounts: people, folk: who, known: http.NewServeMux(), exports: make(chan struct{}, mostExports)}
	a.endpoints = a.list()
	s := console.Surface{Who: a.who, Fail: a.fail}
	for _, e := range a.endpoints {
		a.known.HandleFunc(e.method+" "+e.pattern, func(http.ResponseWriter, *http.Request) {})
		s.Routes = append(s.Routes, console.Route{Method: e.method, Pattern: e.pattern, Right: e.right, Body: e.body, Within: e.within,
			Handle: a.strict(e)})
	}
	for _, method := range methods {
		s.Routes = append(s.Routes, console.Route{Method: method, Pattern: "/api/", Open: true, Handle: a.unknown})
	}
	return s
}

// methods are those that are answered, if only to say that they are not.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// list returns all endpoints.
func (a *api) list() []endpoint {
	const get, post = http.MethodGet, http.MethodPost
	all := []endpoint{
		{method: get, pattern: "/api/v1/messages", right: login.SeeMessages, params: append(filters(), "limit", "after"), handle: a.messages},
		{method: get, pattern: "/api/v1/messages/export", right: login.Export, params: append(filters(), "format"), within: exportTime,
			handle: a.export},
		{method: get, pattern: "/api/v1/messages/{id}", right: login.SeeMessages, handle: a.message},
		{method: get, pattern: "/api/v1/messages/{id}/timeline", right: login.SeeMessages, handle: a.timeline},
		{method: get, pattern: "/api/v1/quarantine", right: login.SeeQuarantine, params: append(keptFilters(), "limit", "after"),
			handle: a.quarantine},
		{method: get, pattern: "/api/v1/quarantine/{id}", right: login.SeeQuarantine, handle: a.kept},
		{method: http.MethodDelete, pattern: "/api/v1/quarantine/{id}", right: login.Delete, within: actTime, handle: a.acting("delete")},
		{method: get, pattern: "/api/v1/lists", right: login.SeeLists, params: []string{"owner", "act", "like", "limit", "after"},
			handle: a.lists},
		{method: post, pattern: "/api/v1/lists", right: login.AllowSenders, handle: a.enlist},
		{method: http.MethodDelete, pattern: "/api/v1/lists/{id}", right: login.AllowSenders, params: []string{"owner"}, handle: a.unlist},
		{method: get, pattern: "/api/v1/people", right: login.SeePeople, params: []string{"like", "limit", "after"}, handle: a.whoIsThere},
		{method: get, pattern: "/api/v1/people/{address}", right: login.SeePeople, handle: a.person},
		{method: http.MethodPatch, pattern: "/api/v1/people/{address}", right: login.ChangePeople, handle: a.settle},
		{method: get, pattern: "/api/v1/rules", right: login.SeeRules, params: []string{"days"}, handle: a.rules},
		{method: get, pattern: "/api/v1/configuration", right: login.SeeConfiguration, handle: a.configuration},
		{method: get, pattern: "/api/v1/status", right: login.SeeOverview, handle: a.status},
		{method: get, pattern: "/api/v1/accounts", right: login.ManageUsers, handle: a.people},
		{method: post, pattern: "/api/v1/accounts", right: login.ManageUsers, within: actTime, handle: a.addAccount},
		{method: get, pattern: "/api/v1/accounts/{name}", right: login.ManageUsers, handle: a.account},
		{method: http.MethodPatch, pattern: "/api/v1/accounts/{name}", right: login.ManageUsers, handle: a.amend},
		{method: http.MethodDelete, pattern: "/api/v1/accounts/{name}", right: login.ManageUsers, handle: a.removeAccount},
		{method: get, pattern: "/api/v1/accounts/{name}/tokens", right: login.ManageUsers, handle: a.tokensOf},
		{method: post, pattern: "/api/v1/accounts/{name}/tokens", right: login.ManageUsers, handle: a.addToken},
		{method: http.MethodDelete, pattern: "/api/v1/accounts/{name}/tokens/{token}", right: login.ManageUsers, handle: a.removeToken},
		{method: post, pattern: "/api/v1/rehearsals", right: login.Rehearse, params: []string{"from", "to", "client", "helo"}, body: mostMail,
			within: actTime, handle: a.rehearse},
	}
	for _, act := range []struct {
		name  string
		right login.Right
	}{
		{"release", login.Release}, {"clean", login.Release}, {"forward", login.Forward},
		{"handled", login.MarkHandled}, {"reopen", login.MarkHandled},
		{"learn-spam", login.Teach}, {"learn-ham", login.Teach},
	} {
		all = append(all, endpoint{method: post, pattern: "/api/v1/quarantine/{id}/" + act.name, right: act.right, within: actTime,
			handle: a.acting(act.name)})
	}
	return all
}

// strict returns the handler of an endpoint, which refuses parameters that it does not know: a
// filter with a mistake in its name would let everything through.
func (a *api) strict(e endpoint) console.Handler {
	return func(w http.ResponseWriter, r *http.Request, p login.Person) error {
		q, err := readQuery(r.URL.RawQuery, e.params)
		if err != nil {
			return err
		}
		return e.handle(w, r, p, q)
	}
}

// who returns the person that a token acts for.
func (a *api) who(r *http.Request) (login.Person, error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" || len(r.Header.Values("Authorization")) > 1 {
		return login.Person{}, console.ErrNobody
	}
	p, err := a.accounts.Bearer(r.Context(), strings.TrimSpace(text))
	if errors.Is(err, accounts.ErrWrong) || err == nil && !p.Has(login.UseAPI) {
		err = console.ErrNobody
	}
	return p, err
}

// unknown answers for what there is not: a path, or a method of one.
func (a *api) unknown(w http.ResponseWriter, r *http.Request, _ login.Person) error {
	var allowed []string
	for _, method := range methods {
		as := *r
		as.Method = method
		if _, pattern := a.known.Handler(&as); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return console.ErrNotFound
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return errMethod
}
