package mtalog

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// kept is a Store in memory. It may fail, and it may be kept by several followers, one
// after the other, as if the process had ended in between.
type kept struct {
	mu     sync.Mutex
	events []Event
	places map[string]Place
	fail   int // calls
}

func newKept() *kept { return &kept{places: map[string]Place{}} }

func (k *kept) AddEvents(_ context.Context, source string, events []Event, was, at Place) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail > 0 {
		k.fail--
		return errors.New("no room")
	}
	if k.places[source] != was {
		return ErrElsewhere
	}
	k.events = append(k.events, events...)
	k.places[source] = at
	return nil
}

func (k *kept) PlaceIn(_ context.Context, source string) (Place, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := k.places[source]
	return at, ok, nil
}

// queues returns the queue ids of all events, in their order.
func (k *kept) queues() (list []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.events {
		list = append(list, e.Queue)
	}
	return list
}

// scene is a log that is written, rotated and followed.
type scene struct {
	*testing.T
	path  string
	kept  *kept
	n     int // lines so far
	warns []string
	mu    sync.Mutex
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, path: filepath.Join(t.TempDir(), "mail.log"), kept: newKept()}
	s.write(0)
	return s
}

// write appends lines to the log, with lines of others between them.
func (s *scene) write(lines int) { s.writeTo(s.path, lines) }

func (s *scene) writeTo(path string, lines int) {
	s.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	for range lines {
		s.n++
		fmt.Fprintf(f, "Nov 29 17:10:02 mx postfix/qmgr[1]: %s: removed\nNov 29 17:10:02 mx cron[1]: job %d\n", s.id(s.n), s.n)
	}
}

func (s *scene) id(n int) string { return fmt.Sprintf("%08X", n) }

// look is how often a log is looked at. A writer has grace looks to leave a file that was renamed,
// and on a busy host is not always at work.
const look = 10 * time.Millisecond

// follow starts a follower. stop ends it.
func (s *scene) follow() (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	f := &Follower{Store: s.kept, File: s.path, Zone: time.UTC, Poll: look, Pause: time.Millisecond, Warn: func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.warns = append(s.warns, err.Error())
	}}
	var loop sync.WaitGroup
	loop.Go(func() { f.Run(ctx) })
	return func() { cancel(); loop.Wait() }
}

// until waits until all lines have been read, and none twice.
func (s *scene) until(what string) {
	s.Helper()
	var want []string
	for i := range s.n {
		want = append(want, s.id(i+1))
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if len(s.kept.queues()) >= len(want) {
			break
		}
	}
	time.Sleep(2 * look) // for what is read twice
	if got := s.kept.queues(); !slices.Equal(got, want) {
		s.Fatalf("%s: read %d of %d: %v, warned %q", what, len(got), len(want), got, s.warned())
	}
}

// complaint waits until the follower has warned of something.
func (s *scene) complaint() {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); len(s.warned()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatal("nothing is warned of")
		}
	}
}

func (s *scene) warned() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.warns)
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) copyTo(to string) {
	s.Helper()
	text, err := os.ReadFile(s.path)
	s.must(err)
	s.must(os.WriteFile(to, text, 0o644))
}

func (s *scene) compress(from, to string) {
	s.Helper()
	text, err := os.ReadFile(from)
	s.must(err)
	info, _ := os.Stat(from)
	f, err := os.Create(to)
	s.must(err)
	z := gzip.NewWriter(f)
	z.Write(text)
	s.must(errors.Join(z.Close(), f.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()), os.Remove(from)))
}

// TestRotations rotates a log in every way while it is followed, and while no process
// follows it. Nothing is left out, and nothing is read twice.
func TestRotations(t *testing.T) {
	ways := map[string]func(*scene){
		"nothing": func(s *scene) {},
		"renamed, made by the writer": func(s *scene) {
			s.must(os.Rename(s.path, s.path+".1"))
			s.writeTo(s.path+".1", 3) // the writer has it open still
			s.write(3)
		},
		"renamed, made at once": func(s *scene) {
			s.must(os.Rename(s.path, s.path+".1"))
			s.write(0)
			s.writeTo(s.path+".1", 3)
			s.write(3)
		},
		"renamed by date": func(s *scene) {
			s.must(os.Rename(s.path, s.path+"-20261129"))
			s.write(3)
		},
		"copied and cut off": func(s *scene) {
			s.copyTo(s.path + ".1")
			s.must(os.Truncate(s.path, 0))
			s.write(1)
		},
		"copied, cut off, longer than before": func(s *scene) {
			s.copyTo(s.path + ".1")
			s.must(os.Truncate(s.path, 0))
			s.write(40)
		},
	}
	for name, rotate := range ways {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			stop := s.follow()
			s.write(20)
			s.until("at first")
			rotate(s)
			s.until("after a rotation")
			stop()
			s.write(5)
			rotated, _ := filepath.Glob(s.path + "?*")
			for _, path := range rotated { // make way
				s.must(os.Rename(path, strings.Replace(path, "mail.log", "mail.log.2", 1)))
				if strings.HasSuffix(path, ".1") {
					s.must(os.Rename(s.path+".2.1", s.path+".2"))
				}
			}
			rotate(s)
			stop = s.follow()
			defer stop()
			s.until("rotated while it was not followed")
			s.write(3)
			s.until("at last")
			if w := s.warned(); len(w) > 0 {
				t.Errorf("warned of %q", w)
			}
		})
	}
}

// TestRenamedAfterSilence: a writer has the same time to leave a file that was renamed,
// however long it had logged nothing before.
func TestRenamedAfterSilence(t *testing.T) {
	for name, lines := range map[string]int{"the new file is empty": 0, "the new file has begun": 1} {
		s := newScene(t)
		tail, err := newTail(s.path, Place{}, false, look, func(err error) { t.Error(err) })
		s.must(err)
		defer tail.close()
		tail.quiet = 2 * longGrace
		s.must(os.Rename(s.path, s.path+".1"))
		s.write(lines)
		for n := range grace {
			if moved, err := tail.ended(); moved || err != nil {
				t.Errorf("%s: the renamed one is left after %d looks, %v", name, n, err)
			}
			tail.quiet++
		}
	}
}

// TestRotatedTwice reads on in compressed files after two rotations.
func TestRotatedTwice(t *testing.T) {
	s := newScene(t)
	s.write(20)
	stop := s.follow()
	s.until("at first")
	stop()
	s.write(10)
	older := time.Now().Add(-2 * time.Hour)
	s.must(os.Rename(s.path, s.path+".2"))
	s.must(os.Chtimes(s.path+".2", older, older))
	s.compress(s.path+".2", s.path+".2.gz")
	s.write(10)
	s.must(os.Rename(s.path, s.path+".1"))
	s.write(10)
	s.must(os.WriteFile(s.path+".0.gz.tmp", []byte("x"), 0o644))
	defer s.follow()()
	s.until("after two rotations")
}

// TestGone says once that a file is gone of which not all was read.
func TestGone(t *testing.T) {
	s := newScene(t)
	s.write(20)
	stop := s.follow()
	s.until("at first")
	stop()
	s.must(os.Remove(s.path))
	s.write(5)
	defer s.follow()()
	s.until("after it was removed")
	if w := s.warned(); len(w) != 1 || !strings.Contains(w[0], "is gone") {
		t.Errorf("warned of %q", w)
	}
}

// TestHalfLines reads lines that come in pieces, are too long, or have odd bytes.
func TestHalfLines(t *testing.T) {
	s := newScene(t)
	defer s.follow()()
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
	s.must(err)
	defer f.Close()
	line := "Nov 29 17:10:02 mx postfix/qmgr[1]: " + s.id(1) + ": removed\n"
	for _, c := range line {
		f.WriteString(string(c))
		time.Sleep(time.Millisecond / 2)
	}
	s.n = 1
	s.until("one line in pieces")
	f.WriteString(strings.Repeat("x", 3*maxLine))
	time.Sleep(20 * time.Millisecond)
	f.WriteString("Nov 29 17:10:02 mx postfix/qmgr[1]: " + s.id(9) + ": removed\n\x00\xff\r\n\n") // the end of the long line
	s.write(2)
	s.until("after a long line")
}

// TestKilled ends a follower at any moment. What it has read is read once.
func TestKilled(t *testing.T) {
	s := newScene(t)
	for i := range 30 {
		stop := s.follow()
		s.write(50)
		if i%7 == 3 {
			s.must(os.Rename(s.path, s.path+fmt.Sprintf("-2026%04d", 1000+i)))
		}
		time.Sleep(time.Duration(i) * time.Millisecond / 4)
		stop()
	}
	defer s.follow()()
	s.write(1)
	s.until("after 30 ends")
}

// TestTwoReaders has two processes read one log into one store: each line is read once.
func TestTwoReaders(t *testing.T) {
	s := newScene(t)
	defer s.follow()()
	defer s.follow()()
	for range 20 {
		s.write(20)
		time.Sleep(2 * time.Millisecond)
	}
	s.until("by two")
	if w := s.warned(); len(w) > 0 {
		t.Errorf("warned of %q", w)
	}
}

// TestStoreFails keeps what was read until it can be kept.
func TestStoreFails(t *testing.T) {
	s := newScene(t)
	s.kept.fail = 3
	defer s.follow()()
	s.write(5)
	s.until("after failures")
	if w := s.warned(); len(w) != 1 || !strings.Contains(w[0], "no room") {
		t.Errorf("warned of %q", w)
	}
}

// TestStrange says once that a log is in another form.
func TestStrange(t *testing.T) {
	s := newScene(t)
	defer s.follow()()
	for i := range 3 {
		s.must(os.WriteFile(s.path, []byte(strings.Repeat(fmt.Sprintf("%d|29.11.2026|postfix|removed\n", i), 200)), 0o644))
		time.Sleep(20 * time.Millisecond)
	}
	s.write(1)
	s.until("after strange lines")
	if w := s.warned(); len(slices.DeleteFunc(w, func(s string) bool { return !strings.Contains(s, "no form that is known") })) != 1 {
		t.Errorf("warned of %q", s.warned())
	}
}

// TestMissing waits for a log that is not there, or cannot be read, and says so once.
func TestMissing(t *testing.T) {
	s := newScene(t)
	s.must(os.Remove(s.path))
	defer s.follow()()
	s.complaint()
	time.Sleep(2 * look) // for what is said twice
	s.write(3)
	s.until("when it is there")
	if w := s.warned(); len(w) != 1 || !strings.Contains(w[0], "no such file") {
		t.Errorf("warned of %q", w)
	}
}

// TestNoFile does not wait for ever for what is no file.
func TestNoFile(t *testing.T) {
	s := newScene(t)
	s.path = filepath.Dir(s.path)
	stop := s.follow()
	s.complaint()
	time.Sleep(2 * look) // for what is said twice
	stop()
	if w := s.warned(); len(w) != 1 || !strings.Contains(w[0], "no regular file") {
		t.Errorf("warned of %q", w)
	}
}

// TestBurst has 100,000 lines read.
func TestBurst(t *testing.T) {
	s := newScene(t)
	s.write(50_000)
	begun := time.Now()
	defer s.follow()()
	s.until("a burst")
	t.Logf("100,000 lines in %v", time.Since(begun))
}
