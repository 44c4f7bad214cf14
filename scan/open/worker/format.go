package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// remote is a format read by a child. Match looks at a mark only, and is done
// here.
type remote struct {
	archive.Format
	pool *Pool
	cfg  *Config // of the pool, but for what one message may take
}

// Unwrap returns the format itself.
func (r remote) Unwrap() archive.Format { return r.Format }

// Walk gives the container to a child and hands on what it finds.
func (r remote) Walk(ctx context.Context, c archive.Content, b *archive.Budget, visit archive.Visit) ([]archive.Note, error) {
	w := &walk{ctx: ctx, pool: r.pool, format: r.Name(), c: c, budget: b, visit: visit, cfg: r.cfg}
	if err := r.cfg.spent(b); err != nil {
		w.failed(err)
		return w.notes, nil
	}
	child, err := r.pool.take(ctx, b, c.Size())
	if err != nil {
		w.failed(err)
		return w.notes, ctx.Err()
	}
	w.give(child)
	err = w.run()
	fit := err == nil && !w.out.Retire
	if err != nil {
		err = w.broken(err)
	} else if !w.release() {
		err, fit = ctx.Err(), false
	}
	if w.why == nil {
		w.charge()
	}
	w.budget.Spend(w.worked())
	if !fit && w.why == nil {
		w.child.stop(nil)
	}
	r.pool.put(w.child, b, fit)
	return w.result(err)
}

// left returns the work left for the containers of a message.
func (c Config) left(b *archive.Budget) time.Duration { return c.Work - b.Spent() }

// spent returns why no child may be given another container of a message, nil if it
// may: the containers before took all the work done for one message, or this host took too
// long for them.
func (c Config) spent(b *archive.Budget) error {
	switch {
	case c.left(b) <= 0:
		return errSpent
	case b.Taken() >= c.CPU:
		return errSlow
	}
	return nil
}

var (
	errSpent = fmt.Errorf("%w: work for the archives of one message", errLimit)
	errSlow  = fmt.Errorf("%w: more %w than the work should take", scan.ErrHost, errCPU)
)

// walk is one container at work with a child, or with several, one after the other.
type walk struct {
	ctx    context.Context
	pool   *Pool
	format string
	c      archive.Content
	budget *archive.Budget
	visit  archive.Visit
	cfg    *Config

	child   *process
	release func() bool   // undoes what ends the conversation with the context
	before  time.Duration // the child's CPU time when it was given the container
	took    time.Duration // CPU time of the last child for it
	given   int           // children that were given the container
	why     error         // what the child ended of, nil while it is there
	at      place         // of the last frame

	out     outcome
	members int
	bytes   int64
	notes   []archive.Note
	trouble error // reading the container on this side
	stopped error // what ends the walk: the caller's error, or a limit here
}

// errStopped says that the walk ended on this side.
var errStopped = errors.New("stopped")

// handover is what it takes, on this side and of a child's start, to give a container
// to a child. So many small containers cost a message what they cost this host.
const handover = 3300 * time.Microsecond

// give begins a conversation: it hands the container to a child. That a child does
// not take it shows when it is listened to.
func (w *walk) give(child *process) {
	w.child, w.why = child, nil
	w.release = child.cancelWith(w.ctx)
	w.given++
	w.before = child.used()
	w.budget.Spend(handover)
	child.jobs++
	child.left = w.cfg.Wall
	left := w.budget.Left()
	left.Expanded += units.Size(w.bytes) // which a second child counts again
	left.Entries += int64(w.members)
	a := assignment{Format: w.format, Size: w.c.Size(), Limits: left, Most: int64(w.cfg.CPU)}
	a.Work, a.CPU = int64(w.cfg.left(w.budget)), int64(w.cfg.CPU-w.budget.Taken())
	for _, p := range w.budget.Passwords {
		a.Passwords = append(a.Passwords, []byte(p))
	}
	if archive.Locks(w.format) {
		a.Words, a.Earlier = asBytes(w.budget.Words), asBytes(w.budget.Earlier)
	}
	child.sendValue(job, a)
}

// asBytes returns words as bytes, which JSON strings are not; none where nothing tells them.
func asBytes(words func() []string) (list [][]byte) {
	if words == nil {
		return nil
	}
	for _, word := range words() {
		list = append(list, []byte(word))
	}
	return list
}

// run talks to the child until the walk is over. An error leaves the conversation
// in the middle: the child is of no more use.
func (w *walk) run() error {
	for {
		k, payload, err := w.next()
		if err != nil {
			return err
		}
		switch k {
		case member:
			err = w.member(payload)
		case done:
			return json.Unmarshal(payload, &w.out)
		default:
			err = errFrame
		}
		if err != nil {
			return err
		}
	}
}

// member hands on the member of an entry.
func (w *walk) member(payload []byte) error {
	var e entry
	if err := json.Unmarshal(payload, &e); err != nil {
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
	why := cmp.Or(w.dismiss(err), err)
	switch {
	case w.stopped != nil:
		return w.stopped
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	}
	w.failed(cmp.Or(w.trouble, why))
	return nil
}

// dismiss stops the child, unless that was done, and returns why it ended, err being
// how that was noticed.
func (w *walk) dismiss(err error) error {
	if w.why == nil {
		w.release()
		w.why = w.child.stop(err)
		w.pool.tally.end(w.reason())
		w.charge()
	}
	return w.why
}

// reason returns what ended the child, on its side or on this one.
func (w *walk) reason() Reason {
	if r := reasonOf(w.why); r != Crashed || w.stopped == nil && w.ctx.Err() == nil {
		return r
	}
	return Stopped
}

// charge charges the CPU time that a child took for the container.
func (w *walk) charge() {
	w.took = w.child.used() - w.before
	w.budget.Take(w.took)
}

// worked returns the work that the container took: as the child counted it, or else
// the time of the last child.
func (w *walk) worked() time.Duration {
	if w.out.Work > 0 {
		return time.Duration(w.out.Work)
	}
	return w.took
}

// failed notes why the container was not read to its end: the container's own
// fault, or that of this host at this moment.
func (w *walk) failed(why error) {
	w.notes = append(w.notes, noteOn(why, fmt.Sprintf("after %d members: ", w.members)))
}

// noteOn returns the note about a container that was not read to its end.
func noteOn(why error, before string) archive.Note {
	code := archive.DecoderFailed
	switch {
	case errors.Is(why, scan.ErrHost):
		code = archive.Unavailable
	case errors.Is(why, errLimit):
		code = archive.DecoderLimit
	}
	return archive.NoteOf(code, archive.Container, before+why.Error())
}

// result returns the child's notes and those of this side, for Walk.
func (w *walk) result(err error) ([]archive.Note, error) {
	var notes []archive.Note
	for _, n := range w.out.Notes {
		notes = append(notes, archive.Note{Code: n.Code, Class: n.Class, Member: n.Member, Detail: string(n.Detail)})
	}
	if w.out.Over {
		w.failed(errSpent)
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
	left   []byte // of the last frame
	n      int64  // read so far
	err    error  // what Read ended with
	broken error  // the conversation failed
}

// bodyError is how a body ended at the child.
type bodyError string

func (e bodyError) Error() string { return string(e) }

func (b *memberBody) Read(p []byte) (int, error) {
	for b.err == nil && len(b.left) == 0 {
		b.frame()
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	b.charge(int64(n))
	return n, b.err
}

// frame reads the next frame of the body.
func (b *memberBody) frame() {
	k, payload, err := b.w.next()
	switch {
	case err != nil:
		b.fail(err)
	case k == body && len(payload) > 0:
		b.left = payload
	case k == end && len(payload) == 0:
		b.err = io.EOF
	case k == end && string(payload) == archive.ErrLimit.Error():
		b.err = archive.ErrLimit
	case k == end:
		b.err = bodyError(payload)
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
