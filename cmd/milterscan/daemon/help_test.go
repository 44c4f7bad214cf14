package daemon

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/docs/guide"
)

// TestHelp: who has logged in reads every page and finds what is in them; who asks for a page
// that is not there is told so, and a question comes back as text.
func TestHelp(t *testing.T) {
	c := newClub(t)
	g, err := guide.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	ann := c.members[slices.IndexFunc(c.members, func(m *member) bool { return m.role == login.Administrator })]
	for _, p := range g.Pages() {
		if w := c.do(ann, http.MethodGet, "/help/"+p.Name, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), string(p.Body)) {
			t.Errorf("%s: %d", p.Name, w.Code)
		}
	}
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/help":                               {http.StatusOK, `<a href="/help/console">`},
		"/help?q=archive/depth":               {http.StatusOK, `<a href="/help/findings#archive/depth">`},
		"/help?q=%3Cscript%3Ewxyzzy":          {http.StatusOK, "&lt;script&gt;wxyzzy"},
		"/help/nowhere":                       {http.StatusNotFound, ""},
		"/help/..%2f..%2fetc%2fpasswd":        {http.StatusNotFound, ""},
		"/help?q=" + strings.Repeat("x", 9e3): {http.StatusOK, ""},
	} {
		if w := c.do(ann, http.MethodGet, path, nil); w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%.60s: %d\n%.300s", path, w.Code, w.Body)
		}
	}
	if w := c.do(ann, http.MethodGet, "/help", nil); !strings.Contains(w.Body.String(), `<a href="/help">`) {
		t.Error("no page leads to the help")
	}
}
