// Package inflate undoes Deflate (RFC 1951), which zip, gzip, PDF, cabinets and 7z hold. It counts
// what it does: blocks with their own codes take far longer than the bytes in them.
package inflate

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// ErrDamaged is the error of data that no encoder writes.
var ErrDamaged = errors.New("damaged deflate data")

const (
	windowSize = 32 << 10
	longest    = 258 // bytes of a match
	word       = 8   // bytes that are looked at at once; a symbol has no more than 48 bits
)

// Reader undoes Deflate. It reads no byte beyond the end of the data.
type Reader struct {
	in   *bufio.Reader
	work func(steps int64)

	bits uint64 // read and not used; those above have are those of src, too
	have uint
	src  []byte // shown by in
	at   int    // in src
	tail [4 * word]byte
	real int   // bytes of tail that there are; -1 before the end
	why  error // why there are no more

	out   []byte
	end   int // of what was unpacked
	shown int // what was handed on
	full  int // bytes before end that may be gone back to

	last         bool // the block is the last
	limit        int  // up to where it is unpacked
	step         func(*Reader) error
	left         int     // of a stored block
	own          [2]code // of the block, if it has its own
	length, dist *code
	steps        int64
	err          error
}

// readers are those not in use. They are large.
var readers = sync.Pool{New: func() any { return new(Reader) }}

// Borrow returns a reader, to be given back in the end.
func Borrow() *Reader { return readers.Get().(*Reader) }

// GiveBack lets others use a reader that Borrow returned.
func (d *Reader) GiveBack() {
	d.in, d.work, d.src, d.err = nil, nil, nil, io.EOF
	d.shown = d.end
	readers.Put(d)
}

// Reset begins to undo what in holds, after the bytes of dict. Work is called with the
// number of steps that were taken: a symbol is one, and so is preparing for a few.
func (d *Reader) Reset(in *bufio.Reader, dict []byte, work func(steps int64)) {
	dict = dict[max(0, len(dict)-windowSize):]
	d.room(len(dict))
	n := copy(d.out, dict)
	d.in, d.work, d.end, d.shown, d.full = in, work, n, n, n
	d.bits, d.have, d.src, d.at, d.real, d.why = 0, 0, nil, 0, -1, nil
	d.last, d.step, d.left, d.steps, d.err = false, (*Reader).block, 0, 0, nil
}

// mostSteps is how much is done before it is told.
const mostSteps = 1 << 16

// Read unpacks until it has something to show.
func (d *Reader) Read(p []byte) (int, error) {
	for {
		if n := copy(p, d.out[d.shown:d.end]); n > 0 || len(p) == 0 {
			d.shown += n
			return n, nil
		}
		if d.err != nil {
			return 0, d.err
		}
		d.slide()
		d.show()
		for d.err == nil && d.end < d.limit && d.steps < mostSteps {
			d.err = d.step(d)
		}
		d.hide()
		d.work(d.steps)
		d.steps = 0
	}
}

// How large the window and the data unpacked after it are, in bytes: few at the beginning, as many
// streams are small.
const (
	leastOut = 4 << 10
	mostOut  = 2 * windowSize
	margin   = 2 * longest // a symbol may be unpacked beyond the limit
)

// room makes out large enough for more after n bytes.
func (d *Reader) room(n int) {
	if size := len(d.out); size < mostOut && n > size-leastOut/2 {
		out := make([]byte, min(max(leastOut, 4*size, 2*n), mostOut))
		copy(out, d.out)
		d.out = out
	}
}

// slide makes room for more, and says how much.
func (d *Reader) slide() {
	d.room(d.end)
	if d.end > mostOut-leastOut/2 {
		copy(d.out, d.out[d.end-windowSize:d.end])
		d.end, d.shown = windowSize, windowSize
	}
	d.limit = min(d.end+windowSize, len(d.out)-margin)
}

// show looks at what there is to read, a word at least. After the end there are zeros.
func (d *Reader) show() {
	d.real, d.at = -1, 0
	b, err := d.in.Peek(word)
	if len(b) == word {
		d.src, _ = d.in.Peek(d.in.Buffered())
		return
	}
	d.why = io.ErrUnexpectedEOF
	if err != nil && err != io.EOF {
		d.why = err
	}
	clear(d.tail[:])
	d.real = copy(d.tail[:], b)
	d.src = d.tail[:]
}

// hide gives back the whole bytes that were not used, and takes the others from the
// input.
func (d *Reader) hide() {
	d.at -= int(d.have / 8)
	d.have %= 8
	d.bits &= 1<<d.have - 1
	d.in.Discard(d.used())
	d.at = 0
}

// used returns how many bytes of src were used: no more than there are.
func (d *Reader) used() int {
	if d.real >= 0 {
		return min(d.at, d.real)
	}
	return d.at
}

// refill has a word to read.
func (d *Reader) refill() {
	if d.real < 0 {
		d.hide()
		d.show()
	}
	d.at = min(d.at, len(d.src)-word) // far beyond what there is
}

// fill has 56 bits ready.
func (d *Reader) fill() {
	if len(d.src)-d.at < word {
		d.refill()
	}
	d.bits |= binary.LittleEndian.Uint64(d.src[d.at:]) << d.have
	d.at += int((63 - d.have) / 8)
	d.have |= 56
}

// over returns why there are no more bits, if more were used than there are.
func (d *Reader) over() error {
	if d.real >= 0 && d.at-int(d.have/8) > d.real {
		return d.why
	}
	return nil
}

// take uses n bits, of those that are ready.
func (d *Reader) take(n uint) int {
	v := int(d.bits & (1<<n - 1))
	d.bits >>= n
	d.have -= n
	return v
}
