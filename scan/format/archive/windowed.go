package archive

import "io"

// stepper decodes one step of an LZ77 kind of code: a literal, if length is 0, or
// the length bytes that are distance bytes back.
type stepper interface {
	step() (literal byte, length, distance int, err error)
}

// windowed is the reader of what a stepper says.
type windowed struct {
	code   stepper
	window []byte // a ring; its size is a power of two
	at     int
	length int // of the match in progress
	from   int
	err    error
}

// newWindowed returns a reader over a window of that size, which is full of one
// byte at the beginning.
func newWindowed(code stepper, size int, filled byte) *windowed {
	w := &windowed{code: code, window: make([]byte, size)}
	for i := range w.window {
		w.window[i] = filled
	}
	return w
}

// Read decodes until p is full or the code ends.
func (w *windowed) Read(p []byte) (int, error) {
	for i := range p {
		c, err := w.next()
		if err != nil {
			return i, err
		}
		p[i] = c
		w.window[w.at] = c
		w.at = (w.at + 1) & (len(w.window) - 1)
	}
	return len(p), nil
}

func (w *windowed) next() (c byte, err error) {
	if w.length == 0 {
		if w.err != nil {
			return 0, w.err
		}
		var distance int
		if c, w.length, distance, w.err = w.code.step(); w.err != nil || w.length == 0 {
			w.length = 0
			return c, w.err
		}
		if distance < 1 || distance > len(w.window) {
			w.length, w.err = 0, errDistance
			return 0, w.err
		}
		w.from = (w.at - distance) & (len(w.window) - 1)
	}
	c = w.window[w.from]
	w.from = (w.from + 1) & (len(w.window) - 1)
	w.length--
	return c, nil
}

var _ io.Reader = (*windowed)(nil)
