//go:build linux

package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// script is a program of the test's own, with limits it can keep.
func script(t *testing.T, text string) Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Program{Path: path, Memory: 64 * units.MB, CPU: 5 * time.Second, Wall: 20 * time.Second, Output: 1000}
}

// ran runs a program on a content.
func ran(t *testing.T, p Program, content string) (Outcome, error) {
	t.Helper()
	return testConfig(t, "proper").Run(t.Context(), p, bytes.NewReader([]byte(content)))
}

func TestProgram(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   Outcome
	}{
		"reads":          {"cat", Outcome{Output: "content"}},
		"reads by name":  {"cat /dev/stdin", Outcome{Output: "content"}},
		"status":         {"exit 3", Outcome{Status: 3}},
		"our own status": {"exit 76", Outcome{Status: 76}},
		"two streams":    {"echo a; echo b >&2", Outcome{Output: "a\nb\n"}},
		"reads nothing":  {":", Outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := ran(t, script(t, c.script), "content")
			if err != nil || o != c.want {
				t.Errorf("%+v, error %v; want %+v", o, err, c.want)
			}
		})
	}
}

func TestProgramArguments(t *testing.T) {
	p := script(t, `printf '%s|' "$@"`)
	p.Args = []string{"$(id)", "a b", "*", ";ls"}
	if o, err := ran(t, p, ""); err != nil || o.Output != "$(id)|a b|*|;ls|" {
		t.Errorf("%+v, error %v", o, err)
	}
}

// TestProgramWrites: it may write in its own directory, and finds it as TMPDIR.
func TestProgramWrites(t *testing.T) {
	p := script(t, `cat >"$TMPDIR/copy" && mkdir "$TMPDIR/d" && mv "$TMPDIR/copy" "$TMPDIR/d/" 2>/dev/null || rm "$TMPDIR/copy"; echo done 2>/dev/null >/dev/null && echo ok`)
	p.Write = t.TempDir()
	if o, err := ran(t, p, "content"); err != nil || o.Output != "ok\n" {
		t.Errorf("%+v, error %v", o, err)
	}
	if _, err := os.Stat(filepath.Join(p.Write, "d")); err != nil {
		t.Error(err)
	}
}

func TestProgramWritesNowhere(t *testing.T) {
	p := script(t, "echo x >'"+filepath.Join(t.TempDir(), "file")+"' && echo written")
	if o, err := ran(t, p, ""); err == nil && strings.Contains(o.Output, "written") {
		t.Errorf("%+v, error %v", o, err)
	}
}

func TestProgramTalksTooMuch(t *testing.T) {
	p := script(t, "for i in 1 2 3 4 5 6 7 8 9; do echo 123456789; done; exit 2")
	p.Output = 15
	if o, err := ran(t, p, ""); err != nil || o != (Outcome{2, "123456789\n12345", true}) {
		t.Errorf("%+v, error %v", o, err)
	}
}

func TestProgramMisbehaves(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Program)
		want   error
	}{
		"spins":    {"while :; do :; done", func(p *Program) { p.CPU = time.Second }, errLimit},
		"sleeps":   {"exec sleep 100", func(p *Program) { p.Wall = 100 * time.Millisecond }, scan.ErrHost},
		"floods":   {"while :; do echo 123456789; done", func(p *Program) { p.CPU = time.Second }, errLimit},
		"dies":     {"kill -9 $$", nil, errProgram},
		"killed":   {"kill -9 $$", nil, scan.ErrHost},
		"crashes":  {"kill -SEGV $$", nil, errProgram},
		"leaves":   {"sleep 100 & exit 0", nil, errProgram},
		"is gone":  {"", func(p *Program) { p.Path += "-gone" }, errStart},
		"starts":   {"", func(p *Program) { p.Path += "-gone" }, scan.ErrHost},
		"is blank": {"", func(p *Program) { p.Path = filepath.Dir(p.Path) }, errStart},
	} {
		t.Run(name, func(t *testing.T) {
			p := script(t, c.script)
			if c.change != nil {
				c.change(&p)
			}
			if o, err := ran(t, p, "content"); !errors.Is(err, c.want) {
				t.Errorf("%+v, error %v; want %v", o, err, c.want)
			}
		})
	}
}

// TestProgramIsCancelled: a caller that is gone ends the program and all it has
// started.
func TestProgramIsCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p := script(t, "sleep 100 & sleep 100")
	if o, err := testConfig(t, "proper").Run(ctx, p, nil); err == nil {
		t.Errorf("%+v, no error", o)
	}
}

// TestNothingOfAProgramIsLeft: what it has started ends with it, though it has let go of
// what it was given, and cannot leave its group.
func TestNothingOfAProgramIsLeft(t *testing.T) {
	for name, start := range map[string]string{
		"in the background":    `sleep 100 </dev/null >/dev/null 2>&1 & echo $!`,
		"in a session":         `setsid sleep 100 </dev/null >/dev/null 2>&1 & echo $!`,
		"in a group":           `set -m 2>/dev/null; sleep 100 </dev/null >/dev/null 2>&1 & echo $!`,
		"by what it has begun": `(sleep 100 </dev/null >/dev/null 2>&1 & echo $!) & wait`,
	} {
		p := script(t, start)
		p.Write = t.TempDir() // and /dev/null
		o, err := ran(t, p, "")
		left, wrong := strconv.Atoi(strings.TrimSpace(o.Output))
		if err != nil || wrong != nil {
			t.Errorf("%s: %+v, error %v", name, o, err)
			continue
		}
		for end := time.Now().Add(time.Minute); alive(left) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if alive(left) {
			t.Errorf("%s: a process is left", name)
			syscall.Kill(left, syscall.SIGKILL)
		}
	}
}

// runProgram is what a daemon does that runs a program, whose path is its argument.
func runProgram() int {
	cfg := Defaults()
	cfg.Command, cfg.Env = []string{os.Args[0]}, []string{actVariable + "=proper, on a thread of its own"}
	p := Program{Path: os.Args[1], Memory: 64 * units.MB, CPU: 5 * time.Second, Wall: time.Minute, Write: os.Args[2]}
	cfg.Run(context.Background(), p, nil)
	return 0
}

// TestProgramsDieWithTheDaemon: also where nothing of the daemon is left to end them, and
// whichever thread becomes the program.
func TestProgramsDieWithTheDaemon(t *testing.T) {
	p := script(t, `echo $$ >"$TMPDIR/new" && mv "$TMPDIR/new" "$TMPDIR/pid" && exec sleep 100`)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		dir := t.TempDir()
		daemon := exec.Command(self, p.Path, dir)
		daemon.Env = []string{actVariable + "=daemon"}
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		program := 0
		for end := time.Now().Add(time.Minute); program == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			text, _ := os.ReadFile(filepath.Join(dir, "pid"))
			program, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		daemon.Process.Kill()
		daemon.Wait()
		if program == 0 {
			t.Fatal("the program did not begin")
		}
		for end := time.Now().Add(time.Minute); alive(program) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if alive(program) {
			syscall.Kill(program, syscall.SIGKILL)
			t.Fatal("the program goes on")
		}
	}
}

// alive reports whether a process has not ended. One that nobody has waited for has.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

// TestProgramReadsWhatItMay: with Landlock, other files are out of reach.
func TestProgramReadsWhatItMay(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := script(t, "cat "+secret)
	if rules, _, err := ruleset(); err == nil {
		closed := os.NewFile(uintptr(rules), "rules")
		closed.Close()
		if o, err := ran(t, p, ""); err != nil || strings.Contains(o.Output, "secret\n") || o.Status == 0 {
			t.Errorf("%+v, error %v", o, err)
		}
	}
	p.Read = []string{filepath.Dir(secret), "/nonexistent"}
	if o, err := ran(t, p, ""); err != nil || o.Output != "secret" {
		t.Errorf("%+v, error %v", o, err)
	}
}

func TestProgramContentUnreadable(t *testing.T) {
	if o, err := testConfig(t, "proper").Run(t.Context(), script(t, "cat"), failing{}); err == nil {
		t.Errorf("%+v, no error", o)
	}
}

// failing cannot be read.
type failing struct{}

func (failing) Size() int64 { return 10 }

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("broken") }
