package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// row says what is expected of a route.
type row struct {
	right  login.Right
	object bool // the route is about one message
	body   string
	ok     int
}

// matrix has a row for every route.
var matrix = map[string]row{
	"GET /api/v1/messages":                          {login.SeeMessages, false, "", 200},
	"GET /api/v1/messages/export":                   {login.Export, false, "", 200},
	"GET /api/v1/messages/{id}":                     {login.SeeMessages, true, "", 200},
	"GET /api/v1/messages/{id}/timeline":            {login.SeeMessages, true, "", 200},
	"GET /api/v1/quarantine":                        {login.SeeQuarantine, false, "", 200},
	"GET /api/v1/quarantine/{id}":                   {login.SeeQuarantine, true, "", 200},
	"DELETE /api/v1/quarantine/{id}":                {login.Delete, true, "", 204},
	"POST /api/v1/quarantine/{id}/release":          {login.Release, true, "", 200},
	"POST /api/v1/quarantine/{id}/clean":            {login.Release, true, "", 409}, // there is nothing bad in the mail itself
	"POST /api/v1/quarantine/{id}/forward":          {login.Forward, true, `{"to": ["analyst@example.net"]}`, 200},
	"POST /api/v1/quarantine/{id}/handled":          {login.MarkHandled, true, "", 200},
	"POST /api/v1/quarantine/{id}/reopen":           {login.MarkHandled, true, "", 200},
	"POST /api/v1/quarantine/{id}/learn-spam":       {login.Teach, true, "", 409}, // no scorer learns here; see TestLearn
	"POST /api/v1/quarantine/{id}/learn-ham":        {login.Teach, true, "", 409},
	"GET /api/v1/lists":                             {login.SeeLists, false, "", 200},
	"POST /api/v1/lists":                            {login.AllowSenders, false, "{}", 400}, // see TestLists
	"DELETE /api/v1/lists/{id}":                     {login.AllowSenders, false, "", 400},
	"GET /api/v1/people":                            {login.SeePeople, false, "", 200},
	"GET /api/v1/people/{address}":                  {login.SeePeople, true, "", 200},
	"PATCH /api/v1/people/{address}":                {login.ChangePeople, true, `{"language": "de"}`, 200},
	"GET /api/v1/rules":                             {login.SeeRules, false, "", 200},
	"GET /api/v1/configuration":                     {login.SeeConfiguration, false, "", 200},
	"GET /api/v1/status":                            {login.SeeOverview, false, "", 200},
	"GET /api/v1/accounts":                          {login.ManageUsers, false, "", 200},
	"POST /api/v1/accounts":                         {login.ManageUsers, false, `{"name": "dan", "domains": ["example.com"]}`, 201},
	"GET /api/v1/accounts/{name}":                   {login.ManageUsers, false, "", 200},
	"PATCH /api/v1/accounts/{name}":                 {login.ManageUsers, false, `{"disabled": true}`, 200},
	"DELETE /api/v1/accounts/{name}":                {login.ManageUsers, false, "", 204},
	"GET /api/v1/accounts/{name}/tokens":            {login.ManageUsers, false, "", 200},
	"POST /api/v1/accounts/{name}/tokens":           {login.ManageUsers, false, `{"name": "more", "rights": ["see messages"]}`, 201},
	"DELETE /api/v1/accounts/{name}/tokens/{token}": {login.ManageUsers, false, "", 204},
	"POST /api/v1/rehearsals":                       {login.Rehearse, false, "Subject: x\r\n\r\nbody\r\n", 200},
}

// filled returns the path of a route about the n-th message, and about dora.
func filled(pattern string, n int) string {
	who := map[int]string{1: "bob@example.com", 2: "bob@example.com", 3: "ann@example.org"}[n]
	if who == "" {
		who = "nobody@example.net"
	}
	return strings.NewReplacer("{address}", who, "{id}", id(n), "{name}", "dora", "{token}", "script").Replace(pattern)
}

// inhabit makes the account that routes are about.
func (s *site) inhabit() {
	s.t.Helper()
	dora := s.add("dora", login.Domain, "example.com")
	if _, err := s.people.AddToken(s.t.Context(), dora, accounts.Token{Name: "script", Rights: []login.Right{login.SeeMessages}}); err != nil {
		s.t.Fatal(err)
	}
}

// TestWhoMayWhat asks for every route as each person, about a message of its own, of
// another, and one that is not there: the last two get the same answer to the byte.
func TestWhoMayWhat(t *testing.T) {
	for _, route := range newSite(t).ours() {
		name := route.Method + " " + route.Pattern
		want, ok := matrix[name]
		if !ok {
			t.Errorf("%s has no row", name)
			continue
		}
		if route.Right != want.right || route.Open {
			t.Errorf("%s needs the right to %q, open %v", name, route.Right, route.Open)
		}
		s := newSite(t)
		s.inhabit()
		for who, p := range consoletest.People {
			if route.Method != "GET" {
				s = newSite(t)
				s.inhabit()
			}
			path := func(n int) string { return filled(route.Pattern, n) }
			own, foreign := 1, 99
			switch who {
			case "own":
				foreign = 3
			case "other":
				own, foreign = 3, 2
			}
			status := want.ok
			if !p.May(want.right) {
				status = http.StatusForbidden
			}
			if want.object {
				gone, others := s.ask(who, route.Method, path(99), want.body), s.ask(who, route.Method, path(foreign), want.body)
				if want := map[bool]int{true: http.StatusForbidden, false: http.StatusNotFound}[status == http.StatusForbidden]; gone.Code != want {
					t.Errorf("%s by %s of none: %d %s", name, who, gone.Code, gone.Body)
				}
				if gone.Code != others.Code || gone.Body.String() != others.Body.String() || len(gone.Header()) != len(others.Header()) {
					t.Errorf("%s by %s: of another's %d %s, of none %d %s", name, who, others.Code, others.Body, gone.Code, gone.Body)
				}
			}
			if got := s.ask(who, route.Method, path(own), want.body); got.Code != status {
				t.Errorf("%s by %s: %d %s, want %d", name, who, got.Code, got.Body, status)
			}
			if got := s.ask(who+"-reads", route.Method, path(own), want.body); want.right != login.SeeMessages && got.Code != http.StatusForbidden {
				t.Errorf("%s with a token for reading: %d", name, got.Code)
			}
		}
		for _, who := range []string{"", "nobody", "root x"} {
			got := s.ask(who, route.Method, filled(route.Pattern, 1), want.body)
			if got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s by %q: %d", name, who, got.Code)
			}
		}
	}
	if n := len(newSite(t).ours()); n != len(matrix) {
		t.Errorf("%d rows for %d routes", len(matrix), n)
	}
}

// TestBoundTellsNothing has no word of another domain reach one who is bound to example.com.
func TestBoundTellsNothing(t *testing.T) {
	s := newSite(t)
	for _, route := range s.ours() {
		if route.Method != "GET" {
			continue
		}
		got := s.ask("own", "GET", filled(route.Pattern, 1), "")
		if strings.Contains(got.Body.String(), "example.org") || strings.Contains(got.Body.String(), id(3)) {
			t.Errorf("%s: %s", route.Pattern, got.Body)
		}
	}
}

// TestSubdomains has one who is bound to subdomains find their mail, and no other.
func TestSubdomains(t *testing.T) {
	s := newSite(t)
	consoletest.Remember(t, s.Config(), record(4, scan.Forbidden, "bob@mail.Example.com"), record(5, scan.Forbidden, "bob@notexample.com"))
	p := login.Person{Name: "sub", Role: login.Domain, Domains: []string{".example.com"}}
	page, err := s.Search(t.Context(), p, history.Filter{}, history.Cursor{})
	if err != nil || len(page.Records) != 1 || page.Records[0].ID != id(4) || !page.Next.IsZero() {
		t.Errorf("%+v, %v", page, err)
	}
}
