package virus

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Limits of the questions on their way in one session: enough to keep clamd's threads
// busy, few enough not to hold many copies.
const (
	windowOpen  = 8
	windowBytes = 16 << 20
)

// longestReply is far more than any answer of one line has.
const longestReply = 4 << 10

// session is one connection to clamd in which several contents are asked about
// (IDSESSION in clamd(8)). Commands are written one after the other without
// waiting; clamd numbers them from 1 and answers in any order. A session that
// failed is good for nothing more.
//
// The session is begun in the same write as the first content: each write wakes clamd. Between two messages
// it rests.
//
// QUIRK: a stream that is too large ends the session after its error, so
// everything not yet answered must be asked again in another one.
type session struct {
	conn    net.Conn
	in      *bufio.Reader
	sent    int // commands so far; the number of the last one
	waiting map[int]*Question
	pending int64 // bytes of the contents without an answer
	late    bool  // the time of a message ended while it was asked about
	begun   time.Time
	rests   time.Time // since when
}

// openSession returns a session on conn, which close closes.
func openSession(conn net.Conn) *session {
	s := &session{conn: conn, in: replies.Get().(*bufio.Reader), waiting: map[int]*Question{}, begun: time.Now()}
	s.in.Reset(conn)
	return s
}

// replies holds readers of answers that no session uses at present.
var replies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, longestReply) }}

func (s *session) close() {
	s.conn.Close()
	s.in.Reset(nil)
	replies.Put(s.in)
}

// run asks all questions and waits for the answers, until ctx is done. The first error ends
// the session; the questions keep the answers that came before.
func (s *session) run(ctx context.Context, open []*Question) error {
	defer s.within(ctx)()
	for _, q := range open {
		if s.asked(q) {
			continue
		}
		if err := s.makeRoom(q.Content.Size()); err != nil {
			return err
		}
		if err := s.ask(ctx, q); err != nil {
			return s.lastWords(err)
		}
	}
	for len(s.waiting) > 0 {
		if err := s.answer(); err != nil {
			return err
		}
	}
	return s.silence()
}

// within ends the session when ctx is done, until end is called.
func (s *session) within(ctx context.Context) (end func()) {
	stop := context.AfterFunc(ctx, func() { s.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { s.late = s.late || !stop() }
}

// asked reports whether a question is on its way.
func (s *session) asked(q *Question) bool {
	for _, w := range s.waiting {
		if w == q {
			return true
		}
	}
	return false
}

// makeRoom waits for answers until one more content of that size may go.
func (s *session) makeRoom(size int64) error {
	for len(s.waiting) > 0 && (len(s.waiting) >= windowOpen || s.pending+size > windowBytes) {
		if err := s.answer(); err != nil {
			return err
		}
	}
	return nil
}

// ask sends one content.
func (s *session) ask(ctx context.Context, q *Question) error {
	begin := ""
	if s.sent == 0 {
		begin = "zIDSESSION\x00"
	}
	s.sent++
	s.waiting[s.sent] = q
	s.pending += q.Content.Size()
	if conn, ok := s.conn.(*net.UnixConn); ok {
		return passDescriptor(ctx, conn, q.Content, begin)
	}
	return stream(ctx, s.conn, q.Content, begin)
}

// stream sends a content in chunks (INSTREAM in clamd(8)), a small one with all that belongs to it
// in one write: begin goes before.
func stream(ctx context.Context, w io.Writer, c scan.Content, begin string) error {
	before, left := []byte(begin+"zINSTREAM\x00"), c.Size()
	err := each(ctx, c, func(b *block, n int) error {
		binary.BigEndian.PutUint32(b[:4], uint32(n))
		pieces := net.Buffers{before, b[:4+n]}
		if left -= int64(n); left == 0 {
			pieces = append(pieces, make([]byte, 4)) // the empty chunk ends it
		}
		before = nil
		_, err := pieces.WriteTo(w)
		return err
	})
	if err != nil || before == nil {
		return err
	}
	_, err = w.Write(append(before, 0, 0, 0, 0)) // there is nothing in it
	return err
}

// answer takes one answer. Whatever is wrong with it, the session is over.
func (s *session) answer() error {
	line, err := s.in.ReadSlice(0)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return fmt.Errorf("%w: a line without end", ErrGarbage)
	case err == io.EOF:
		return ErrNoReply
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoReply, err)
	}
	r, err := parseReply(string(line[:len(line)-1]))
	if err != nil {
		return err
	}
	return s.settle(r)
}

// settle files an answer with its question.
func (s *session) settle(r reply) error {
	q := s.waiting[r.id]
	if q == nil {
		return fmt.Errorf("%w: an answer to command %d, which is not waiting for one", ErrGarbage, r.id)
	}
	delete(s.waiting, r.id)
	s.pending -= q.Content.Size()
	if errors.Is(r.err, ErrTooBig) {
		q.TooBig()
	}
	if r.err != nil {
		return r.err
	}
	q.done, q.signature = true, r.signature
	return nil
}

// lastWords reads the line that clamd wrote before it stopped listening: it is a
// better reason than the failed write. If our side failed there is nothing to wait
// for.
func (s *session) lastWords(cause error) error {
	if isOurs(cause) {
		return cause
	}
	for len(s.waiting) > 0 {
		err := s.answer()
		if errors.Is(err, ErrNoReply) {
			break
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrNoReply, cause)
}

// silence makes sure that nothing came with the last answer: a second line would mean
// that we do not know which to believe. It does not wait for clamd to close the
// connection: the mail has waited long enough.
func (s *session) silence() error {
	if s.in.Buffered() > 0 {
		return fmt.Errorf("%w: more answers than questions", ErrGarbage)
	}
	return nil
}
