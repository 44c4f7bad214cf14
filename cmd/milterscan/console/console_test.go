package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// TestEveryAnswerIsGuarded asks for every route, as somebody and as nobody, and for one
// that there is not: each answer has the fields that keep browsers from running or
// loading what is not ours.
func TestEveryAnswerIsGuarded(t *testing.T) {
	s := newSite(t)
	for _, who := range []string{"", "root"} {
		for _, route := range append(s.Routes(), Route{Method: "GET", Pattern: "/nothing"}) {
			path := s.filled(route.Pattern)
			got := s.ask(route.Method, path, who, nil)
			name := route.Method + " " + path + " by " + who
			csp := got.Header().Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") ||
				strings.Contains(csp, "script-src") || !strings.Contains(csp, "form-action") || !strings.Contains(csp, "frame-ancestors") || !strings.Contains(csp, "base-uri 'none'") {
				t.Errorf("%s: %q", name, csp)
			}
			for field, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
				if got.Header().Get(field) != want {
					t.Errorf("%s: %s: %q", name, field, got.Header().Get(field))
				}
			}
			if !strings.HasPrefix(got.Header().Get("Cache-Control"), "no-store") && !route.Open {
				t.Errorf("%s may be kept: %q", name, got.Header().Get("Cache-Control"))
			}
		}
	}
}

// TestNobodyGetsNothing asks for every route without having logged in.
func TestNobodyGetsNothing(t *testing.T) {
	s := newSite(t)
	for _, route := range s.Routes() {
		got := s.ask(route.Method, s.filled(route.Pattern), "", nil)
		switch {
		case route.Open:
		case route.Method == "GET" && got.Code == http.StatusSeeOther && strings.HasPrefix(got.Header().Get("Location"), "/login?to="):
		case route.Method != "GET" && got.Code == http.StatusUnauthorized:
		default:
			t.Errorf("%s %s: %d", route.Method, route.Pattern, got.Code)
		}
	}
}

// TestForgedRequests has other sites post to every route that changes something.
func TestForgedRequests(t *testing.T) {
	s := newSite(t)
	n := 0
	for _, route := range s.Routes() {
		if route.Method == "GET" {
			continue
		}
		n++
		for field, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			got := s.ask(route.Method, s.filled(route.Pattern), "root", func(r *http.Request) { r.Header.Set(field, value) })
			if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "did not come from a page of the console") {
				t.Errorf("%s %s with %s: %d", route.Method, route.Pattern, field, got.Code)
			}
		}
	}
	if len(s.audit) > 0 || n < 5 {
		t.Errorf("of %d routes: %v", n, s.audit)
	}
}

// TestMethodsThatChangeAreNoGET holds the list of routes to it.
func TestMethodsThatChangeAreNoGET(t *testing.T) {
	s := newSite(t)
	for _, route := range s.Routes() {
		if route.Method == "GET" && route.Right != "" && route.Right.Changes() {
			t.Errorf("GET %s needs the right to %s", route.Pattern, route.Right)
		}
	}
}

// TestPanicsTellNothing has a handler that panics.
func TestPanicsTellNothing(t *testing.T) {
	s := newSite(t)
	s.mount(Surface{Who: s.People.Who, Fail: s.fail, Routes: []Route{{Method: "GET", Pattern: "/panic", Handle: func(http.ResponseWriter, *http.Request,
		login.Person) error {
		panic("secret of the program")
	}}}})
	got := s.ask("GET", "/panic", "root", nil)
	if body := got.Body.String(); got.Code != 500 || strings.Contains(body, "secret") || strings.Contains(body, "goroutine") {
		t.Errorf("%d %s", got.Code, body)
	}
}

// rest waits until no part is at work on an answer.
func (a *asks) rest() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, places := range a.places {
		for range cap(places) {
			places <- struct{}{}
		}
	}
}

// TestAskGivesUp has a part that looks at no context: the caller goes on when its time is
// over, only so many calls wait, and the part is asked again when it answers.
func TestAskGivesUp(t *testing.T) { synctest.Test(t, askGivesUp) }

func askGivesUp(t *testing.T) {
	a := newAsks()
	free := make(chan struct{})
	var begun, running sync.WaitGroup
	begun.Add(mostAsked)
	for range mostAsked {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := ask(ctx, a, PartHistory, func(context.Context) (int, error) { begun.Done(); <-free; return 1, nil })
			var part *PartError
			if !errors.As(err, &part) || !part.Hangs() || part.Part != PartHistory {
				t.Errorf("%v", err)
			}
		})
	}
	running.Wait()
	begun.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := ask(ctx, a, PartHistory, func(context.Context) (int, error) { t.Error("one too many"); return 0, nil }); err == nil {
		t.Error("no error")
	}
	if n, err := ask(t.Context(), a, PartQuarantine, func(context.Context) (int, error) { return 2, nil }); n != 2 || err != nil {
		t.Error("another part has to wait")
	}
	close(free)
	n, err := ask(t.Context(), a, PartHistory, func(context.Context) (int, error) { return 3, nil })
	if n != 3 || err != nil {
		t.Errorf("%d %v", n, err)
	}
}
