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
	_, err := d.Write(b)
	d.failed = err != nil
	d.decoded += int64(len(b))
}

// endEarly ends the body that is decoded, if one is.
func (p *Parser) endEarly() {
	d := p.early
	if d == nil {
		return
	}
	p.early = nil
	rest := p.cur.Body.Len() - d.decoded
	if rest < 0 || rest > int64(d.pending) {
		d.failed = true
	} else {
		d.decode(p.last[len(p.last)-d.pending:][:rest])
	}
	if d.failed || d.close() != nil {
		d.to.Close()
		return
	}
	p.cur.early = d
}
