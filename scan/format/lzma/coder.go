package lzma

// coder is the range decoder: it gets bits out of bytes, with probabilities that
// adapt. It wants the bytes of the longest symbol to be there whenever one begins, and so
// need not look for the end of its input within one.
//
// Bits of which little is known in advance are decoded without a jump on their value: a
// processor would guess half of them wrong. So a bit takes its time, whatever it is.
type coder struct {
	rng, code uint32
	in        []byte
	at        int   // what was read of it
	steps     int64 // bits decoded, about
}

// longest is more bytes than a symbol takes: 20.
const longest = 32

// Probabilities are in 2048ths, and move by a 32nd of the rest.
const (
	probBits = 11
	half     = 1 << (probBits - 1)
	moveBits = 5
	// what a bit of 0 takes off before a probability moves
	move0 = 1<<moveBits - 1 - 1<<probBits
	top   = 1 << 24
)

// unknown sets probabilities to what they are at the beginning.
func unknown(p []uint16) {
	for i := range p {
		p[i] = half
	}
}

// bit decodes a bit that is mostly the same.
func (c *coder) bit(p *uint16) uint32 {
	v := uint32(*p)
	bound := c.rng >> probBits * v
	if c.code < bound {
		c.rng = bound
		*p = uint16(v + (1<<probBits-v)>>moveBits)
		c.normalize()
		return 0
	}
	c.rng -= bound
	c.code -= bound
	*p = uint16(v - v>>moveBits)
	c.normalize()
	return 1
}

// normalize reads another byte when it is needed.
func (c *coder) normalize() {
	if c.rng < top {
		c.rng <<= 8
		c.code = c.code<<8 | uint32(c.in[c.at])
		c.at++
	}
}

// decide decodes a bit without a jump: zeros is all ones for a bit of 0.
func decide(rng, code uint32, p *uint16) (r, c, zeros uint32) {
	v := uint32(*p)
	bound := rng >> probBits * v
	rest := rng - bound
	less := int64(code) - int64(bound)
	zeros = uint32(less >> 63)
	*p = uint16(v - uint32((int32(v)+int32(zeros)&move0)>>moveBits))
	return rest ^ (rest^bound)&zeros, uint32(less) + bound&zeros, zeros
}

// literal decodes a byte.
func (c *coder) literal(p *[literalProbs]uint16) byte {
	rng, code, at, in := c.rng, c.code, c.at, c.in
	var zeros uint32
	m := uint32(1)
	for m < 0x100 {
		rng, code, zeros = decide(rng, code, &p[m])
		m = m<<1 + zeros + 1
		if rng < top {
			rng, code = rng<<8, code<<8|uint32(in[at])
			at++
		}
	}
	c.rng, c.code, c.at = rng, code, at
	return byte(m)
}

// matched decodes a byte that comes after a match, and so is likely not the one that
// would have gone on with it.
func (c *coder) matched(p *[literalProbs]uint16, other byte) byte {
	rng, code, at, in := c.rng, c.code, c.at, c.in
	var zeros uint32
	m, offset, bits := uint32(1), uint32(0x100), uint32(other)
	for m < 0x100 {
		bits <<= 1
		same := bits & offset
		rng, code, zeros = decide(rng, code, &p[(offset+same+m)%literalProbs])
		m = m<<1 + zeros + 1
		offset &= same ^ zeros
		if rng < top {
			rng, code = rng<<8, code<<8|uint32(in[at])
			at++
		}
	}
	c.rng, c.code, c.at = rng, code, at
	return byte(m)
}

// tree decodes a number of n bits, the highest first.
func (c *coder) tree(p []uint16, n int) uint32 {
	rng, code, at, in := c.rng, c.code, c.at, c.in
	var zeros uint32
	m := uint32(1)
	for range n {
		rng, code, zeros = decide(rng, code, &p[m])
		m = m<<1 + zeros + 1
		if rng < top {
			rng, code = rng<<8, code<<8|uint32(in[at])
			at++
		}
	}
	c.rng, c.code, c.at = rng, code, at
	return m - 1<<n
}

// reverse decodes a number of n bits, the lowest first.
func (c *coder) reverse(p []uint16, n int) uint32 {
	var number uint32
	m := uint32(1)
	for i := range n {
		b := c.bit(&p[m])
		m = m<<1 | b
		number |= b << i
	}
	return number
}

// direct decodes a number of n bits of which nothing is known in advance.
func (c *coder) direct(n int) uint32 {
	var number uint32
	for range n {
		c.rng >>= 1
		less := int64(c.code) - int64(c.rng)
		zeros := uint32(less >> 63)
		c.code = uint32(less) + c.rng&zeros
		number = number<<1 + zeros + 1
		c.normalize()
	}
	return number
}
