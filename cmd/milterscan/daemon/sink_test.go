package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// reader is what reads a log: it may stop for a while, or be gone.
type reader struct {
	mu   sync.Mutex
	text bytes.Buffer
	gone bool
	stop chan struct{} // not nil: nothing is read until it is closed
}

func (r *reader) Write(p []byte) (int, error) {
	if r.stop != nil {
		<-r.stop
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return 0, errors.New("broken pipe")
	}
	return r.text.Write(p)
}

func (r *reader) leave(gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = gone
}

func lostText(n int) []byte { return fmt.Appendf(nil, "%d lost\n", n) }

func TestLogInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		s := newSink(r, new(atomic.Int64), lostText)
		var want strings.Builder
		for i := range 1000 {
			fmt.Fprintf(s, "line %d\n", i)
			fmt.Fprintf(&want, "line %d\n", i)
		}
		if err := s.Close(); err != nil || r.text.String() != want.String() {
			t.Errorf("%v, %d bytes of %d", err, r.text.Len(), want.Len())
		}
	})
}

// A log that nobody reads holds up no mail, and neither the end of the daemon.
func TestLogUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stop: make(chan struct{})}
		s := newSink(r, new(atomic.Int64), lostText)
		line := bytes.Repeat([]byte("x"), 1<<10)
		begun, fits := time.Now(), mostBytes/len(line)
		for range fits + 100 {
			s.Write(line)
		}
		if time.Since(begun) > 0 {
			t.Errorf("writing took %v", time.Since(begun))
		}
		if err := s.Sync(); err == nil || time.Since(begun) != parting {
			t.Errorf("Sync: %v after %v", err, time.Since(begun))
		}
		close(r.stop) // somebody reads again
		synctest.Wait()
		fmt.Fprint(s, "after\n")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got := r.text.String(); strings.Count(got, "x") != fits*len(line) || !strings.HasSuffix(got, "100 lost\nafter\n") {
			t.Errorf("%d of %d bytes, ending in %q", len(got), fits*len(line), got[max(0, len(got)-40):])
		}
	})
}

func TestLogNeverReadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{stop: make(chan struct{})}
		s := newSink(r, new(atomic.Int64), lostText)
		fmt.Fprint(s, "a\n")
		if err := s.Close(); err == nil {
			t.Error("no error")
		}
		close(r.stop)
	})
}

// A log whose reader is gone loses lines, says how many, and goes on when it can.
func TestLogReaderIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{gone: true}
		var lost atomic.Int64
		s := newSink(r, &lost, lostText)
		for range 3 {
			fmt.Fprint(s, "lost\n")
			synctest.Wait()
		}
		r.leave(false)
		fmt.Fprint(s, "back\n")
		if err := s.Close(); err != nil || r.text.String() != "back\n3 lost\n" {
			t.Errorf("%v, %q", err, r.text.String())
		}
		fmt.Fprint(s, "after the end\n") // is no error
		if n := lost.Load(); n != 4 {
			t.Errorf("%d lines are counted as lost", n)
		}
	})
}

func TestLostLine(t *testing.T) {
	for _, format := range []string{"json", "console"} {
		e, err := newEncoder(format)
		if err != nil {
			t.Fatal(err)
		}
		if line := string(lostLine(e, 7)); !strings.Contains(line, "lost") || !strings.Contains(line, "7") || !strings.HasSuffix(line, "\n") {
			t.Errorf("%s: %q", format, line)
		}
	}
	if _, err := newEncoder("xml"); err == nil {
		t.Error("xml is no error")
	}
}
