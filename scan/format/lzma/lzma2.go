package lzma

import (
	"bufio"
	"io"
)

// The control bytes of chunks. Those of packed chunks have the highest bit, and two that say
// what to forget: nothing, the state, that and the properties, or the dictionary as well.
const (
	chunkEnd      = 0
	chunkRawReset = 1
	chunkRaw      = 2
	chunkPacked   = 0x80
	chunkState    = 0xa0
	chunkModel    = 0xc0
	chunkReset    = 0xe0
)

// mostContext is the most bits that literals of LZMA2 go by.
const mostContext = 4

// NewReader2 returns what a stream of LZMA2 yields, with a dictionary of so many bytes. Work
// is called as NewReader says.
func NewReader2(r *bufio.Reader, dict int64, work func(steps int64)) *Reader {
	d := newReader(r, dict, work)
	d.needs, d.next = chunkReset, d.chunk
	return d
}

// Dictionary returns the size that a byte says the dictionary of a stream has.
func Dictionary(code byte) (int64, error) {
	const largest = 40
	switch {
	case code > largest:
		return 0, ErrProperties
	case code == largest:
		return 1<<32 - 1, nil
	}
	return (2 | int64(code&1)) << (code/2 + 11), nil
}

// chunk goes on to the next chunk after the end of one.
func (d *Reader) chunk() error {
	d.code.steps += stepsChunk
	if d.pending > 0 || d.source.left > 0 || d.code.code != 0 {
		return errEnd
	}
	d.source.limit(-1)
	b, err := d.source.take(1)
	if err != nil {
		return err
	}
	control := b[0]
	switch {
	case control == chunkEnd:
		return io.EOF
	case control >= chunkReset || control == chunkRawReset:
		d.window.reset()
		d.needs = chunkModel
	case control < chunkPacked && (control > chunkRaw || d.needs == chunkReset) || control >= chunkPacked && control < d.needs:
		return errChunk
	}
	if d.raw = control < chunkPacked; d.raw {
		return d.rawChunk()
	}
	return d.packedChunk(control)
}

// rawChunk reads the header of a chunk that is not packed.
func (d *Reader) rawChunk() error {
	h, err := d.source.take(2)
	if err != nil {
		return err
	}
	d.left = int64(h[0])<<8 + int64(h[1]) + 1
	return nil
}

// packedChunk reads the header of a chunk that is packed.
func (d *Reader) packedChunk(control byte) error {
	h, err := d.source.take(4)
	if err != nil {
		return err
	}
	switch {
	case control >= chunkModel:
		err = d.newModel()
	case control >= chunkState:
		d.reset(d.model.Properties)
	}
	if err != nil {
		return err
	}
	d.needs = chunkPacked
	d.left = int64(control&0x1f)<<16 + int64(h[0])<<8 + int64(h[1]) + 1
	d.source.limit(int64(h[2])<<8 + int64(h[3]) + 1)
	return d.begin()
}

// newModel reads properties.
func (d *Reader) newModel() error {
	b, err := d.source.take(1)
	if err != nil {
		return err
	}
	p, err := ParseProperties(b[0])
	if err == nil && p.LC+p.LP > mostContext {
		err = ErrProperties
	}
	if err == nil {
		d.reset(p)
	}
	return err
}

// copied takes over data that are not packed, up to a place of the window.
func (d *Reader) copied(end int) error {
	w := &d.window
	n, err := io.ReadFull(d.source.r, w.b[w.at:end])
	w.at += n
	w.place += int64(n)
	d.source.taken += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
