package inflate

import (
	"encoding/binary"
	"errors"
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
	d.steps += int64(len(d.length.table)+len(d.dist.table)) / entries
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
		if e == 0 {
			return ErrDamaged
		}
		d.take(uint(e & sizeOf))
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

// symbols unpacks symbols of a block, until there is enough or the block ends. What changes
// from symbol to symbol is in variables, which saves a third of the time.
func (d *Reader) symbols() error {
	bits, have, src, at, end, steps := d.bits, d.have, d.src, d.at, d.end, d.steps
	begin, reach := end, d.full-end // a place may be gone back to that is not below -reach
	lengths, distances, out, whole := d.length, d.dist, d.out, d.real < 0
	var err error
	for end < d.limit {
		if len(src)-at < word {
			d.bits, d.have, d.at = bits, have, at
			d.refill()
			bits, have, src, at, whole = d.bits, d.have, d.src, d.at, d.real < 0
		}
		bits |= binary.LittleEndian.Uint64(src[at:]) << have
		at += int((63 - have) / 8)
		have |= 56
		steps++
		before, e := end, lengths.look(bits)
		bits >>= e & sizeOf
		have -= uint(e & sizeOf)
		switch e & kinds {
		case literal:
			out[end] = byte(e >> valueAt)
			end++
			for range mostLiterals {
				if e = lengths.table[bits&lengths.mask]; e&kinds != literal || !whole {
					break
				}
				bits >>= e & sizeOf
				have -= uint(e & sizeOf)
				out[end] = byte(e >> valueAt)
				end++
			}
		case match:
			steps++
			extra := e >> extraAt & extras
			length := int(e>>valueAt) + int(bits&(1<<extra-1))
			bits >>= extra
			e = distances.look(bits)
			back := int(e>>valueAt) + int(bits>>(e&sizeOf)&(1<<(e>>extraAt&extras)-1))
			used := e&sizeOf + e>>extraAt&extras
			bits >>= used
			have -= uint(extra + used)
			if e == 0 || back > end+reach || back > windowSize {
				err = ErrDamaged
				break
			}
			repeat(out, end, back, length)
			end += length
		case stop:
			d.step, err = (*Reader).block, errStop
		default:
			err = ErrDamaged
		}
		if !whole && at-int(have/8) > d.real {
			end, err = before, d.why
		}
		if err != nil {
			break
		}
	}
	d.bits, d.have, d.at, d.end, d.steps = bits, have, at, end, steps
	d.full = min(d.full+end-begin, windowSize)
	if err == errStop {
		err = nil
	}
	return err
}

// mostLiterals is how many bytes by themselves are unpacked after another of these without more bits: each takes no
// more than primaryLength, the first longestCode, and there are 56.
const mostLiterals = 3

// errStop is the end of a block.
var errStop = errors.New("the end of the block")

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
