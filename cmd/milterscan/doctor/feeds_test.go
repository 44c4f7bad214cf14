package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/feed"
)

// TestFeeds: a list that was never fetched, one that is there, an old one and a damaged one.
func TestFeeds(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "evil.example.com") }))
	defer s.Close()
	h := sound(t)
	p := h.installation(t, "[[feed]]\nname = \"known\"\nkind = \"hosts\"\nurl = \""+s.URL+"\"\n")
	p.Config.FeedDir = filepath.Join(h.dir, "feeds")
	said := func(level Level, want string) {
		t.Helper()
		if found := p.feeds(t.Context()); len(found) != 1 || found[0].Level != level || !strings.Contains(found[0].What, want) {
			t.Errorf("%+v, want %q", found, want)
		}
	}
	said(Fault, "never been fetched")
	set := feed.New(feed.Options{})
	set.Use(p.Config.Feeds, p.Config.FeedDir)
	if err := set.Update(t.Context(), "known", feed.Carefully); err != nil {
		t.Fatal(err)
	}
	said(OK, "1 entries, seen")
	path, old := filepath.Join(p.Config.FeedDir, "feed-known.list"), time.Now().Add(-4*time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	said(Advice, "last seen 4h0m0s ago")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	said(Fault, "cannot be used")
}
