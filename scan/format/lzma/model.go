package lzma

// literalProbs is how many probabilities literals of one context have.
const literalProbs = 0x300

// The states of an encoder, by the symbols before: those below 7 come after a literal.
const (
	states        = 12
	afterLiterals = 7
)

// model is what a coder knows of the data: the probabilities, the state, and the
// distances of the last matches, each less by one.
type model struct {
	Properties
	literals   [][literalProbs]uint16
	isMatch    [states][16]uint16
	isRep      [states]uint16
	isRep0     [states]uint16
	isRep1     [states]uint16
	isRep2     [states]uint16
	isRep0Long [states][16]uint16
	slots      [4][64]uint16
	special    [128]uint16
	align      [16]uint16
	matchLen   lengths
	repLen     lengths
	state      int
	rep        [4]uint32
}

// lengths decodes the lengths of matches.
type lengths struct {
	choice, choice2 uint16
	low, mid        [16][8]uint16
	high            [256]uint16
}

// reset forgets everything, and takes on properties.
func (m *model) reset(p Properties) {
	m.Properties = p
	contexts := 1 << (p.LC + p.LP)
	if cap(m.literals) < contexts {
		m.literals = make([][literalProbs]uint16, contexts)
	}
	m.literals = m.literals[:contexts]
	for i := range m.literals {
		unknown(m.literals[i][:])
	}
	for i := range states {
		unknown(m.isMatch[i][:])
		unknown(m.isRep0Long[i][:])
	}
	for _, p := range [...][]uint16{m.isRep[:], m.isRep0[:], m.isRep1[:], m.isRep2[:], m.special[:], m.align[:]} {
		unknown(p)
	}
	for i := range m.slots {
		unknown(m.slots[i][:])
	}
	m.matchLen.reset()
	m.repLen.reset()
	m.state, m.rep = 0, [4]uint32{}
}

func (l *lengths) reset() {
	l.choice, l.choice2 = half, half
	for i := range l.low {
		unknown(l.low[i][:])
		unknown(l.mid[i][:])
	}
	unknown(l.high[:])
}

// decode returns a length.
func (l *lengths) decode(c *coder, place int) int {
	switch {
	case c.bit(&l.choice) == 0:
		return shortest + int(c.tree(l.low[place][:], 3))
	case c.bit(&l.choice2) == 0:
		return shortest + 8 + int(c.tree(l.mid[place][:], 3))
	}
	return shortest + 16 + int(c.tree(l.high[:], 8))
}

// shortest is the length of the shortest match.
const shortest = 2

// context returns the probabilities of a literal after that byte at that place.
func (m *model) context(place int64, before byte) *[literalProbs]uint16 {
	return &m.literals[(int(place)&(1<<m.LP-1)<<m.LC+int(before)>>(8-m.LC))%len(m.literals)]
}

// distance returns what a match of that length is away, less by one.
func (m *model) distance(c *coder, length int) uint32 {
	slot := c.tree(m.slots[min(length-shortest, len(m.slots)-1)][:], 6)
	if slot < 4 {
		return slot
	}
	n := int(slot>>1 - 1)
	d := (2 | slot&1) << n
	if slot < 14 {
		return d + c.reverse(m.special[d-slot:], n)
	}
	d += c.direct(n-4) << 4
	return d + c.reverse(m.align[:], 4)
}

// again decodes which of the last matches' distances is meant, and puts it in front.
func (m *model) again(c *coder) {
	if c.bit(&m.isRep1[m.state]) == 0 {
		m.rep[0], m.rep[1] = m.rep[1], m.rep[0]
		return
	}
	if c.bit(&m.isRep2[m.state]) == 0 {
		m.rep = [4]uint32{m.rep[2], m.rep[0], m.rep[1], m.rep[3]}
		return
	}
	m.rep = [4]uint32{m.rep[3], m.rep[0], m.rep[1], m.rep[2]}
}

// after moves the state, to one of two.
func (m *model) after(literals, others int) {
	if m.state < afterLiterals {
		m.state = literals
		return
	}
	m.state = others
}
