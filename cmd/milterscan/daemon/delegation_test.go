package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/config"
)

// left says, of everything that an administrator of domains can ask for, by which word a host leaves it to the
// administrator. It is written a second time here, so that a route that gets another right, or a new one, is looked
// at on purpose.
var left = map[string]string{
	"GET /messages":                           "messages",
	"GET /messages/{id}":                      "messages",
	"POST /messages/{id}/sender":              "lists",
	"GET /quarantine":                         "quarantine",
	"POST /quarantine":                        "quarantine",
	"GET /quarantine/{id}/content":            "content", // which it rests on, beside its right
	"GET /quarantine/{id}/page/{part}":        "content",
	"GET /quarantine/{id}/file/{part}":        "content",
	"POST /quarantine/{id}/release":           "release",
	"POST /quarantine/{id}/clean":             "release",
	"POST /quarantine/{id}/delete":            "delete",
	"POST /quarantine/{id}/handled":           "quarantine",
	"POST /quarantine/{id}/reopen":            "quarantine",
	"POST /quarantine/{id}/learn-spam":        "learn",
	"POST /quarantine/{id}/learn-ham":         "learn",
	"GET /requests":                           "requests",
	"POST /requests/{id}":                     "requests",
	"GET /people":                             "people",
	"GET /people/{address}":                   "people",
	"POST /people/{address}":                  "settings",
	"POST /people/{address}/delegates":        "settings",
	"GET /api/v1/people":                      "people",
	"GET /api/v1/people/{address}":            "people",
	"PATCH /api/v1/people/{address}":          "settings",
	"GET /api/v1/messages":                    "messages",
	"GET /api/v1/messages/export":             "export",
	"GET /api/v1/messages/{id}":               "messages",
	"GET /api/v1/messages/{id}/timeline":      "messages",
	"GET /api/v1/quarantine":                  "quarantine",
	"GET /api/v1/quarantine/{id}":             "quarantine",
	"DELETE /api/v1/quarantine/{id}":          "delete",
	"POST /api/v1/quarantine/{id}/release":    "release",
	"POST /api/v1/quarantine/{id}/clean":      "release",
	"POST /api/v1/quarantine/{id}/handled":    "quarantine",
	"POST /api/v1/quarantine/{id}/reopen":     "quarantine",
	"POST /api/v1/quarantine/{id}/learn-spam": "learn",
	"POST /api/v1/quarantine/{id}/learn-ham":  "learn",
	"GET /api/v1/lists":                       "lists",
	"POST /api/v1/lists":                      "lists",
	"DELETE /api/v1/lists/{id}":               "lists",
}

// leave has the daemon leave some things only to administrators of domains.
func (c *club) leave(words []string) {
	c.t.Helper()
	quoted := fmt.Sprintf("%q", words)
	c.reload(matrixBase + "[people.domain_admins]\nmay = " + strings.ReplaceAll(quoted, " ", ", ") + "\n")
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if slices.Equal(c.d.config.Load().People.DomainAdmins.May, words) {
			return
		}
	}
	c.t.Fatalf("%q is not in force:\n%s", words, c.log("log"))
}

// bearing asks the API with a token.
func (c *club) bearing(token, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	c.answer(w, r)
	return w
}

// without returns all that can be left to administrators of domains but one thing, and what rests on it.
func without(word string) (words []string) {
	for _, w := range config.Capabilities() {
		if w != word {
			words = append(words, w)
		}
	}
	rests := func(w string) bool { return config.RestsOn(w) != "" && !slices.Contains(words, config.RestsOn(w)) }
	for slices.ContainsFunc(words, rests) {
		words = slices.DeleteFunc(slices.Clone(words), rests)
	}
	return words
}

// TestLeft takes from an administrator of domains one thing after the other that a host can leave to it: what rests
// on that is refused at once, on pages, for programs and with the session and token that were there before, and
// everything else is as it was.
func TestLeft(t *testing.T) {
	c := newClub(t)
	dora := c.members[slices.IndexFunc(c.members, func(m *member) bool { return m.role == login.Domain })]
	account, err := c.d.people.accounts.ByName(t.Context(), dora.name)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.DeleteFunc(login.Rights(), func(r login.Right) bool { return !login.Domain.Has(r) })
	token, err := c.d.people.accounts.AddToken(t.Context(), account, accounts.Token{Name: "all", Rights: all})
	if err != nil {
		t.Fatal(err)
	}
	routes := slices.DeleteFunc(slices.Clone(c.d.people.pages().Routes()), func(r console.Route) bool {
		_, known := left[r.Method+" "+r.Pattern]
		if able := r.Right != "" && !r.Open && login.Domain.Has(r.Right); able != known {
			t.Errorf("%s %s: an administrator of domains may ask for it: %v; it is in the table: %v", r.Method, r.Pattern, able, known)
		}
		return !known
	})
	for _, word := range append([]string{""}, config.Capabilities()...) {
		words := without(word)
		c.leave(words)
		for _, route := range routes {
			name, ok := route.Method+" "+route.Pattern, slices.Contains(words, left[route.Method+" "+route.Pattern])
			id, request := c.keep("ann@example.com")
			var w *httptest.ResponseRecorder
			if strings.HasPrefix(route.Pattern, "/api/") {
				w = c.bearing(token, route.Method, about(route, id, request))
			} else {
				w = c.do(dora, route.Method, about(route, id, request), full)
			}
			switch refused := w.Code == http.StatusForbidden; {
			case strings.HasPrefix(route.Pattern, "/api/") && word == "api":
				if w.Code != http.StatusUnauthorized {
					t.Errorf("without %q: %s: %d", word, name, w.Code)
				}
			case refused == ok || w.Code == http.StatusUnauthorized: // what is asked of the MTA fails, as there is none
				t.Errorf("without %q: %s: %d %.200s", word, name, w.Code, w.Body)
			}
		}
		if w := c.do(dora, "GET", "/", nil); w.Header().Get("Location") == "" {
			t.Errorf("without %q: the first page leads nowhere: %d", word, w.Code)
		} else if to := c.do(dora, "GET", w.Header().Get("Location"), nil); to.Code != http.StatusOK {
			t.Errorf("without %q: the first page is %s: %d", word, w.Header().Get("Location"), to.Code)
		}
	}
}

// TestNavigation: on all pages, those of the account among them, an administrator of domains finds the way to what
// is left to it, and to nothing else.
func TestNavigation(t *testing.T) {
	c := newClub(t)
	dora := c.members[slices.IndexFunc(c.members, func(m *member) bool { return m.role == login.Domain })]
	c.leave([]string{"messages", "people"})
	for _, path := range []string{"/messages", "/people", "/people/ann@example.com", "/account", "/logout", "/accounts", "/there-is-none"} {
		page := c.do(dora, "GET", path, nil).Body.String()
		for _, to := range []string{"/messages", "/people", "/quarantine", "/requests", "/rules", "/audit"} {
			if want := to == "/messages" || to == "/people"; strings.Contains(page, `<li><a href="`+to+`"`) != want {
				t.Errorf("%s: a way to %s: %v", path, to, !want)
			}
		}
	}
}
