package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/feed"
)

// publisher serves a list of one host.
func publisher(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "evil.example.com") }))
	t.Cleanup(s.Close)
	return s
}

const byFeed = `
[[feed]]
name = "known"
url = "%s/hosts.txt"
kind = "hosts"
[[rule]]
name = "listed"
when = ["feed/link/known"]
action = "reject"
`

// until waits for something that a daemon does in the background.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: " + what)
		}
	}
}

// TestFeeds has a daemon go by a list that it fetches, by a newer one without a reload, and by the last
// one after a restart while the publisher is gone.
func TestFeeds(t *testing.T) {
	var list atomic.Value
	list.Store("evil.example.com\n")
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list.Load()) }))
	defer p.Close()
	dir := t.TempDir()
	r := start(t, dir, plain+fmt.Sprintf(byFeed, p.URL))
	r.await("log", `"ready"`)
	answer := func(host string) policy.Answer {
		t.Helper()
		a, err := r.ask("m", "From: a@example.org\r\nSubject: s\r\n\r\nsee http://www."+host+"/x\r\n")
		if err != nil {
			t.Fatal(err)
		}
		return a.Answer
	}
	until(t, "the list is fetched", func() bool { return r.d.Published.Table("known") != nil })
	if answer("evil.example.com") != policy.Reject || answer("worse.example.com") != policy.Deliver {
		t.Error("the list is not gone by")
	}
	list.Store("worse.example.com\n")
	c := r.d.config.Load()
	other := feed.New(feed.Options{}) // as "milterscan feed update" has one
	other.Use(c.Feeds, c.FeedDir)
	if err := other.Update(t.Context(), "known", feed.Carefully); err != nil {
		t.Fatal(err)
	}
	until(t, "the newer list is in force", func() bool { return answer("worse.example.com") == policy.Reject })
	if answer("evil.example.com") != policy.Deliver {
		t.Error("the older list is still in force")
	}
	r.stop()
	p.Close()
	if err := os.Remove(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, plain+fmt.Sprintf(byFeed, p.URL))
	r.await("log", `"ready"`)
	if answer("worse.example.com") != policy.Reject {
		t.Error("the list is not in force after a restart")
	}
	if err := r.d.Published.Update(t.Context(), "known", feed.Carefully); err == nil {
		t.Error("a publisher that is gone answers")
	}
	r.await("log", "a feed cannot be taken; its last good list stays in force")
	if _, err := filepath.Glob(filepath.Join(c.FeedDir, "*")); err != nil || !strings.HasPrefix(c.FeedDir, dir) {
		t.Errorf("lists are kept in %s", c.FeedDir)
	}
}
