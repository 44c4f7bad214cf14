package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// arjFormat reads ARJ archives. The place of the next header follows from the one
// before; where there is none, the next that has its checksum is looked for.
type arjFormat struct{}

const (
	arjMagic    = "\x60\xea"
	arjHeader   = 2600 // most bytes of a header
	arjLeast    = 30   // fewest bytes of its fixed part
	arjExtended = 64   // most extended headers; no program writes more than one
	arjRetries  = 256  // marks of headers that were none
)

func (arjFormat) Name() string { return "arj" }

func (arjFormat) Match(head []byte, c Content) bool {
	if !hasAny(head, arjMagic) {
		return false
	}
	h, err := readARJ(c, 0)
	return err == nil && h != nil
}

func (arjFormat) suffixes() []string { return []string{".arj"} }

func (arjFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &arjWalk{walk: begin(ctx, c, b, visit), c: c}
	at := max(0, arjBegin(c, nil))
	if at > 0 {
		w.note(prefixed, "by %d bytes", at)
	}
	for {
		h, err := readARJ(c, at)
		if err != nil {
			w.note(damagedContainer, "at byte %d: %v", at, err)
			if at = w.resume(at); at < 0 {
				return w.end(ctx.Err())
			}
			continue
		}
		if h == nil {
			return w.end(nil)
		}
		if err := w.one(h); err != nil {
			return w.end(err)
		}
		at = h.next()
	}
}

// arjMember is a header and where its data are.
type arjMember struct {
	method, kind, flags, modifier byte
	packed, size                  int64
	sum                           uint32
	name                          string
	data                          int64 // where the header ends
}

// The kinds of header and the flags that matter here.
const (
	arjMain      = 2
	arjDirectory = 3
	arjLabel     = 4
	arjChapter   = 5

	arjGarbled   = 0x01
	arjContinues = 0x04 // in the next volume
	arjContinued = 0x08 // from the volume before
)

var errARJ = errors.New("no header where one must be")

// readARJ reads the header at off; nil at the mark of the end.
func readARJ(c Content, off int64) (*arjMember, error) {
	start := fixed(c, off, 4)
	if start == nil {
		return nil, io.ErrUnexpectedEOF
	}
	size := int64(le16(start[2:]))
	if !hasAny(start, arjMagic) || size > arjHeader || size > 0 && size < arjLeast {
		return nil, errARJ
	}
	if size == 0 {
		return nil, nil
	}
	b := fixed(c, off+4, size+4)
	if b == nil {
		return nil, io.ErrUnexpectedEOF
	}
	if crc32.ChecksumIEEE(b[:size]) != le32(b[size:]) || b[0] < arjLeast || int64(b[0]) > size {
		return nil, fmt.Errorf("%w: checksum", errARJ)
	}
	return parseARJ(c, b[:size], off+4+size+4)
}

// parseARJ reads a header that is whole. Extended headers follow at off.
func parseARJ(c Content, b []byte, off int64) (*arjMember, error) {
	m := &arjMember{flags: b[4], method: b[5], kind: b[6], modifier: b[7], packed: int64(le32(b[12:])), size: int64(le32(b[16:])),
		sum: le32(b[20:])}
	m.name, _, _ = cstring(b[b[0]:])
	for range arjExtended {
		n := fixed(c, off, 2)
		if n == nil {
			return nil, io.ErrUnexpectedEOF
		}
		off += 2
		if m.data = off; le16(n) == 0 {
			return m, nil
		}
		off += int64(le16(n)) + 4
	}
	return nil, fmt.Errorf("%w: too many extended headers", errARJ)
}

// next returns where the next header is.
func (m *arjMember) next() int64 {
	if m.kind == arjMain {
		return m.data
	}
	return m.data + m.packed
}

type arjWalk struct {
	*walk
	c     Content
	tries int
}

// resume returns where the next header is after from, or -1.
func (w *arjWalk) resume(from int64) int64 {
	for ; w.tries < arjRetries; w.tries++ {
		if from = find(w.c, arjMagic, from+1, w.c.Size()); from < 0 {
			return -1
		}
		if h, err := readARJ(w.c, from); err == nil && h != nil {
			return from
		}
	}
	w.note(tooComplex, "too many false headers")
	return -1
}

func (w *arjWalk) one(h *arjMember) error {
	switch h.kind {
	case arjMain:
		if h.flags&arjContinues != 0 {
			w.note(volume, "one volume of several")
		}
		return nil
	case arjDirectory, arjLabel, arjChapter:
		return w.enter()
	}
	m := Member{Names: distinct(h.name), Size: h.size}
	if h.flags&(arjContinues|arjContinued) != 0 {
		w.noteNext(volume, "%s is in several volumes", m.name())
	}
	if h.flags&arjGarbled != 0 {
		return w.locked(m, h)
	}
	return w.read(m, h, "")
}

// read hands over a member, or notes that there is no reader for its method.
func (w *arjWalk) read(m Member, h *arjMember, password string) error {
	src, err := w.unpacked(h, password)
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
		return w.member(m, nil)
	}
	return w.summed(m, src, h.sum)
}

// locked hands over a member that is encrypted.
func (w *arjWalk) locked(m Member, h *arjMember) error {
	why := ""
	for _, s := range w.budget.secrets() {
		if !w.budget.tries(s, h.packed, w.cost.in+priceByte) {
			why = untried
			break
		}
		src, err := w.unpacked(h, s.text)
		if err != nil || s.text == "" {
			continue
		}
		sum := &summed{r: src}
		b, err := w.discard(sum)
		if err == nil && sum.sum == h.sum {
			w.noteNext(s.code(), "%s", m.name())
			return w.read(m, h, s.text)
		}
		if b.limited() || w.ctx.Err() != nil {
			return err
		}
	}
	m.Encrypted = true
	w.noteNext(encryptedMember, "%s%s", m.name(), why)
	return w.member(m, nil)
}

// unpacked returns the reader of the unpacked data.
func (w *arjWalk) unpacked(h *arjMember, password string) (io.Reader, error) {
	var src io.Reader = stretch(w.c, h.data, h.packed)
	if w.cost = codecBits; h.method == 0 {
		w.cost = codecNone
	}
	src = w.feed(src)
	if password != "" {
		src = &garbled{r: src, key: []byte(password), modifier: h.modifier}
	}
	switch h.method {
	case 0:
		return src, nil
	case 1, 2, 3:
		return &exactly{newUnlzh(src, shapeARJ), h.size}, nil
	case 4:
		return &exactly{newUnfast(src), h.size}, nil
	}
	return nil, fmt.Errorf("method %d is %w", h.method, errUnsupported)
}

// garbled undoes ARJ's simple encryption. The stronger ones of its last versions
// are not known here; no password opens them.
type garbled struct {
	r        io.Reader
	key      []byte
	modifier byte
	n        int
}

func (g *garbled) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	for i := range p[:n] {
		p[i] ^= g.key[g.n] + g.modifier
		g.n = (g.n + 1) % len(g.key)
	}
	return n, err
}
