package worker

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// mostChildren is how many children are given one container, one after the other,
// before this host counts as unable to read it.
const mostChildren = 3

// place is how far a conversation has come.
type place struct {
	members int   // announced
	bytes   int64 // of the body of the last
	ended   bool  // that body
}

// pass moves the place past a frame.
func (p *place) pass(k kind, n int) {
	switch k {
	case member:
		*p = place{members: p.members + 1}
	case body:
		p.bytes += int64(n)
	case end:
		p.ended = true
	}
}

// next returns the next frame that is no request for a piece of the container. The
// payload is good until the next call. A child that is gone for no fault of the
// container is replaced, and the new one led to where the other was.
func (w *walk) next() (kind, []byte, error) {
	k, payload, err := w.hear()
	for err != nil {
		if err = w.replace(err); err != nil {
			return 0, nil, err
		}
		k, payload, err = w.catchUp()
	}
	w.at.pass(k, len(payload))
	return k, payload, nil
}

// hear returns the child's next frame; requests for pieces it answers.
func (w *walk) hear() (kind, []byte, error) {
	for {
		k, n, err := w.child.next()
		if err != nil {
			return 0, nil, err
		}
		payload, err := w.child.peek(n)
		if err != nil || k != read {
			return k, payload, err
		}
		if err := w.answer(payload); err != nil {
			return 0, nil, err
		}
	}
}

// answer sends a piece of the container.
func (w *walk) answer(want []byte) error {
	if len(want) != 16 {
		return errFrame
	}
	at, length := int64(binary.LittleEndian.Uint64(want)), int64(binary.LittleEndian.Uint64(want[8:]))
	if at < 0 || at > w.c.Size() || length < 0 || length > pieceSize {
		return errFrame
	}
	return w.child.sendPiece(int(min(length, w.c.Size()-at)), func(piece []byte) error {
		if n, err := w.c.ReadAt(piece, at); n < len(piece) {
			w.trouble = fmt.Errorf("%w: reading the container: %v", scan.ErrHost, err)
		}
		return w.trouble
	})
}

// replace stops the child after an error, and gives the container to a fresh one if
// that may do better; otherwise it returns why the child ended.
func (w *walk) replace(err error) error {
	why := w.dismiss(err)
	if w.ctx.Err() != nil || w.trouble != nil || w.given == mostChildren || !curable(why, w.child.idled) {
		return why
	}
	if err := w.cfg.spent(w.budget); err != nil {
		return err
	}
	child, err := w.pool.start()
	if err != nil {
		return err
	}
	w.give(child)
	return nil
}

// curable reports whether a fresh child may do better than one that ended for a
// reason: one that was killed from outside, or that was not started for this container
// and may have been dead, or the worse for others. What took too much time takes it
// again.
func curable(why error, idled bool) bool {
	return !errors.Is(why, errTime) && (idled || errors.Is(why, scan.ErrHost))
}

// catchUp passes over what the child before has sent already, and returns the first
// frame after it.
func (w *walk) catchUp() (kind, []byte, error) {
	for seen := (place{}); ; {
		k, payload, err := w.hear()
		if err != nil || seen == w.at {
			return k, payload, err
		}
		seen.pass(k, len(payload))
		switch {
		case k == done || seen.members > w.at.members:
			return 0, nil, fmt.Errorf("%w: not what another child read", errFrame)
		case seen.members == w.at.members && seen.bytes > w.at.bytes:
			return k, payload[int64(len(payload))-(seen.bytes-w.at.bytes):], nil
		}
	}
}
