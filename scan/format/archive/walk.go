package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/milterscan/milterscan/scan/units"
)

// notesPerCode bounds how often one container can repeat itself.
const notesPerCode = 20

// walk is one Walk in progress: what every format needs to hand its members
// over and to stay inside the budget.
type walk struct {
	ctx    context.Context
	c      Content
	budget *Budget
	visit  Visit
	packed int64 // size of the container
	total  int64 // bytes unpacked from it so far

	cost codec // of the bytes read and unpacked
	fed  *Feed // what the decoder at work reads

	count int // members handed over
	notes []Note
	told  map[string]int // notes by code
	seed  maphash.Seed
	names map[uint64]struct{} // hashes of the names seen
	apart bool                // members are no files of one directory: equal names mean nothing
}

func begin(ctx context.Context, c Content, b *Budget, visit Visit) *walk {
	return &walk{
		ctx: ctx, c: c, budget: b, visit: visit, packed: c.Size(),
		told: map[string]int{}, names: map[uint64]struct{}{}, seed: maphash.MakeSeed(),
	}
}

// end returns the results of Walk.
func (w *walk) end(err error) ([]Note, error) { return w.notes, err }

// note says something about the container as a whole.
func (w *walk) note(code, format string, args ...any) {
	w.noteAt(Container, code, format, args...)
}

// noteNext says something about the member that is handed over next.
func (w *walk) noteNext(code, format string, args ...any) {
	w.noteAt(w.count, code, format, args...)
}

// noteLast says something about the member that was handed over last.
func (w *walk) noteLast(code, format string, args ...any) {
	w.noteAt(w.count-1, code, format, args...)
}

func (w *walk) noteAt(member int, code, format string, args ...any) {
	if w.told[code]++; w.told[code] <= notesPerCode {
		w.notes = append(w.notes, NoteOf(code, member, cut(fmt.Sprintf(format, args...))))
	}
}

// cut keeps a detail short: it may quote names that are not.
func cut(detail string) string {
	const most = 500
	if len(detail) > most {
		detail = detail[:most] + "…"
	}
	return detail
}

// member hands m over, src being its unpacked bytes, or nil if they cannot be
// read, and notes how src ended. An error ends the walk.
func (w *walk) member(m Member, src io.Reader) error {
	b, err := w.hand(m, src)
	if err != nil {
		return err
	}
	w.noteEnd(m, b)
	return nil
}

// noteEnd notes how the body of the member handed over last ended, if not at its
// end. Limits are noted where they are met.
func (w *walk) noteEnd(m Member, b *body) {
	if b.err != nil && !b.whole() && !b.limited() {
		w.noteLast(codeOf(b.err), "%s: %v", m.name(), b.err)
	}
}

// streamState is what a decoder of a single stream tells in addition to its data.
type streamState struct {
	streams  int
	wrong    int // parts whose checksum is not what they say
	trailing bool
}

// stream hands over the one member of a compressed file.
func (w *walk) stream(m Member, src io.Reader, s *streamState) error {
	b, err := w.hand(m, src)
	if err != nil {
		return err
	}
	w.noteEnd(m, b)
	if s.wrong > 0 {
		w.noteLast(checksumMismatch, "in %d of %d streams", s.wrong, s.streams)
	}
	if s.trailing {
		w.note(trailingData, "after %d streams", s.streams)
	}
	return nil
}

// The errors that decoders of this package tell apart from damage.
var (
	errWindow      = errors.New("dictionary too large")
	errUnsupported = errors.New("not supported")
)

// windows is what the decoders of one container may allocate for dictionaries, in
// bytes: at once, and one after the other. Many small members with large windows
// would cost more to prepare for than to read.
type windows struct {
	most, left int64
	budget     *Budget
}

func newWindows(b *Budget, most int64) *windows { return &windows{most, int64(4 * units.GB), b} }

// priceWindow is what a byte costs that is allocated.
const priceWindow Price = 200

// take asks for a window of n bytes, to be allocated again.
func (w *windows) take(n int64) error {
	if n > w.most {
		return fmt.Errorf("%w: %d bytes", errWindow, n)
	}
	w.budget.Work(n, priceWindow)
	if w.left -= n; w.left < 0 {
		return fmt.Errorf("%w: those of all streams together", errWindow)
	}
	return nil
}

// codeOf returns the code of what ended a decoder.
func codeOf(err error) string {
	switch {
	case errors.Is(err, errWindow):
		return windowTooLarge
	case errors.Is(err, errUnsupported):
		return unsupportedMethod
	case errors.Is(err, errFilters):
		return tooComplex
	case errors.Is(err, ErrLimit):
		return tooMuchData
	case errors.Is(err, errOverlap):
		return overlapping
	}
	return damagedMember
}

// hand does what member does, for formats that judge for themselves how the body
// ended.
func (w *walk) hand(m Member, src io.Reader) (*body, error) {
	if err := w.enter(); err != nil {
		return nil, err
	}
	w.checkNames(&m)
	if m.Places == nil {
		m.Places = w.placesOf(src)
	}
	b := &body{w: w, src: src}
	var r io.Reader
	if src != nil {
		r = b
	}
	err := w.visit(m, r)
	w.settle()
	w.count++
	return b, w.after(m, b, err)
}

// enter charges one entry, whether it is handed over or skipped.
func (w *walk) enter() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.budget.Entry(); err != nil {
		w.note(tooManyMembers, "more than %d members", w.budget.Entries)
		return err
	}
	return nil
}

// after notes a limit that was met while m was visited, and decides whether the
// walk goes on: it does when only this member was too large.
func (w *walk) after(m Member, b *body, err error) error {
	if err != nil && (b.err == nil || b.err == io.EOF || !errors.Is(err, b.err)) {
		return err
	}
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case b.limited():
		w.noteLast(b.limit, "%s", m.name())
		if b.limit != memberTooLarge {
			return ErrLimit
		}
	}
	return nil
}

// walkError tells an error that ends the walk from one of the data, where one
// loop meets both.
type walkError struct{ error }

// stop makes err, if it is one, an error that ends the walk.
func stop(err error) error {
	if err == nil {
		return nil
	}
	return walkError{err}
}

// body is the reader a Visit is given: it charges what passes and remembers how
// it ended.
type body struct {
	w     *walk
	src   io.Reader
	n     int64
	limit string // code of the limit it met
	err   error  // io.EOF, ErrLimit, ctx's or the decoder's
}

func (b *body) limited() bool { return b.limit != "" }

// whole reports whether all was read, without an error.
func (b *body) whole() bool { return b.err == io.EOF }

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.err = b.w.ctx.Err(); b.err != nil {
		return 0, b.err
	}
	n, err := readSafely(b.src, p)
	b.err = err
	b.charge(int64(n))
	return n, b.err
}

// charge counts n bytes against every limit.
func (b *body) charge(n int64) {
	b.n += n
	b.w.total += n
	b.w.budget.Work(n, b.w.cost.out)
	limits := b.w.budget
	switch {
	case limits.Grow(n) != nil:
		b.limit = tooMuchData
	case b.n > int64(limits.Member):
		b.limit = memberTooLarge
	case b.w.total > int64(freeOfRatio) && b.w.total/max(b.w.packed, 1) > limits.Ratio:
		b.limit = ratioExceeded
	default:
		return
	}
	b.err = ErrLimit
}

// discard reads all of src, charging it like a member's body, for decoders that
// must see the data before it is known to be right.
func (w *walk) discard(src io.Reader) (*body, error) {
	b := &body{w: w, src: src}
	_, err := io.Copy(io.Discard, b)
	w.settle()
	if b.limited() {
		w.note(b.limit, "while a member was tried")
		return b, ErrLimit
	}
	if ctx := w.ctx.Err(); ctx != nil {
		return b, ctx
	}
	return b, err
}

// readSafely calls r.Read and turns a panic of the decoder into an error: foreign
// data must not end more than its own member.
func readSafely(r io.Reader, p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("the decoder gave up: %v", v)
		}
	}()
	return r.Read(p)
}

// safely calls f, a call into a decoder other than Read, and turns a panic into an
// error.
func safely(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the decoder gave up: %v", v)
		}
	}()
	return f()
}
