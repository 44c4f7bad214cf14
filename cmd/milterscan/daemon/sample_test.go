package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
)

// TestChooses: however much mail there is, and whenever it comes, each span of time has one message at most, the first
// after a moment that does not depend on the mail.
func TestChooses(t *testing.T) {
	hour := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		keep   int
		every  time.Duration // a message comes
		chance float64
		want   int
	}{
		{"none", 0, time.Second, 0, 0}, {"a flood", 10, 10 * time.Millisecond, 0.99, 10}, {"some", 10, time.Minute, 0.5, 10},
		{"few", 10, 20 * time.Minute, 0.5, 2}, {"one", 1, time.Second, 0, 1}, {"all", 1000, time.Second, 0, 1000},
	} {
		s := newSampler()
		s.chance = func() float64 { return c.chance }
		var chosen []time.Time
		for at := hour.Add(1); at.Before(hour.Add(time.Hour)); at = at.Add(c.every) {
			if s.chooses(config.Replay{Keep: c.keep}, at) {
				chosen = append(chosen, at)
			}
		}
		if len(chosen) != c.want {
			t.Errorf("%s: %d are chosen, not %d", c.name, len(chosen), c.want)
		}
		if c.keep == 0 || c.name == "few" { // the moment may be long ago
			continue
		}
		slot := time.Hour / time.Duration(c.keep)
		for _, at := range chosen {
			if due := at.Truncate(slot).Add(time.Duration(c.chance * float64(slot))); at.Before(due) || !at.Before(due.Add(c.every+1)) {
				t.Errorf("%s: chosen at %v, not at the first message after %v", c.name, at, due)
			}
		}
	}
	s := newSampler()
	s.chance = func() float64 { return 0 }
	s.rest(hour)
	if s.chooses(config.Replay{Keep: 1000}, hour.Add(sampleRest-time.Second)) || !s.chooses(config.Replay{Keep: 1000}, hour.Add(sampleRest)) {
		t.Error("it does not rest for an hour")
	}
}

// TestChance: numbers are from 0 to below 1, and no two alike.
func TestChance(t *testing.T) {
	seen := map[float64]bool{}
	for range 1000 {
		n := chance()
		if n < 0 || n >= 1 || seen[n] {
			t.Fatal(n)
		}
		seen[n] = true
	}
}

// TestSamples keeps a message of those that pass, for nobody else's eyes; where that fails the mail goes on, and none is
// kept for a while.
func TestSamples(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, strings.ReplaceAll(plain, "DIR", dir)+"[replay]\nkeep = 1000\nlargest = \"1KB\"\ndir = \""+dir+"/sample\"\n")
	r.await("log", `"ready"`)
	r.d.samples.mu.Lock()
	r.d.samples.chance = func() float64 { return 0 }
	r.d.samples.room = func(string) (free, all int64, err error) { return 1 << 40, 1 << 40, nil } // however full the disk is here
	r.d.samples.mu.Unlock()
	ask := func(text string) {
		t.Helper()
		if _, err := r.ask("m", "From: a@elsewhere.example\r\nSubject: s\r\n\r\n"+text); err != nil {
			t.Fatal(err)
		}
	}
	ask(strings.Repeat("too large\r\n", 200))
	if got := len(r.d.samples.kept); got != 0 {
		t.Errorf("a message larger than the limit is chosen")
	}
	ask("small")
	var file string
	until(t, "a message is kept", func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "sample", "*", "*.eml.gz"))
		if len(files) > 0 {
			file = files[0]
		}
		return file != ""
	})
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Join(dir, "sample"): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^want != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	c := r.d.config.Load().Replay
	r.d.expireSamples(t.Context(), c, time.Now().Add(c.For.Go()+time.Hour))
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a message that is too old is there: %v", err)
	}
	full := newSampler()
	full.room = func(string) (free, all int64, err error) { return 1 << 30, 1 << 40, nil }
	if err := (&Daemon{samples: full}).keepSample(t.Context(), sampled{policy.Copy{Raw: bytes.NewReader(nil)}, c}); err == nil || !strings.Contains(err.Error(), "of the file system is free") {
		t.Errorf("on a disk that is nearly full: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "sample")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sample"), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the log says that none can be kept", func() bool {
		ask("small")
		text, err := os.ReadFile(filepath.Join(dir, "log"))
		return err == nil && strings.Contains(string(text), "no message is kept for replays for an hour")
	})
	if r.d.samples.chooses(c, time.Now().Add(time.Minute)) {
		t.Error("messages are chosen though none can be kept")
	}
}
