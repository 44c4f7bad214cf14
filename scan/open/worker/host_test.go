//go:build linux

package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// livesVariable names a file with a byte for each child that was given a job.
const livesVariable = "MILTERSCAN_TEST_LIVES"

func init() {
	for name, act := range hostActs {
		acts[name] = act
	}
}

// hostActs are the ways in which a child may end: by what happens to it, or by what
// it does.
var hostActs = map[string]func() int{
	"killed once": func() int {
		return eachLife(func(life int, c *channel) {
			c.sendValue(member, entry{Names: [][]byte{[]byte("first")}, Body: true})
			c.send(body, []byte("one"))
			c.send(end, nil)
			c.sendValue(member, entry{Names: [][]byte{[]byte("second")}, Body: true})
			c.send(body, []byte("before "))
			if life == 1 {
				kill(c, syscall.SIGKILL)
			}
			c.send(body, []byte("and after"))
			c.send(end, nil)
		})
	},
	"killed once, other frames": func() int {
		return eachLife(func(life int, c *channel) {
			c.sendValue(member, entry{Names: [][]byte{[]byte("a")}, Body: true})
			if life == 1 {
				c.send(body, []byte("before "))
				kill(c, syscall.SIGTERM)
			}
			c.send(body, []byte("before and after"))
			c.send(end, nil)
		})
	},
	"killed between members": func() int {
		return eachLife(func(life int, c *channel) {
			c.sendValue(member, entry{Names: [][]byte{[]byte("a")}})
			if life == 1 {
				kill(c, syscall.SIGKILL)
			}
			c.sendValue(member, entry{Names: [][]byte{[]byte("b")}})
		})
	},
	"killed always": func() int { return eachLife(func(_ int, c *channel) { kill(c, syscall.SIGKILL) }) },
	"killed, then out of CPU time": func() int {
		return eachLife(func(life int, c *channel) {
			if life == 1 {
				kill(c, syscall.SIGKILL)
			}
			os.Exit(exitCPU)
		})
	},
	"killed, then crashes": func() int {
		return eachLife(func(life int, c *channel) {
			if life == 1 {
				kill(c, syscall.SIGKILL)
			}
			kill(c, syscall.SIGSEGV)
		})
	},
	"killed, then reads otherwise": func() int {
		return eachLife(func(life int, c *channel) {
			if life == 1 {
				c.sendValue(member, entry{Names: [][]byte{[]byte("a")}})
				kill(c, syscall.SIGKILL)
			}
		})
	},
	"crashes when used": func() int {
		return eachLife(func(life int, c *channel) {
			if life == 2 {
				kill(c, syscall.SIGABRT)
			}
		})
	},
	// It takes 100 ms of CPU time for each.
	"works": func() int {
		return eachJob(func(c *channel, a assignment) {
			defer allowCPU(time.Duration(a.CPU), func() { os.Exit(exitCPU) })()
			for end := ownCPU() + 100*time.Millisecond; ownCPU() < end; {
			}
		})
	},
	"no thread": func() int {
		return eachLife(func(int, *channel) {
			fmt.Fprintln(os.Stderr, "runtime: failed to create new OS thread (have 5 already; errno=11)")
			os.Exit(2)
		})
	},
	"out of memory unnoticed": func() int {
		return eachLife(func(int, *channel) {
			fmt.Fprintln(os.Stderr, "SIGSEGV: segmentation violation\nPC=0x46d63f m=0 sigcode=2 addr=0xc003c00000")
			os.Exit(2)
		})
	},
	// It takes more time than its work: the host is slow.
	"slow": func() int { return eachJob(func(*channel, assignment) { os.Exit(exitBusy) }) },
	"out of memory": func() int {
		return eachLife(func(int, *channel) {
			fmt.Fprintln(os.Stderr, "fatal error: runtime: out of memory")
			os.Exit(2)
		})
	},
}

// eachJob does the jobs of a child until its parent hangs up.
func eachJob(job func(c *channel, a assignment)) int {
	c := newChannel(os.Stdin, os.Stdout)
	c.sendValue(hello, greeting{})
	for {
		_, n, err := c.next()
		if err != nil {
			return 0
		}
		var a assignment
		c.value(n, &a)
		job(c, a)
		c.sendValue(done, outcome{})
	}
}

// eachLife is eachJob for a child that knows how many jobs it and others were given.
func eachLife(job func(life int, c *channel)) int {
	return eachJob(func(c *channel, _ assignment) {
		lives, _ := os.OpenFile(os.Getenv(livesVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		lives.WriteString(".")
		info, _ := lives.Stat()
		lives.Close()
		job(int(info.Size()), c)
	})
}

// kill ends this process by a signal, after what it had to say.
func kill(c *channel, s syscall.Signal) {
	c.out.Flush()
	unix.Kill(os.Getpid(), s)
	time.Sleep(time.Minute)
}

// Whatever ends a child, the walk says whose fault that is: the host's, which may be
// over at the next attempt, or the container's.
func TestWhoseFault(t *testing.T) {
	host, mail, limit := archive.Unavailable, archive.DecoderFailed, archive.DecoderLimit
	for _, c := range []struct {
		act    string
		change func(*Config)
		walks  []string // what is read and noted, walk by walk
	}{
		{act: "killed once", walks: []string{"first=one second=before and after"}},
		{act: "killed once, other frames", walks: []string{"a=before and after"}},
		{act: "killed between members", walks: []string{"a b"}},
		{act: "killed always", walks: []string{host, host}},
		{act: "killed, then out of CPU time", walks: []string{limit, limit}},
		{act: "killed, then crashes", walks: []string{mail, mail}},
		{act: "killed, then reads otherwise", walks: []string{"a " + mail}},
		{act: "crashes when used", walks: []string{"", "", ""}},
		{act: "no thread", walks: []string{host, host}},
		{act: "out of memory", change: func(c *Config) { c.Memory = 64 * units.MB }, walks: []string{limit, limit}},
		{act: "out of memory", change: func(c *Config) { c.Memory = 1 << 60 }, walks: []string{host}},
		{act: "out of memory unnoticed", change: func(c *Config) { c.Memory = 64 * units.MB }, walks: []string{limit, limit}},
		{act: "slow", walks: []string{host, host}},
		{act: "hangs", change: func(c *Config) { c.Wall = 200 * time.Millisecond }, walks: []string{host, host}},
		{act: "mute", change: func(c *Config) { c.Wall = 200 * time.Millisecond }, walks: []string{host}},
		{act: "dead", walks: []string{host, host}},
		{act: "proper", change: func(c *Config) { c.Command = []string{"/nonexistent"} }, walks: []string{host, host}},
		{act: "garbage", walks: []string{mail, mail}},
		{act: "dies", walks: []string{mail, mail}},
	} {
		t.Run(c.act, func(t *testing.T) {
			cfg := testConfig(t, c.act)
			cfg.Env = append(cfg.Env, livesVariable+"="+filepath.Join(t.TempDir(), "lives"))
			if c.change != nil {
				c.change(&cfg)
			}
			pool := newTestPool(t, cfg)
			data := sampleFile(t, "eicar.com.xz")
			for i, want := range c.walks {
				if got := walkAll(t.Context(), pool.Format(formatOf(t, data)), data); got.brief() != want || got.err != nil {
					t.Errorf("walk %d: %q, want %q; notes %v, error %v", i+1, got.brief(), want, got.notes, got.err)
				}
			}
		})
	}
}

// brief is what a walk read, and the codes of its notes.
func (w walked) brief() string {
	var words []string
	bodies := w.bodies
	for _, name := range w.names {
		if len(bodies) > 0 {
			name, bodies = name+"="+bodies[0], bodies[1:]
		}
		words = append(words, name)
	}
	for _, n := range w.notes {
		words = append(words, n.Code)
	}
	return strings.Join(words, " ")
}

// An idle child that was killed costs the next container nothing.
func TestIdleChildIsKilled(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV} {
		pool := newTestPool(t, testConfig(t, "proper"))
		data := sampleFile(t, "lzma2.7z")
		f := pool.Format(formatOf(t, data))
		want := walkAll(t.Context(), f, data)
		for _, child := range pool.idle {
			child.cmd.Process.Signal(signal)
		}
		if got := walkAll(t.Context(), f, data); fmt.Sprint(got) != fmt.Sprint(want) || len(got.bodies) != 2 {
			t.Errorf("%v: %v, want %v", signal, got, want)
		}
	}
}

// A child that has nothing to do ends, and the next container starts another.
func TestIdleChildEnds(t *testing.T) {
	cfg := testConfig(t, "proper")
	cfg.Idle = time.Millisecond
	pool := newTestPool(t, cfg)
	b := new(archive.Budget)
	child, err := pool.take(t.Context(), b, 0)
	if err != nil {
		t.Fatal(err)
	}
	pool.put(child, b, true)
	until(t, "the child has ended", func() bool { return syscall.Kill(child.cmd.Process.Pid, 0) == syscall.ESRCH })
	if got := pool.Counts(); got.Idle != 0 || got.Started != 1 || len(got.Ended) > 0 {
		t.Errorf("%+v", got)
	}
	data := sampleFile(t, "lzma2.7z")
	f := pool.Format(formatOf(t, data))
	for range 20 { // some of which meet a child that is about to end
		if got := walkAll(t.Context(), f, data); len(got.notes) > 0 || got.err != nil || len(got.bodies) != 2 {
			t.Fatal(got)
		}
	}
}

// until waits for what another process does, for a minute.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// No descriptor for a pipe or a file in memory is the host's fault.
func TestNoDescriptorIsLeft(t *testing.T) {
	cfg := testConfig(t, "proper")
	cfg.Helper = "/usr/bin"
	pool := newTestPool(t, cfg)
	data := sampleFile(t, "lzma2.7z")
	var old unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		t.Fatal(err)
	}
	formats := []archive.Format{pool.Format(formatOf(t, data)), find(t, pool, "xar")}
	unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: old.Max}, nil)
	var got []walked
	for _, f := range formats {
		got = append(got, walkAll(t.Context(), f, data))
	}
	unix.Prlimit(0, unix.RLIMIT_NOFILE, &old, nil)
	for i, g := range got {
		if g.brief() != archive.Unavailable || g.err != nil {
			t.Errorf("%s: %v", formats[i].Name(), g)
		}
	}
}

// A container that cannot be read on this side is no damaged container.
func TestContainerCannotBeRead(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	f := pool.Format(formatOf(t, sampleFile(t, "lzma2.7z")))
	notes, err := f.Walk(t.Context(), failing{}, archive.NewBudget(testLimits), func(archive.Member, io.Reader) error { return nil })
	if err != nil || len(notes) != 1 || notes[0].Code != archive.Unavailable {
		t.Errorf("%v, %v", notes, err)
	}
}

// What the caller wants ends a walk whose child was killed, too.
func TestVisitEndsAWalkThatGoesOn(t *testing.T) {
	cfg := testConfig(t, "killed once")
	cfg.Env = append(cfg.Env, livesVariable+"="+filepath.Join(t.TempDir(), "lives"))
	pool, enough := newTestPool(t, cfg), errors.New("enough")
	data := sampleFile(t, "eicar.com.xz")
	_, err := pool.Format(formatOf(t, data)).Walk(t.Context(), bytes.NewReader(data), archive.NewBudget(testLimits), func(m archive.Member, _ io.Reader) error {
		if m.Names[0] == "second" {
			return enough
		}
		return nil
	})
	if err != enough {
		t.Error(err)
	}
}
