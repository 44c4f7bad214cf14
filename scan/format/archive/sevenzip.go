package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/bodgit/sevenzip"
)

// sevenZipFormat reads 7z through the library of that name, which allocates what
// the archive asks for. It must run in a separate process: some 150 bytes can
// make it ask for 30 GB.
type sevenZipFormat struct{}

const sevenZipMagic = "7z\xbc\xaf\x27\x1c"

// maxSevenZipHeader bounds the directory of a 7z as it is stored, in bytes.
const maxSevenZipHeader = 16 << 20

// priceDirectory is what it takes to read a byte of the directory as it is stored.
const priceDirectory Price = 85_000

func (sevenZipFormat) Name() string { return "7z" }

func (sevenZipFormat) Match(head []byte, _ Content) bool { return hasAny(head, sevenZipMagic) }

func (sevenZipFormat) inside(c Content, taken Places) bool {
	return findFree(c, sevenZipMagic, taken) >= 0
}

func (sevenZipFormat) suffixes() []string { return []string{".7z"} }

func (sevenZipFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &sevenZipWalk{walk: begin(ctx, c, b, visit), windows: newWindows(b, int64(maxWindow)), folders: map[int]bool{}, folder: -1}
	w.c = charged{c, w.walk}
	if at := findEarly(c, sevenZipMagic); at > 0 {
		w.note(prefixed, "by %d bytes", at)
	}
	size, err := checkSevenZip(c)
	if err != nil {
		w.note(damagedContainer, "%v", err)
		return w.end(nil)
	}
	b.Work(size, priceDirectory)
	r, err := w.open()
	if err != nil && !isEncrypted(err) && !errors.Is(err, ErrLimit) && ctx.Err() == nil {
		r, err = w.tame(err)
	}
	if err != nil {
		return w.end(w.unopened(err))
	}
	for i, f := range r.File {
		sealed := w.sealed(i)
		w.begun(f)
		if err := w.one(f, sealed); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

// checkSevenZip looks at the start header: what it says of the directory must be
// possible. It returns how large that is.
func checkSevenZip(c Content) (int64, error) {
	var b [32]byte
	at := max(0, findEarly(c, sevenZipMagic))
	if n, _ := c.ReadAt(b[:], at); n < len(b) {
		return 0, io.ErrUnexpectedEOF
	}
	offset, size := le64(b[12:]), le64(b[20:])
	left := uint64(c.Size() - at - int64(len(b)))
	if offset > left || size > left-offset || size > maxSevenZipHeader {
		return 0, fmt.Errorf("a directory of %d bytes at %d, with %d there", size, offset, left)
	}
	return int64(size), nil
}

type sevenZipWalk struct {
	*walk
	c       Content
	windows *windows
	locked  bool             // no known password opens the encrypted folders
	by      secret           // what opened them
	why     string           // what to say of what stays closed
	probe   *sevenzip.Reader // reads directory, but no data
	folders map[int]bool     // whether a folder is encrypted, once that is known
	costs   []sevenZipCost   // of the folders
	folder  int              // of the member before
}

// begun charges for the beginning of a member's folder, and has its bytes charged as they
// are read.
func (w *sevenZipWalk) begun(f *sevenzip.File) {
	cost := w.costOf(f)
	if w.cost = cost.codec; f.Stream != w.folder {
		w.folder = f.Stream
		w.budget.Work(cost.window, priceWindow)
	}
}

// costOf returns what the folder of a member costs: the most, where it is not known.
func (w *sevenZipWalk) costOf(f *sevenzip.File) sevenZipCost {
	if f.Stream < len(w.costs) {
		return w.costs[f.Stream]
	}
	return sevenZipCost{codec: codecGuess}
}

// open opens the archive with the first password that reads its directory and
// its first encrypted member, or with none.
func (w *sevenZipWalk) open() (*sevenzip.Reader, error) {
	first, failed := w.with("")
	if failed == nil && !w.locked || errors.Is(failed, ErrLimit) || w.ctx.Err() != nil || failed != nil && !isEncrypted(failed) {
		return first, failed
	}
	rounds := w.rounds()
	for _, s := range w.budget.secrets() {
		if !w.budget.tries(s, rounds, priceRound) {
			w.why = untried
			break
		}
		r, err := w.with(s.text)
		if err == nil && !w.locked || errors.Is(err, ErrLimit) || w.ctx.Err() != nil {
			w.by = s
			return r, err
		}
	}
	w.locked = failed == nil
	return first, failed
}

// with opens the archive with a password, and sees whether it reads its first encrypted
// member.
func (w *sevenZipWalk) with(password string) (r *sevenzip.Reader, err error) {
	r, err = openSevenZip(w.c, password, w.windows)
	if err == nil {
		w.locked, err = w.stuck(password)
	}
	return r, err
}

// rounds returns how much hashing one password takes: that of the directory, if it is
// encrypted, and that of the first encrypted folder.
func (w *sevenZipWalk) rounds() (n int64) {
	if header := sevenZipDirectory(w.walk.c, max(0, findEarly(w.walk.c, sevenZipMagic))); len(header) > 0 && header[0] == sevenEncoded {
		h := &sevenZipHeader{b: header[1:]}
		h.streams()
		for _, c := range h.coded {
			n = max(n, c.rounds)
		}
	}
	for _, c := range w.costs {
		if c.rounds > 0 {
			return n + c.rounds
		}
	}
	return max(n, 1)
}

// tame opens an archive whose directory the library refuses, without what it refuses
// it for; failed is why it did.
func (w *sevenZipWalk) tame(failed error) (*sevenzip.Reader, error) {
	tamed := tameSevenZip(w.c, w.windows)
	if tamed == nil {
		return nil, failed
	}
	w.c = tamed
	return w.open()
}

func openSevenZip(c Content, password string, w *windows) (r *sevenzip.Reader, err error) {
	err = w.lend(func() error {
		r, err = sevenzip.NewReaderWithPassword(c, c.Size(), password)
		return err
	})
	return r, err
}

// stuck reports whether the first encrypted member with data does not read well
// with the password. The error is that of a limit.
//
// QUIRK: deriving a key spoils the parameters of the folder it was derived for
// (v1.6.5 appends to a slice of them), so that the folder can be opened only
// once; the key is kept, so that readers opened later are sound.
func (w *sevenZipWalk) stuck(password string) (bool, error) {
	gate := &gated{Content: w.c}
	w.cost = codecFast
	if w.costs == nil {
		w.costs = sevenZipCosts(w.c, w.windows)
	}
	r, err := openSevenZip(w.c, password, w.windows)
	if err == nil {
		w.probe, err = openSevenZip(gate, password, w.windows)
	}
	if err != nil {
		return true, nil
	}
	gate.shut = true
	for i, f := range r.File {
		if f.UncompressedSize == 0 || !w.sealed(i) {
			continue
		}
		w.begun(f)
		w.budget.Work(w.costOf(f).rounds, priceRound)
		body, err := openMember(f, w.windows)
		if err != nil {
			return true, nil
		}
		defer safely(body.Close)
		sum := &summed{r: body}
		b, err := w.discard(sum)
		if b.limited() {
			return true, err
		}
		return err != nil || !sum.agrees(f.CRC32), nil
	}
	return false, nil
}

// gated is content that cannot be read once it is shut. The library tells whether
// data are encrypted only when it fails to read them.
type gated struct {
	Content
	shut bool
}

var errShut = errors.New("shut")

func (g *gated) ReadAt(p []byte, off int64) (int, error) {
	if g.shut {
		return 0, errShut
	}
	return g.Content.ReadAt(p, off)
}

// sealed reports whether the i-th member is encrypted.
func (w *sevenZipWalk) sealed(i int) bool {
	if w.probe == nil || i >= len(w.probe.File) || w.probe.File[i].UncompressedSize == 0 {
		return false
	}
	f := w.probe.File[i]
	known, ok := w.folders[f.Stream]
	if ok {
		return known
	}
	body, err := openMember(f, w.windows)
	if err == nil {
		_, err = readSafely(body, make([]byte, 1))
	}
	w.folders[f.Stream] = isEncrypted(err)
	return w.folders[f.Stream]
}

func openMember(f *sevenzip.File, w *windows) (body io.ReadCloser, err error) {
	err = w.lend(func() error { body, err = f.Open(); return err })
	return body, err
}

// isEncrypted reports whether reading failed where there is encryption.
func isEncrypted(err error) bool {
	var e *sevenzip.ReadError
	return errors.As(err, &e) && e.Encrypted
}

// unopened notes why the archive could not be opened.
func (w *sevenZipWalk) unopened(err error) error {
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case errors.Is(err, ErrLimit):
		return ErrLimit
	case isEncrypted(err):
		w.note(encryptedNames, "no password opens the directory%s", w.why)
	default:
		w.note(damagedContainer, "%v", err)
		return w.namesOf(sevenZipDirectory(w.walk.c, max(0, findEarly(w.walk.c, sevenZipMagic))))
	}
	return nil
}

// one hands over a member.
func (w *sevenZipWalk) one(f *sevenzip.File, sealed bool) error {
	m := Member{Names: distinct(f.Name), Size: int64(f.UncompressedSize), Link: f.Mode()&fs.ModeSymlink != 0}
	if f.FileInfo().IsDir() {
		return w.enter()
	}
	if sealed && w.locked {
		m.Encrypted = true
		w.noteNext(encryptedMember, "%s%s", m.name(), w.why)
		return w.member(m, nil)
	}
	src, err := openMember(f, w.windows)
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
		return w.member(m, nil)
	}
	defer safely(src.Close)
	if sealed {
		w.noteNext(w.by.code(), "%s", m.name())
	}
	sum := &summed{r: src}
	b, err := w.hand(m, sum)
	if err != nil {
		return err
	}
	w.noteEnd(m, b)
	if b.whole() && !sum.agrees(f.CRC32) {
		w.noteLast(checksumMismatch, "%s", m.name())
	}
	return nil
}
