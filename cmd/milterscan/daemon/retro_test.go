package daemon

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// lookBackOnce has all lists looked at.
func lookBackOnce(t *testing.T, d *Daemon, b *lookback, at time.Time) {
	t.Helper()
	b.round(t.Context(), d.config.Load(), at)
}

// anyClient asks for mail of all clients.
func anyClient() history.Holding {
	return history.Holding{Sort: history.Clients, Has: func(string) bool { return true }, Most: 10}
}

// TestLookBack has mail pass, and tells of it when what it held is listed: once, and again after neither a restart nor
// another look.
func TestLookBack(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "new.hsb")
	writeList(t, dir, "new.hsb", fmt.Sprintf("%x:*:Other\n", sha256.Sum256([]byte("another"))))
	text := plain + fmt.Sprintf("[submission]\nvia = \"smtp:127.0.0.1:1\"\n[[virus]]\nname = \"local\"\ntype = \"hashes\"\nlists = [%q]\n"+
		"[history.retro]\nenabled = false # the test looks itself\nnotify = [\"admin@example.com\"]\n", list)
	r := start(t, dir, text)
	r.await("log", `"ready"`)
	if _, err := r.ask("m", "From: a@elsewhere.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: application/x-thing\r\n\r\nthe thing"); err != nil {
		t.Fatal(err)
	}
	b := &lookback{Daemon: r.d, lists: map[string]*heldList{}}
	now := time.Now()
	told := func() int {
		text, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "mail that went on had something that is on a list now\"")
	}
	until(t, "the message is in the history", func() bool { n, err := r.d.recorder.Hold(t.Context(), anyClient()); return err == nil && n.Asked == 1 })
	lookBackOnce(t, r.d, b, now)
	if n := told(); n != 0 {
		t.Fatalf("%d messages are told of before they are listed", n)
	}
	writeList(t, dir, "new.hsb", fmt.Sprintf("%x:9:Thing.A\n", sha256.Sum256([]byte("the thing"))))
	if err := os.Chtimes(list, now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	lookBackOnce(t, r.d, b, now)
	until(t, "it is logged", func() bool { return told() == 1 })
	queued, err := filepath.Glob(filepath.Join(r.d.config.Load().Notices.Dir, "*.json"))
	if err != nil || len(queued) != 1 {
		t.Fatalf("%v, %v", queued, err)
	}
	if notice, err := os.ReadFile(queued[0]); err != nil || !strings.Contains(string(notice), "Thing.A") || !strings.Contains(string(notice), `"to":"admin@example.com"`) {
		t.Errorf("%s, %v", notice, err)
	}
	again := &lookback{Daemon: r.d, lists: map[string]*heldList{}} // as after a restart
	for _, c := range []struct {
		b  *lookback
		at time.Time
	}{{b, now.Add(time.Minute)}, {b, now.Add(retroAgain)}, {b, now.Add(2 * retroAgain)}, {again, now}} {
		lookBackOnce(t, r.d, c.b, c.at)
	}
	held := []int{b.lists[list].runs, again.lists[list].runs}
	if !slices.Equal(held, []int{2, 1}) {
		t.Errorf("the history was held against the list %v times", held)
	}
	r.d.log.Sync()
	if n := told(); n != 1 {
		t.Errorf("told %d times", n)
	}
}
