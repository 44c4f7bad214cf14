package console

import (
	"net/http"
	"strings"
	"testing"
)

// away has a request be of a person whom the host knows from shortly before.
func away(r *http.Request) { r.Header.Set("Test-Away", "yes") }

// TestApart: while the accounts cannot be asked, a person whom the host knows sees the pages that need no database, with a
// word of it, and nothing else; and can change nothing.
func TestApart(t *testing.T) {
	s := newSite(t)
	apart := map[string]bool{}
	for _, route := range s.Routes() {
		if route.Apart {
			apart[route.Method+" "+route.Pattern] = true
		}
		got := s.ask(route.Method, s.filled(route.Pattern), "root", away)
		body := got.Body.String()
		switch said := strings.Contains(body, "has not answered since"); {
		case route.Apart && (got.Code != http.StatusOK || !said && !route.Open):
			t.Errorf("%s %s: %d, banner %t", route.Method, route.Pattern, got.Code, said)
		case !route.Apart && (got.Code != http.StatusServiceUnavailable || !said || !strings.Contains(body, "Not while the database is away")):
			t.Errorf("%s %s needs the database: %d, banner %t", route.Method, route.Pattern, got.Code, said)
		case strings.Contains(body, `action="/language"`) || strings.Contains(body, "/rules/rehearsal\" method"):
			t.Errorf("%s %s offers to change something", route.Method, route.Pattern)
		}
	}
	for name := range apart {
		if !strings.HasPrefix(name, "GET ") {
			t.Errorf("%s may change something", name)
		}
	}
	if len(apart) != 6 {
		t.Errorf("pages that need no database: %v", apart)
	}
	if got := s.ask("GET", "/rules/settings", "desk", away); got.Code != http.StatusServiceUnavailable && got.Code != http.StatusForbidden {
		t.Errorf("who may not see the configuration sees it: %d", got.Code)
	}
}

// TestApartNumbers: the overview and the rules show what was counted last, and say so; nothing is counted for them.
func TestApartNumbers(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/rules"} {
		if body := s.ask("GET", path, "root", away).Body.String(); !strings.Contains(body, "has not counted messages of this span") {
			t.Errorf("%s shows numbers though nothing was counted, or does not say so", path)
		}
	}
	s.ask("GET", "/?days=7", "root", nil)
	s.tally.count = nil // to count is a panic, which is an error of the history
	for _, path := range []string{"/?days=7", "/rules?days=7"} {
		body := s.ask("GET", path, "root", away).Body.String()
		if !strings.Contains(body, "as they were last counted") || strings.Contains(body, "has not counted") {
			t.Errorf("%s does not say of when its numbers are", path)
		}
	}
}
