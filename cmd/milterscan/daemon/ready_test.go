package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// clamd answers at a socket of the test as one does that is well.
func (r *running) clamd(name string) {
	r.t.Helper()
	l, err := net.Listen("unix", filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go sayWell(conn)
		}
	}()
}

// wellSaid are the answers of a clamd whose signatures are of 22 November 2026.
var wellSaid = map[string]string{
	"PING": "PONG", "VERSION": "ClamAV 1.4.6/27500/Sun Nov 22 08:24:13 2026", "STATS": "POOLS: 1\n\nSTATE: VALID PRIMARY\nMEMSTATS: pools 1 pools_used 1.000M pools_total 1.001M\nEND",
}

func sayWell(conn net.Conn) {
	defer conn.Close()
	b := make([]byte, 100)
	n, _ := conn.Read(b)
	question := string(b[:n])
	end := "\x00"
	if strings.HasPrefix(question, "n") {
		end = "\n"
	}
	conn.Write([]byte(wellSaid[strings.Trim(question, "nz\x00\n")] + end))
}

// engine is an entry of the configuration.
func engine(name, socket, more string) string {
	return "[[virus]]\nname = \"" + name + "\"\ntype = \"clamd\"\naddress = \"unix:DIR/" + socket + "\"\ntimeout = \"20s\"\n" + more + "\n"
}

// keeping is a rule that keeps mail.
const keeping = `
[[rule]]
name = "keep"
when = ["infected"]
action = "quarantine"
`

// TestReady asks whether mail can be judged where one thing is wrong, and is told what.
func TestReady(t *testing.T) {
	spoiled := func(name string) func(*running) {
		return func(r *running) {
			if err := os.WriteFile(filepath.Join(r.dir, name), []byte("no directory"), 0o600); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		more   string
		before func(*running)
		want   string // "": ready
	}{
		"all is well":                    {},
		"an engine":                      {more: engine("clamd", "well", "")},
		"an engine is gone":              {more: engine("clamd", "nothing", ""), want: "clamd: "},
		"one that need not answer":       {more: engine("clamd", "nothing", `on_failure = "deliver"`)},
		"one of two servers":             {more: strings.Replace(engine("clamd", "", ""), `"unix:DIR/"`, `["unix:DIR/nothing", "unix:DIR/well"]`, 1)},
		"none of two servers":            {more: strings.Replace(engine("clamd", "", ""), `"unix:DIR/"`, `["unix:DIR/nothing", "unix:DIR/none"]`, 1), want: "clamd: "},
		"its backup answers":             {more: engine("clamd", "nothing", "") + engine("second", "well", `backup_for = "clamd"`)},
		"its backup is gone as well":     {more: engine("clamd", "nothing", "") + engine("second", "none", `backup_for = "clamd"`), want: "clamd: "},
		"a backup that is gone":          {more: engine("clamd", "well", "") + engine("second", "none", `backup_for = "clamd"`)},
		"the second of two engines":      {more: engine("clamd", "well", "") + engine("other", "none", ""), want: "other: "},
		"the quarantine is no directory": {more: keeping, before: spoiled("quarantine"), want: "messages cannot be kept in the quarantine: "},
		"nothing is ever kept":           {before: spoiled("quarantine")},
		"the history is no database": {before: func(r *running) {
			file := filepath.Join(r.dir, "a.db")
			if err := errors.Join(os.RemoveAll(file), os.Mkdir(file, 0o700)); err != nil {
				r.t.Fatal(err)
			}
		}, want: "records cannot be written to the history: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			(&running{t: t, dir: dir}).clamd("well")
			if c.before != nil {
				c.before(&running{t: t, dir: dir})
			}
			r := start(t, dir, counted+c.more)
			r.await("log", `"ready"`)
			status, text := r.fetch("web", "/readyz")
			if c.want == "" && (status != 200 || text != "ok\n") || c.want != "" && (status != 503 || !strings.HasPrefix(text, c.want)) {
				t.Errorf("%d %q", status, text)
			}
			if status, _ := r.fetch("web", "/healthz"); status != 200 {
				t.Error("the daemon does not live")
			}
			want := map[bool]string{true: "milterscan_ready 1\n", false: "milterscan_ready 0\n"}[c.want == ""]
			if _, text := r.fetch("web", "/metrics"); !strings.Contains(text, want) {
				t.Error("the metrics do not say", want)
			}
		})
	}
}

// TestReadyInTime has a disk that hangs: the answer names it, soon, and asks it no
// second time.
func TestReadyInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q questions
		hangs := make(chan struct{})
		var asked atomic.Int32
		all := []condition{
			{"well", func(context.Context) error { return nil }},
			{"disk", func(context.Context) error { asked.Add(1); <-hangs; return nil }},
			{"slow", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{"ill", func(context.Context) error { return errors.New("is ill") }},
		}
		ask := func() []string {
			ctx, cancel := context.WithTimeout(t.Context(), readyTime)
			defer cancel()
			return q.ask(ctx, all)
		}
		begun := time.Now()
		if got := ask(); !slices.Equal(got, []string{"disk: no answer within 3s", "slow: context deadline exceeded", "ill: is ill"}) {
			t.Errorf("%q", got)
		}
		if took := time.Since(begun); took > readyTime+moment {
			t.Errorf("it took %v", took)
		}
		time.Sleep(time.Minute)
		if got := ask(); len(got) != 3 || !strings.HasPrefix(got[0], "disk: no answer for 1m3") || asked.Load() != 1 {
			t.Errorf("%q, asked %d times", got, asked.Load())
		}
		close(hangs)
		synctest.Wait()
		if got := ask(); len(got) != 2 {
			t.Errorf("when it is well again: %q", got)
		}
	})
}
