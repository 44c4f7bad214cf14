package daemon

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the sink.
const (
	mostBytes  = 8 << 20         // of lines that wait to be written; further lines are lost
	mostLines  = 1 << 16         // likewise
	parting    = 2 * time.Second // for what waits when the daemon ends
	largestLot = 256 << 10       // bytes written at once
)

// sink takes the lines of a log and has them written by a separate goroutine, in
// their order: mail goes on when no program reads the log. Lines that find no room, or
// cannot be written, are counted, and a line says how many as soon as one can be
// written again.
type sink struct {
	out   io.Writer
	count *atomic.Int64      // all lines that were ever lost
	lost  func(n int) []byte // the line that says so

	mu      sync.Mutex
	more    sync.Cond // there is something to write, or the end has come
	lines   [][]byte
	bytes   int
	missing int
	closed  bool
	written chan struct{} // closed when nothing waits; nil while nothing does
	done    chan struct{} // closed when the goroutine is over
}

// newSink starts a sink. Close ends it.
func newSink(out io.Writer, count *atomic.Int64, lost func(n int) []byte) *sink {
	s := &sink{out: out, count: count, lost: lost, done: make(chan struct{})}
	s.more.L = &s.mu
	go s.run()
	return s
}

// Write takes one line, or counts it as lost. It never waits and never fails.
func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.bytes+len(line) > mostBytes || len(s.lines) >= mostLines {
		s.miss(1)
		return len(line), nil
	}
	s.lines = append(s.lines, append([]byte(nil), line...))
	s.bytes += len(line)
	if s.written == nil {
		s.written = make(chan struct{})
	}
	s.more.Signal()
	return len(line), nil
}

// miss counts lines that are lost.
func (s *sink) miss(n int) {
	s.missing += n
	s.count.Add(int64(n))
}

// errUnread is reported when the log takes no more lines.
var errUnread = errors.New("the log is not read")

// Sync waits, but not for long, until all lines are written.
func (s *sink) Sync() error {
	s.mu.Lock()
	written := s.written
	s.mu.Unlock()
	if written == nil {
		return nil
	}
	timer := time.NewTimer(parting)
	defer timer.Stop()
	select {
	case <-written:
		return nil
	case <-timer.C:
		return errUnread
	}
}

// Close has the lines written that wait, and ends the sink. A line that cannot be
// written now is waited for as Sync does.
func (s *sink) Close() error {
	err := s.Sync()
	s.mu.Lock()
	s.closed = true
	s.more.Signal()
	s.mu.Unlock()
	if err == nil {
		<-s.done
	}
	return err
}

func (s *sink) run() {
	defer close(s.done)
	for {
		lot, n, ok := s.next()
		if !ok {
			return
		}
		_, err := s.out.Write(lot)
		s.finish(err, n)
	}
}

// next waits for lines and returns some of them together, the number of those lost
// before them first.
func (s *sink) next() (lot []byte, n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.lines) == 0 && !s.closed {
		s.more.Wait()
	}
	if len(s.lines) == 0 {
		return nil, 0, false
	}
	for n < len(s.lines) && (n == 0 || len(lot)+len(s.lines[n]) <= largestLot) {
		lot = append(lot, s.lines[n]...)
		n++
	}
	return lot, n, true
}

// finish takes away the lines of a lot, and puts a line before the next that says how
// many are lost, as soon as lines can be written.
func (s *sink) finish(err error, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines[:n] {
		s.bytes -= len(line)
	}
	s.lines = append(s.lines[:0:0], s.lines[n:]...)
	switch {
	case err != nil:
		s.miss(n)
	case s.missing > 0:
		line := s.lost(s.missing)
		s.lines, s.bytes, s.missing = append(s.lines, line), s.bytes+len(line), 0
	}
	if len(s.lines) == 0 {
		close(s.written)
		s.written = nil
	}
}
