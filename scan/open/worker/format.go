package worker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/format/archive"
)

// remote is a format read by a child. Match looks at a mark only, and is done
// here.
type remote struct {
	archive.Format
	pool *Pool
}

// Unwrap is the format itself.
func (r remote) Unwrap() archive.Format { return r.Format }

// Walk gives the container to a child and hands on what it finds.
func (r remote) Walk(ctx context.Context, c archive.Content, b *archive.Budget, visit archive.Visit) ([]archive.Note, error) {
	child, err := r.pool.take(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []archive.Note{archive.NoteOf(archive.DecoderFailed, archive.Container, err.Error())}, nil
	}
	w := &walk{ctx: ctx, child: child, c: c, budget: b, visit: visit}
	release := child.cancelWith(ctx)
	err = w.run(r.Name(), r.pool.cfg)
	if !release() && err == nil {
		err = ctx.Err()
	}
	fit := err == nil && !w.out.Retire
	if err != nil {
		err = w.broken(err)
	} else if !fit {
		child.stop(nil)
	}
	r.pool.put(child, fit)
	return w.result(err)
}

// walk is one container at work with a child.
type walk struct {
	ctx    context.Context
	child  *process
	c      archive.Content
	budget *archive.Budget
	visit  archive.Visit

	out     outcome
	members int
	bytes   int64
	notes   []archive.Note
	stopped error // what ends the walk: the caller's error, or a limit here
}

// errStopped says that the walk ended on this side.
var errStopped = errors.New("stopped")

// run talks to the child until the walk is over. An error leaves the conversation
// in the middle: the child is of no more use.
func (w *walk) run(format string, cfg Config) error {
	w.child.jobs++
	w.child.left = cfg.Wall
	a := assignment{Format: format, Size: w.c.Size(), Limits: w.budget.Left(), CPU: int64(cfg.CPU)}
	for _, p := range w.budget.Passwords {
		a.Passwords = append(a.Passwords, []byte(p))
	}
	if err := w.child.sendValue(job, a); err != nil {
		return err
	}
	for {
		k, n, err := w.expect()
		if err != nil {
			return err
		}
		switch k {
		case member:
			err = w.member(n)
		case done:
			return w.child.value(n, &w.out)
		default:
			err = errFrame
		}
		if err != nil {
			return err
		}
	}
}

// expect returns the next frame that is no request for a piece of the container;
// those it answers.
func (w *walk) expect() (kind, int, error) {
	for {
		k, n, err := w.child.next()
		if err != nil || k != read {
			return k, n, err
		}
		if err := w.answer(n); err != nil {
			return 0, 0, err
		}
	}
}

func (w *walk) answer(n int) error {
	if n != 16 {
		return errFrame
	}
	want, err := w.child.payload(n)
	if err != nil {
		return err
	}
	at, length := int64(binary.LittleEndian.Uint64(want)), int64(binary.LittleEndian.Uint64(want[8:]))
	if at < 0 || at > w.c.Size() || length < 0 || length > pieceSize {
		return errFrame
	}
	piece := make([]byte, min(length, w.c.Size()-at))
	got, _ := w.c.ReadAt(piece, at) // a short piece is an error at the child
	return w.child.send(data, piece[:got])
}

// member hands on a member whose entry is the next n bytes.
func (w *walk) member(n int) error {
	var e entry
	if err := w.child.value(n, &e); err != nil {
		return err
	}
	if err := w.budget.Entry(); err != nil {
		return w.limit(archive.TooManyMembers)
	}
	m := archive.Member{Size: e.Size, Encrypted: e.Encrypted, Hidden: e.Hidden, Link: e.Link}
	for _, name := range e.Names {
		m.Names = append(m.Names, string(name))
	}
	b := &memberBody{w: w}
	var r io.Reader
	if e.Body {
		r = b
	}
	err := w.visit(m, r)
	w.members++
	if err != nil && (b.err == nil || b.err == io.EOF || !errors.Is(err, b.err)) {
		w.stopped = err
		return errStopped
	}
	if e.Body {
		b.drain()
	}
	return b.broken
}

// limit ends the walk at a limit that was met on this side.
func (w *walk) limit(code string) error {
	w.notes = append(w.notes, archive.NoteOf(code, archive.Container, "while a worker unpacked"))
	w.stopped = archive.ErrLimit
	return errStopped
}

// broken stops the child after a conversation that did not end as it should, and
// notes why, unless the reason is on this side.
func (w *walk) broken(err error) error {
	why := w.child.stop(err)
	switch {
	case w.stopped != nil:
		return w.stopped
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case errors.Is(why, errLimit):
		w.notes = append(w.notes, archive.NoteOf(archive.DecoderLimit, archive.Container, fmt.Sprintf("after %d members: %v", w.members, why)))
	default:
		w.notes = append(w.notes, archive.NoteOf(archive.DecoderFailed, archive.Container, fmt.Sprintf("after %d members: %v", w.members, why)))
	}
	return nil
}

// result is what Walk returns: the child's notes and those of this side.
func (w *walk) result(err error) ([]archive.Note, error) {
	var notes []archive.Note
	for _, n := range w.out.Notes {
		notes = append(notes, archive.Note{Code: n.Code, Class: n.Class, Member: n.Member, Detail: string(n.Detail)})
	}
	notes = append(notes, w.notes...)
	// What the child unpacked for nothing counts, too.
	if over := w.budget.Grow(max(0, w.out.Expanded-w.bytes)); err == nil && (w.out.Limit || over != nil) {
		err = archive.ErrLimit
	}
	return notes, err
}

// memberBody is a member's body as it comes from the child.
type memberBody struct {
	w      *walk
	left   int   // of the current frame
	n      int64 // read so far
	err    error // what Read ended with
	broken error // the conversation failed
}

// bodyError is how a body ended at the child.
type bodyError string

func (e bodyError) Error() string { return string(e) }

func (b *memberBody) Read(p []byte) (int, error) {
	for b.err == nil && b.left == 0 {
		b.frame()
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.w.child.channel.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil {
		b.fail(err)
	}
	b.charge(int64(n))
	return n, b.err
}

// frame reads the head of the next frame of the body.
func (b *memberBody) frame() {
	k, n, err := b.w.expect()
	switch {
	case err != nil:
		b.fail(err)
	case k == body && n > 0:
		b.left = n
	case k == end && n == 0:
		b.err = io.EOF
	case k == end:
		why, err := b.w.child.payload(n)
		if b.err = bodyError(why); string(why) == archive.ErrLimit.Error() {
			b.err = archive.ErrLimit
		}
		if err != nil {
			b.fail(err)
		}
	default:
		b.fail(errFrame)
	}
}

func (b *memberBody) fail(err error) { b.err, b.broken = err, err }

// charge counts n bytes. A member over its limit was for the child to stop.
func (b *memberBody) charge(n int64) {
	b.n += n
	b.w.bytes += n
	switch {
	case b.err != nil:
	case b.w.budget.Grow(n) != nil:
		b.err, b.broken = archive.ErrLimit, b.w.limit(archive.TooMuchData)
	case b.n > int64(b.w.budget.Member)+pieceSize:
		b.fail(errFrame)
	}
}

// drain reads what the visitor left.
func (b *memberBody) drain() { io.Copy(io.Discard, b) }
