package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// hanging is a host whose history does not answer.
type hanging struct {
	*site
	free chan struct{}
}

func (h hanging) History() console.History { return stuck{h.site.History(), h.free} }

// stuck is a history that looks at no context.
type stuck struct {
	console.History
	free chan struct{}
}

func (s stuck) Find(context.Context, history.Filter, history.Cursor) (history.Page, error) {
	<-s.free
	return history.Page{}, nil
}

// TestStoreThatHangs is said within three seconds, and nothing else waits for it.
func TestStoreThatHangs(t *testing.T) {
	s := newSite(t)
	h := hanging{s, make(chan struct{})}
	defer close(h.free)
	o := s.Console.Options
	o.Host = h
	c, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.Mount(New(c, bearers{s.people, s}, nil))
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer root")
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return w
	}
	begun := time.Now()
	got := ask("/api/v1/messages")
	if took := time.Since(begun); got.Code != http.StatusServiceUnavailable || took > time.Minute || took < time.Second || got.Header().Get("Retry-After") == "" ||
		!strings.Contains(got.Body.String(), "urn:milterscan:problem:history-hangs") {
		t.Errorf("%d after %v: %s", got.Code, took, got.Body)
	}
	if got := ask("/api/v1/quarantine"); got.Code != http.StatusOK {
		t.Errorf("the quarantine: %d %s", got.Code, got.Body)
	}
}
