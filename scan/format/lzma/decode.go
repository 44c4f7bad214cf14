package lzma

import "io"

// The steps that symbols count, in addition to those of the distance and of literals.
const (
	stepsLiteral = 9
	stepsShort   = 4
	stepsMatch   = 20
	stepsChunk   = 50
	stepsModel   = 400 // the beginning of a model, and for each context of literals
	stepsContext = 100
)

// fill decodes so many bytes, or fewer. Its error is why there are no more: io.EOF at the end
// of the data.
func (d *Reader) fill(room int) error {
	w := &d.window
	if d.left == 0 {
		return d.next()
	}
	w.make()
	room = min(room, len(w.b)-w.at)
	if d.left > 0 {
		room = int(min(int64(room), d.left))
	}
	before, err := w.place, error(nil)
	if d.raw {
		err = d.copied(w.at + room)
	} else {
		err = d.symbols(w.at + room)
	}
	if d.left > 0 {
		d.left -= w.place - before
	}
	if err == io.EOF && (d.left > 0 || d.code.code != 0) {
		err = errEnd
	}
	return err
}

// symbols decodes up to a place of the window.
func (d *Reader) symbols(end int) error {
	w, c := &d.window, &d.code
	d.more(end)
	c.in, c.at = d.source.show(), 0
	for w.at < end {
		if d.source.real < 0 && len(c.in)-c.at < longest {
			d.source.skip(c.at)
			c.in, c.at = d.source.show(), 0
		}
		if err := d.whole(); err != nil {
			d.source.skip(min(c.at, len(c.in)-longest))
			return err
		}
		d.more(end)
	}
	d.source.skip(c.at)
	return nil
}

// whole decodes a symbol if all of it is there.
func (d *Reader) whole() error {
	at, place := d.window.at, d.window.place
	err := d.symbol()
	if d.source.real >= 0 && d.code.at > d.source.real {
		d.window.at, d.window.place, d.pending = at, place, 0
		return d.source.why
	}
	return err
}

// more adds what there is room for of the last match.
func (d *Reader) more(end int) {
	if n := min(d.pending, end-d.window.at); n > 0 {
		d.window.repeat(d.model.rep[0], n)
		d.pending -= n
	}
}

// symbol decodes a symbol. A literal it adds; a match is to be added. io.EOF is the mark that
// ends a stream.
func (d *Reader) symbol() error {
	c, m, length := &d.code, &d.model, 1
	place := int(d.window.place) & (1<<m.PB - 1) & 15
	if c.bit(&m.isMatch[m.state][place]) == 0 {
		d.literal()
		return nil
	}
	if c.bit(&m.isRep[m.state]) == 0 {
		c.steps += stepsMatch
		m.rep[3], m.rep[2], m.rep[1] = m.rep[2], m.rep[1], m.rep[0]
		length = m.matchLen.decode(c, place)
		m.rep[0] = m.distance(c, length)
		m.after(7, 10)
		if m.rep[0] == 1<<32-1 {
			return io.EOF
		}
	} else if c.bit(&m.isRep0[m.state]) != 0 {
		c.steps += stepsMatch
		m.again(c)
		length = m.repLen.decode(c, place)
		m.after(8, 11)
	} else if c.bit(&m.isRep0Long[m.state][place]) != 0 {
		c.steps += stepsMatch
		length = m.repLen.decode(c, place)
		m.after(8, 11)
	} else {
		c.steps += stepsShort
		m.after(9, 11)
	}
	if !d.window.knows(m.rep[0]) {
		return errDistance
	}
	d.pending = length
	return nil
}

// literal decodes a byte and adds it.
func (d *Reader) literal() {
	w, c, m := &d.window, &d.code, &d.model
	c.steps += stepsLiteral
	p := m.context(w.place, w.back(0))
	if m.state < afterLiterals {
		w.put(c.literal(p))
	} else {
		w.put(c.matched(p, w.back(m.rep[0])))
	}
	switch {
	case m.state < 4:
		m.state = 0
	case m.state < 10:
		m.state -= 3
	default:
		m.state -= 6
	}
}

// finish reads the end of a stream whose size is known, after its last byte: nothing, or the
// mark.
func (d *Reader) finish() error {
	if d.pending > 0 {
		return errEnd
	}
	if d.code.code == 0 {
		return io.EOF
	}
	d.window.make()
	c, at := &d.code, d.window.at
	c.in, c.at = d.source.show(), 0
	err := d.whole()
	d.window.at = at
	if err == nil || err == io.EOF && c.code != 0 {
		return errEnd
	}
	if err == io.EOF {
		d.source.skip(c.at)
	}
	return err
}
