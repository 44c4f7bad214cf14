package initial

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWritable reads what systemd says of a unit.
func TestWritable(t *testing.T) {
	for shown, want := range map[string]string{
		"": "", "ProtectSystem=full\nReadWritePaths=/a\n": "",
		"ProtectSystem=strict\nReadWritePaths=\n":                      "/run/milterscan",
		"ReadWritePaths=-/q/milterscan +/b /c\nProtectSystem=strict\n": "/run/milterscan /q/milterscan /b /c",
	} {
		if got := strings.Join(parseWritable(shown), " "); got != want {
			t.Errorf("%q: %q, not %q", shown, got, want)
		}
	}
}

// TestSocketsOutsideOfUnit: where the unit keeps the daemon from a socket's directory, a file beside the unit admits
// all of them, and the steps that are shown say so.
func TestSocketsOutsideOfUnit(t *testing.T) {
	one, two := Socket{Dir: "/var/spool/postfix/milterscan"}, Socket{Dir: "/var/spool/postfix-out/milterscan"}
	const both = "[Service]\nReadWritePaths=-/var/spool/postfix/milterscan\nReadWritePaths=-/var/spool/postfix-out/milterscan\n"
	for name, c := range map[string]struct {
		writable []string
		sockets  []Socket
		want     string
	}{
		"nothing is bounded":    {nil, []Socket{one, two}, ""},
		"the usual one":         {[]string{"/run/milterscan", one.Dir}, []Socket{one}, ""},
		"none below a queue":    {[]string{"/run/milterscan"}, nil, ""},
		"a second instance":     {[]string{"/run/milterscan", one.Dir}, []Socket{one, two}, both},
		"both, from an earlier": {[]string{one.Dir, two.Dir}, []Socket{one, two}, ""},
		"all of the queues":     {[]string{"/var/spool"}, []Socket{one, two}, ""},
		"one of a like name":    {[]string{"/var/spool/postfix"}, []Socket{one, two}, both},
	} {
		s := &Service{Unit: unit, Writable: c.writable, Extra: filepath.Join(t.TempDir(), "d", "sockets.conf")}
		called := fakeSystemctl(t, "")
		if err := s.admit(t.Context(), c.sockets); err != nil || text(s.Extra) != c.want {
			t.Errorf("%s: %v, %q", name, err, text(s.Extra))
		}
		if got := text(called); (got == "daemon-reload\n") != (c.want != "") {
			t.Errorf("%s: systemctl %q", name, got)
		}
		steps := strings.Join(s.steps(c.sockets), "\n")
		if strings.Contains(steps, s.Extra) != (c.want != "") || !strings.HasSuffix(steps, "systemctl restart milterscan.service") {
			t.Errorf("%s: %s", name, steps)
		}
	}
}

// fakeSystemctl puts a systemctl before all others that notes how it is called; it returns the file of its notes.
func fakeSystemctl(t *testing.T, then string) (called string) {
	t.Helper()
	dir := t.TempDir()
	called = filepath.Join(dir, "called")
	script := "#!/bin/sh\necho \"$@\" >>" + called + "\n" + then + "\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return called
}

// TestDoesNotStart: a daemon that does not start with the new configuration gets the old one back, and is started
// with it; its own words are shown.
func TestDoesNotStart(t *testing.T) {
	c, out := fresh(t)
	c.Yes, c.Force = true, true
	called := fakeSystemctl(t, "grep -q 7357 "+c.File+" || exit 0; echo it is broken >&2; exit 1")
	c.Service = &Service{Unit: unit, Daemon: Daemon{Listen: func(string) []string { return nil }}}
	if err := errors.Join(os.Mkdir(filepath.Dir(c.File), 0o755), os.WriteFile(c.File, []byte("# mine\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it is broken; so "+c.File+" is as it was, and milterscan was started with that") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := text(c.File); got != "# mine\n" {
		t.Errorf("the configuration: %q", got)
	}
	if got := text(called); strings.Count(got, "restart milterscan.service\n") != 2 {
		t.Errorf("systemctl: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Service.Answers = func(context.Context, string) bool { return false } // another program listens there
	if err := c.Service.await(ctx, "tcp:127.0.0.1:25"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// TestUndo: the old configuration is put back also for one who waits no longer, and nothing is said to be done that was not.
func TestUndo(t *testing.T) {
	for name, test := range map[string]struct{ then, want string }{
		"it starts":        {"", "gone; so FILE is as it was, and milterscan was started with that"},
		"it does not, too": {"echo broken >&2; exit 1", "gone; so FILE is as it was, but milterscan was not started with that: systemctl restart milterscan.service: broken"},
	} {
		c, _ := fresh(t)
		called := fakeSystemctl(t, test.then)
		c.Service = &Service{Unit: unit}
		if err := os.MkdirAll(filepath.Dir(c.File), 0o755); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		old := existing{there: true, text: []byte("# mine\n"), mode: 0o600, uid: os.Geteuid(), gid: os.Getegid()}
		err := c.undo(ctx, old, errors.New("gone"))
		if want := strings.ReplaceAll(test.want, "FILE", c.File); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
		if text(c.File) != "# mine\n" || text(called) != "restart milterscan.service\n" {
			t.Errorf("%s: %q, systemctl %q", name, text(c.File), text(called))
		}
	}
}

// TestAwait: where another program listens and says nothing, a start is given up after a minute, as mail is deferred so long.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silence = 5 * time.Second
		s := &Service{Daemon: Daemon{Answers: func(context.Context, string) bool { time.Sleep(silence); return false }}}
		begun := time.Now()
		if err := s.await(t.Context(), "tcp:127.0.0.1:25"); err == nil || time.Since(begun) > startTime+silence+startPause {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		tries := 0
		s.Answers = func(context.Context, string) bool { tries++; return tries == 100 }
		if err := s.await(t.Context(), "tcp:127.0.0.1:25"); err != nil {
			t.Errorf("one that takes a while to start: %v", err)
		}
	})
}

// TestLastError picks the last error out of the daemon's log.
func TestLastError(t *testing.T) {
	log := "no errors\n" + `{"level":"error","msg":"first"}` + "\n" + `{"level":"error","msg":"cannot listen"}` + "\n" + `{"level":"info"}` + "\n"
	if got := lastError(log); got != `: {"level":"error","msg":"cannot listen"}` || lastError("") != "" {
		t.Errorf("%q", got)
	}
}
