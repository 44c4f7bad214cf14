// Package lzma decodes LZMA, which .lzma, lzip, 7z and zip files hold, and LZMA2, which is
// in xz and 7z (LZMA specification and lzma2 of the LZMA SDK). It counts what it does:
// what a decoder takes goes by the symbols it decodes and not by the bytes that it reads or
// yields.
package lzma

import (
	"bufio"
	"errors"
)

// MinWindow is the smallest dictionary, in bytes.
const MinWindow = 4 << 10

// The errors of data that no encoder writes.
var (
	ErrProperties = errors.New("lzma: impossible properties")
	errFirst      = errors.New("lzma: the data do not begin as any do")
	errDistance   = errors.New("lzma: a match goes back beyond the beginning")
	errEnd        = errors.New("lzma: the data do not end where they should")
	errChunk      = errors.New("lzma: a chunk that may not be there")
)

// Properties are the numbers that an encoder was set to: how many bits of the byte before
// a literal, of a literal's place, and of any symbol's place it goes by.
type Properties struct{ LC, LP, PB int }

// ParseProperties returns the properties in their one byte.
func ParseProperties(b byte) (Properties, error) {
	p := Properties{int(b) % 9, int(b) / 9 % 5, int(b) / 45}
	if p.PB > 4 {
		return Properties{}, ErrProperties
	}
	return p, nil
}

// Memory returns how many bytes the probabilities take.
func (p Properties) Memory() int64 { return 2 * literalProbs << (p.LC + p.LP) }

// Reader decodes LZMA or LZMA2. It reads no byte beyond the end of the data, and keeps to
// memory of the size of its dictionary, which it allocates when there is something for it.
type Reader struct {
	source  source
	work    func(steps int64)
	window  window
	code    coder
	model   model
	left    int64        // bytes to come, of the stream or the chunk; -1 if that is not said
	pending int          // bytes of the last match to come
	next    func() error // goes on after the last of them
	raw     bool         // the chunk is not packed
	needs   byte         // the least control byte of the next packed chunk
	err     error
}

// NewReader returns what a stream of LZMA yields, the properties of which are known, with a
// dictionary of so many bytes. Of size -1 are data that only a mark ends. Work is called with the
// number of bits that were decoded, a literal being 9; so are bytes that were prepared for.
func NewReader(r *bufio.Reader, p Properties, dict, size int64, work func(steps int64)) (*Reader, error) {
	d := newReader(r, dict, work)
	d.left = size
	d.reset(p)
	d.next = d.finish
	d.source.limit(-1)
	if err := d.begin(); err != nil {
		return nil, err
	}
	return d, nil
}

func newReader(r *bufio.Reader, dict int64, work func(steps int64)) *Reader {
	return &Reader{source: source{r: r}, work: work, window: window{size: max(dict, MinWindow)}}
}

// reset forgets everything known of the data.
func (d *Reader) reset(p Properties) {
	d.model.reset(p)
	d.code.steps += stepsModel + stepsContext*int64(len(d.model.literals))
}

// begin reads the five bytes that the range decoder begins with.
func (d *Reader) begin() error {
	b, err := d.source.take(5)
	if err != nil {
		return err
	}
	d.code.rng, d.code.code = 1<<32-1, uint32(b[1])<<24|uint32(b[2])<<16|uint32(b[3])<<8|uint32(b[4])
	if b[0] != 0 || d.code.code == d.code.rng {
		return errFirst
	}
	return nil
}

// Taken returns how many bytes were read of the source.
func (d *Reader) Taken() int64 { return d.source.taken }

// Read decodes until it has something to show.
func (d *Reader) Read(p []byte) (int, error) {
	for {
		if n := d.window.read(p); n > 0 || len(p) == 0 {
			return n, nil
		}
		if d.err != nil {
			return 0, d.err
		}
		d.err = d.fill(len(p))
		d.work(d.code.steps)
		d.code.steps = 0
	}
}
