package archive

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/nwaples/rardecode/v2"

	"github.com/milterscan/milterscan/scan/scratch"
)

// rarFormat reads RAR 1.5 to 7 through rardecode. The decoder is meant to run in
// a separate process: it runs programs that are in the archive (the filters
// of RAR 3) and derives keys as slowly as the archive asks for.
type rarFormat struct{}

const rarMagic = "Rar!\x1a\x07"

func (rarFormat) Name() string { return "rar" }

func (rarFormat) Match(head []byte, _ Content) bool { return hasAny(head, rarMagic) }

func (rarFormat) inside(c Content, taken Places) bool {
	return findFree(c, rarMagic, taken) >= 0
}

func (rarFormat) suffixes() []string { return []string{".rar"} }

func (rarFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &rarWalk{walk: begin(ctx, c, b, visit)}
	w.c, w.cost = charged{c, w.walk}, codecRAR
	if at := findEarly(c, rarMagic); at > 0 {
		w.note(prefixed, "by %d bytes", at)
	}
	password, err := w.password()
	if err != nil {
		return w.end(err)
	}
	w.by = password
	w.chargeCodes()
	r, err := w.open(password)
	for err == nil {
		var h *rardecode.FileHeader
		if h, err = w.next(r); err == nil {
			err = w.one(h, r)
		}
	}
	return w.end(w.ended(err))
}

type rarWalk struct {
	*walk
	c   Content
	by  *secret // what opens it; nil for nothing
	why string  // what to say of what stays closed
}

func (w *rarWalk) open(password *secret) (r *rardecode.Reader, err error) {
	options := []rardecode.Option{rardecode.MaxDictionarySize(int64(maxWindow))}
	if password != nil {
		options = append(options, rardecode.Password(password.text))
	}
	err = safely(func() error {
		r, err = rardecode.NewReader(scratch.Reader(w.c), options...)
		return err
	})
	return r, err
}

func (w *rarWalk) next(r *rardecode.Reader) (h *rardecode.FileHeader, err error) {
	err = safely(func() error { h, err = r.Next(); return err })
	return h, err
}

// one hands over a member.
func (w *rarWalk) one(h *rardecode.FileHeader, r io.Reader) error {
	m := Member{Names: distinct(h.Name), Size: h.UnPackedSize, Link: h.LinkType != 0 || h.Mode()&fs.ModeSymlink != 0}
	switch {
	case h.IsDir:
		return stop(w.enter())
	case h.LinkTarget != "":
		return stop(w.member(m, strings.NewReader(h.LinkTarget)))
	case h.Encrypted && w.by == nil:
		m.Encrypted = true
		w.noteNext(encryptedMember, "%s%s", m.name(), w.why)
		return stop(w.member(m, nil))
	case h.Encrypted:
		w.noteNext(w.by.code(), "%s", m.name())
	}
	b, err := w.hand(m, r)
	if err != nil {
		return stop(err)
	}
	w.judge(m, b)
	return nil
}

// judge notes how the body of a member ended.
func (w *rarWalk) judge(m Member, b *body) {
	switch {
	case b.err == nil || b.whole() || b.limited():
	case errors.Is(b.err, rardecode.ErrBadFileChecksum):
		w.noteLast(checksumMismatch, "%s", m.name())
	case errors.Is(b.err, rardecode.ErrMultiVolume) || errors.Is(b.err, rardecode.ErrFileNameRequired):
		w.noteLast(volume, "%s goes on in another volume", m.name())
	default:
		w.noteEnd(m, b)
	}
}

// ended notes how the archive ended and returns what the walk ends with.
func (w *rarWalk) ended(err error) error {
	var end walkError
	switch {
	case err == io.EOF:
		if wrong := checkBlocks(w.c, max(0, findEarly(w.c, rarMagic)), w.budget.Entries); wrong != nil {
			w.note(damagedContainer, "%v", wrong)
		}
		return nil
	case errors.As(err, &end):
		return end.error
	case errors.Is(err, rardecode.ErrArchiveEncrypted) || errors.Is(err, rardecode.ErrBadPassword):
		w.note(encryptedNames, "after %d members%s", w.count, w.why)
	case errors.Is(err, rardecode.ErrMultiVolume), errors.Is(err, rardecode.ErrFileNameRequired),
		errors.Is(err, rardecode.ErrInvalidFileBlock), errors.Is(err, rardecode.ErrBadVolumeNumber):
		w.note(volume, "after %d members: %v", w.count, err)
	case errors.Is(err, rardecode.ErrDictionaryTooLarge):
		w.note(windowTooLarge, "after %d members", w.count)
	default:
		w.note(damagedContainer, "after %d members: %v", w.count, err)
	}
	return nil
}

// password finds the password of the archive among those that are known; nil if
// none fits or none is needed.
func (w *rarWalk) password() (*secret, error) {
	secrets := w.budget.secrets()
	if len(secrets) == 0 || !w.locked() {
		return nil, nil
	}
	rounds, price := w.rounds()
	for _, s := range secrets {
		if !w.budget.tries(s, rounds, price) {
			w.why = untried
			break
		}
		ok, err := w.try(s)
		if ok || err != nil {
			return &s, err
		}
	}
	return nil, nil
}

// locked reports whether anything in the archive is encrypted.
func (w *rarWalk) locked() bool {
	r, err := w.open(nil)
	for range w.budget.Entries {
		var h *rardecode.FileHeader
		if err == nil {
			h, err = w.next(r)
		}
		if err != nil {
			return errors.Is(err, rardecode.ErrArchiveEncrypted)
		}
		if h.Encrypted {
			return true
		}
	}
	return false
}

// try reports whether the first encrypted member can be read with a password.
func (w *rarWalk) try(password secret) (bool, error) {
	r, err := w.open(&password)
	for range w.budget.Entries {
		var h *rardecode.FileHeader
		if err == nil {
			h, err = w.next(r)
		}
		if err != nil {
			return false, w.ctx.Err()
		}
		if h.Encrypted || h.HeaderEncrypted {
			b, err := w.discard(r)
			if b.limited() || w.ctx.Err() != nil {
				return false, err
			}
			return err == nil, nil
		}
	}
	return false, nil
}
