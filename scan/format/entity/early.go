package entity

import "io"

// DecodeEarly has bodies of leaves decoded while they are read, so that nobody has to read them again for that: those in
// base64, which the large ones are in. For each, to returns what it is written to, or nil if it is not to be decoded. A
// writer of which no use can be made is closed.
func (p *Parser) DecodeEarly(to func() io.WriteCloser) { p.to = to }

// Decoded returns what the body was decoded to while it was read, and what was met with it, as Decode returns it: nil if
// it was not decoded.
func (e *Entity) Decoded() (io.WriteCloser, []Deviation) {
	if e.early == nil {
		return nil, nil
	}
	return e.early.to, e.early.notes
}

// early is the decoding of a body that is being read.
type early struct {
	*decoding
	to      io.WriteCloser
	decoded int64 // bytes of the body
	pending int   // the last bytes that were read, as long as they may belong to a delimiter
	failed  bool
}

// beginEarly begins to decode the body of a leaf that is read from here on.
func (p *Parser) beginEarly(e *Entity) {
	if p.to == nil || e.Encoding != Base64 {
		return
	}
	if to := p.to(); to != nil {
		p.early = &early{decoding: newDecoding(to, e.Encoding), to: to}
	}
}

// content takes the next bytes, after the last two of those before.
func (d *early) content(b []byte, last [2]byte) {
	sure := max(0, d.pending+len(b)-len(last))
	before := min(sure, d.pending)
	d.decode(last[len(last)-d.pending:][:before])
	d.decode(b[:sure-before])
	d.pending += len(b) - sure
}

// decode decodes bytes that belong to the body.
func (d *early) decode(b []byte) {
	if d.failed || len(b) == 0 {
		return
	}
	if _, err := d.Write(b); err != nil {
		d.giveUp()
	}
	d.decoded += int64(len(b))
}

// giveUp closes what the body is decoded to, so that it takes no room in vain.
func (d *early) giveUp() {
	d.failed = true
	d.to.Close()
}

// GiveUpEarly closes all that bodies were decoded to so far, and has no more decoded while they are read. It reports
// whether there was any.
func (p *Parser) GiveUpEarly() bool {
	p.to = nil
	some := p.early != nil || len(p.ready) > 0
	if p.early != nil {
		p.early.giveUp()
		p.early = nil
	}
	for _, e := range p.ready {
		e.early.giveUp()
		e.early = nil
	}
	p.ready = nil
	return some
}

// endEarly ends the body that is decoded, if one is.
func (p *Parser) endEarly() {
	d := p.early
	if d == nil {
		return
	}
	p.early = nil
	rest := p.cur.Body.Len() - d.decoded
	if rest >= 0 && rest <= int64(d.pending) {
		d.decode(p.last[len(p.last)-d.pending:][:rest])
		if !d.failed && d.close() == nil {
			p.cur.early = d
			p.ready = append(p.ready, p.cur)
			return
		}
	}
	d.giveUp()
}
