package inflate

import (
	"cmp"
	"encoding/binary"
	"io"
)

// What preparing for a block counts.
const (
	stepsBlock = 10 // any
	stepsCodes = 60 // one with its own codes, and as many as its tables take
	entries    = 8  // of tables that are one step
)

// block reads the header of a block, section 3.2.3.
func (d *Reader) block() error {
	if d.last {
		return io.EOF
	}
	d.steps += stepsBlock
	d.fill()
	d.last = d.take(1) != 0
	var err error
	switch d.take(2) {
	case 0:
		err = d.stored()
	case 1:
		d.length, d.dist, d.step = fixedLengths, fixedDistances, (*Reader).symbols
	case 2:
		d.step = (*Reader).symbols
		err = d.codes()
	default:
		err = ErrDamaged
	}
	if over := d.over(); over != nil {
		return over
	}
	return err
}

// stored begins a block that is not packed, section 3.2.4.
func (d *Reader) stored() error {
	d.take(d.have % 8)
	d.fill()
	n, inverse := d.take(16), d.take(16)
	if n != ^inverse&0xffff && d.over() == nil {
		return ErrDamaged
	}
	d.left, d.step = n, (*Reader).copied
	return nil
}

// copied takes over bytes of a stored block.
func (d *Reader) copied() error {
	if d.left == 0 {
		d.step = (*Reader).block
		return nil
	}
	d.hide() // no bit is held between bytes
	_, err := d.in.Peek(1)
	n := 0
	if err == nil {
		n, err = d.in.Read(d.out[d.end:min(d.end+d.left, d.limit)])
	}
	d.end += n
	d.left -= n
	d.full = min(d.full+n, windowSize)
	d.show()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// order is that of the lengths of the code that code lengths are in, section 3.2.7.
var order = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

const (
	mostLengths   = 286
	mostDistances = 30
)

// codes reads the codes of a block.
func (d *Reader) codes() error {
	d.steps += stepsCodes
	d.fill()
	lengths, distances, n := d.take(5)+257, d.take(5)+1, d.take(4)+4
	if lengths > mostLengths || distances > mostDistances {
		return ErrDamaged
	}
	var sizes [mostLengths + mostDistances]uint8
	for i := range n {
		if i%16 == 0 {
			d.fill()
		}
		sizes[order[i]] = uint8(d.take(3))
	}
	d.length, d.dist = &d.own[0], &d.own[1]
	if !d.length.make(sizes[:len(order)], sizeEntries, primarySize) {
		return ErrDamaged
	}
	clear(sizes[:len(order)])
	if err := d.sizes(sizes[:lengths+distances]); err != nil {
		return err
	}
	d.length, d.dist = &d.own[0], &d.own[1]
	if !d.length.make(sizes[:lengths], lengthEntries, primaryLength) ||
		!d.dist.make(sizes[lengths:lengths+distances], distanceEntries, primaryDistance) {
		return ErrDamaged
	}
	d.steps += int64(d.length.spread+d.dist.spread) / entries
	return nil
}

// sizes reads the lengths of codes, which are packed themselves.
func (d *Reader) sizes(sizes []uint8) error {
	for i := 0; i < len(sizes); {
		d.fill()
		if err := d.over(); err != nil {
			return err
		}
		e := d.length.look(d.bits)
		if e&special != 0 {
			return ErrDamaged
		}
		d.take(uint(e & bitsOfAll))
		value := uint8(e >> valueAt)
		if value < 16 {
			sizes[i] = value
			i++
			continue
		}
		again, size := 0, uint8(0)
		switch value {
		case 16:
			if again = 3 + d.take(2); i == 0 {
				return ErrDamaged
			}
			size = sizes[i-1]
		case 17:
			again = 3 + d.take(3)
		default:
			again = 11 + d.take(7)
		}
		if again > len(sizes)-i {
			return ErrDamaged
		}
		if size > 0 { // others are 0 already
			for j := range again {
				sizes[i+j] = size
			}
		}
		i += again
	}
	return nil
}

// symbols unpacks symbols of a block, until there is enough or the block ends.
func (d *Reader) symbols() error {
	if d.real < 0 {
		if err := d.fast(); err != nil {
			return err
		}
	}
	if d.end >= d.limit {
		return nil
	}
	return d.symbol()
}

// symbol unpacks one symbol.
func (d *Reader) symbol() error {
	d.fill()
	d.steps++
	e := d.length.look(d.bits)
	n := int(e >> valueAt)
	switch {
	case e&literal != 0:
		d.take(uint(e & bitsOfAll))
		if d.over() == nil {
			d.out[d.end] = byte(n)
			d.grow(1)
		}
	case e&special == 0:
		return d.match(e)
	case e&stop == stop:
		d.take(uint(e & bitsOfAll))
		d.step = (*Reader).block
	default:
		d.take(1)
		return cmp.Or(d.over(), ErrDamaged)
	}
	return d.over()
}

// match unpacks one that begins with a length.
func (d *Reader) match(e uint32) error {
	d.steps++
	length := number(e, d.bits)
	d.take(uint(e & bitsOfAll))
	e = d.dist.look(d.bits)
	back := number(e, d.bits)
	d.take(uint(e & bitsOfAll))
	if over := d.over(); over != nil {
		return over
	}
	if e&special != 0 || back > d.full {
		return ErrDamaged
	}
	repeat(d.out, d.end, back, length)
	d.grow(length)
	return nil
}

// number returns what a symbol stands for that b begins with: its value, and the bits after its code.
func number(e uint32, b uint64) int {
	return int(e>>valueAt) + int(b&(1<<(e&bitsOfAll)-1)>>(e>>codeAt&codeBits))
}

// grow has n bytes more that were unpacked.
func (d *Reader) grow(n int) {
	d.end += n
	d.full = min(d.full+n, windowSize)
}

// fast unpacks symbols while no more than two of them can come to the end of what there is to read. The end of the
// block, symbols of links, and damage it leaves to symbol. What changes from symbol to symbol is in variables, which
// saves a third of the time; of have, only the lowest six bits count.
func (d *Reader) fast() error {
	lengths, distances := (*[1 << primaryLength]uint32)(d.length.table), (*[1 << primaryDistance]uint32)(d.dist.table)
	src, out, bits, have, at, end, steps := d.src[:len(d.src):len(d.src)], d.out, d.bits, d.have, d.at, d.end, d.steps
	floor := end - d.full // the first byte that may be gone back to
	var err error
	for end < d.limit && len(src)-at >= 2*word {
		bits |= binary.LittleEndian.Uint64(src[at:]) << (have & 63)
		at += int(^have / 8 % 8)
		have |= 56
		steps++
		e := lengths[bits%uint64(len(lengths))]
		if e&literal != 0 {
			out[end] = byte(e >> valueAt)
			end++
			bits >>= e & bitsOfAll
			have -= uint(e)
			if e = lengths[bits%uint64(len(lengths))]; e&literal != 0 {
				out[end] = byte(e >> valueAt)
				end++
				bits >>= e & bitsOfAll
				have -= uint(e)
				continue
			}
		}
		if e&special != 0 {
			break
		}
		steps++
		length := number(e, bits)
		bits >>= e & bitsOfAll
		have -= uint(e)
		bits |= binary.LittleEndian.Uint64(src[at:]) << (have & 63)
		at += int(^have / 8 % 8)
		have |= 56
		if e = distances[bits%uint64(len(distances))]; e&special != 0 { // maybe a link
			e = d.dist.look(bits)
		}
		back := number(e, bits)
		bits >>= e & bitsOfAll
		have -= uint(e)
		from := end - back
		if from < floor || e&special != 0 {
			err = ErrDamaged
			break
		}
		if back >= piece && length <= piece {
			*(*[piece]byte)(out[end:]) = *(*[piece]byte)(out[from:])
		} else {
			repeat(out, end, back, length)
		}
		end += length
	}
	d.full = min(d.full+end-d.end, windowSize)
	d.bits, d.have, d.at, d.end, d.steps = bits, have%64, at, end, steps
	return err
}

// piece is how much of a match is copied at once. Bytes beyond its end are written again by what comes after it.
const piece = 16

// repeat adds length bytes at a place of out, like those so far back.
func repeat(out []byte, at, back, length int) {
	from := at - back
	switch {
	case back >= piece:
		for n := 0; n < length; n += piece {
			*(*[piece]byte)(out[at+n:]) = *(*[piece]byte)(out[from+n:])
		}
		return
	case back >= length:
		copy(out[at:at+length], out[from:])
		return
	}
	for n := back; length > 0; n *= 2 {
		n = copy(out[at:at+min(n, length)], out[from:])
		at += n
		length -= n
	}
}
