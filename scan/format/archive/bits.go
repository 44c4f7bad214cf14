package archive

import "io"

// bits reads numbers of up to 16 bits, highest bit first. At the end of its
// source it yields zeros and remembers the error: decoders of this kind need not
// look at every bit.
type bits struct {
	in   io.ByteReader
	word uint32
	have uint
	lack uint // bits in word that were not there
	err  error
}

// fill makes at least 16 bits ready.
func (b *bits) fill() {
	for b.have < 16 {
		c, err := b.in.ReadByte()
		if err != nil {
			b.err = err
			b.lack += 8
		}
		b.word = b.word<<8 | uint32(c)
		b.have += 8
	}
}

// peek returns the next n bits, which stay.
func (b *bits) peek(n uint) uint32 {
	b.fill()
	return b.word >> (b.have - n) & (1<<n - 1)
}

func (b *bits) skip(n uint) {
	b.fill()
	b.have -= n
}

func (b *bits) take(n uint) int {
	v := b.peek(n)
	b.have -= n
	return int(v)
}

// over reports whether more bits were used than there were.
func (b *bits) over() bool { return b.lack > b.have }
