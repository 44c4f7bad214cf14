package find

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
)

// HugeRows is how many records a huge block has at most.
const HugeRows = 1 << placeBits

// Bounds of huge blocks.
const (
	placeBits  = 18
	placeMask  = 1<<placeBits - 1
	mostSize   = 1 << 45   // of a message, as far as sizes are told apart
	mostFirst  = 256       // bytes of a value by which a piece of a dictionary is found
	mostGather = 128 << 20 // bytes of the blocks that are put together into one
)

// HugePart is the least number of a part of a huge block: the parts of others are below.
const HugePart Part = 1 << 31

// kind is what a part of a huge block has. A search reads the pieces that it needs, and finds them by the heads.
type kind uint8

const (
	rowsHead   kind = iota // records of a piece, and the first of each
	rowsPiece              // like PartRows
	idsPiece               // like PartIDs
	sizesHead              // the first of each piece, and the last of all
	sizesPiece             // of messages, in their order, each with the place of its record
	fieldHead              // what there is of a field
	wordsPiece             // a dictionary
	listsPiece             // of the values of a wordsPiece
	gramsPiece
)

// wide returns the number of a part of a huge block.
func wide(k kind, f field, n int) Part { return HugePart | Part(k)<<25 | Part(f)<<20 | Part(n) }

// hugeWriter writes a huge block part by part, so that it is never in memory as a whole.
type hugeWriter struct {
	*merger
	z    Sizes
	room int // for grams
	put  func(p Part, data []byte) error
	err  error
}

// part writes one part.
func (w *hugeWriter) part(p Part, data []byte) {
	if w.err == nil {
		w.err = w.put(p, sealed(data))
	}
}

// write writes everything.
func (w *hugeWriter) write() error {
	w.rows()
	w.sizes()
	for f := range fields {
		if w.err == nil && f == subjects {
			w.err = w.subjects()
		} else if w.err == nil {
			w.err = w.field(f)
		}
	}
	return w.err
}

// rows writes when records were received, their keys and Message-IDs.
func (w *hugeWriter) rows() {
	each := max(1, w.z.Piece/rowSize/8) // a few of many are wanted
	head := binary.LittleEndian.AppendUint32(nil, uint32(each))
	head = append(head, w.column(rowsPiece, w.packed(w.merger.rows), each)...)
	w.part(wide(rowsHead, 0, 0), head)
	ids, err := w.columns(PartIDs)
	w.fail(err)
	w.column(idsPiece, ids, each)
}

func (w *hugeWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// column writes numbers in pieces, and returns the first of each.
func (w *hugeWriter) column(k kind, list []uint64, each int) []byte {
	var firsts []uint64
	for some := range slices.Chunk(list, each) {
		w.part(wide(k, 0, len(firsts)), numbers(some))
		firsts = append(firsts, some[0])
	}
	return numbers(firsts)
}

// sizes writes the sizes of messages.
func (w *hugeWriter) sizes() {
	list, err := w.columns(PartSizes)
	if w.fail(err); w.err != nil {
		return
	}
	for place, size := range list {
		list[place] = sized(int64(size))<<placeBits | uint64(place)
	}
	slices.Sort(list)
	head := w.column(sizesPiece, list, max(1, w.z.Piece/rowSize))
	w.part(wide(sizesHead, 0, 0), binary.LittleEndian.AppendUint64(head, list[len(list)-1]))
}

// sized returns a size as it is written.
func sized(n int64) uint64 { return uint64(min(max(n, 0), mostSize)) }

// grammable reports whether a field has grams where its dictionary is long: one whose values are looked for by parts of them.
func (f field) grammable() bool {
	return slices.Contains([]field{domains, users, addresses, names, recipients, senders}, f)
}

// field writes a field other than the subjects: as a dictionary or, if that would be long, as grams. What is held against
// lists has its dictionary in any case.
func (w *hugeWriter) field(f field) error {
	grams := false
	for i := 0; f.grammable() && i < len(w.in); i++ {
		v, err := w.values(i, f)
		if err != nil {
			return err
		}
		grams = grams || len(v.d.text) > w.z.Long
	}
	d := pieceWriter{w: w, f: f}
	g := forward{}
	err := w.all(f, func(value []byte, list []uint32) {
		if !grams || f == addresses {
			d.add(value, list)
		}
		if grams {
			g.add(value, list)
		}
	}, nil)
	if err != nil || w.err != nil {
		return err
	}
	d.flush()
	var pieces []gramPiece
	if grams {
		g.sort()
		if pieces, err = w.grams(f, g.grams); err != nil {
			return err
		}
	}
	w.part(wide(fieldHead, f, 0), head{f, d.firsts, !grams || f == addresses, pieces, grams}.bytes())
	return nil
}

// subjects writes the grams of subjects.
func (w *hugeWriter) subjects() error {
	ids, err := w.renames(subjects)
	if err != nil {
		return err
	}
	var text []byte
	starts := []uint32{0}
	if err := w.all(subjects, func(token []byte, _ []uint32) {
		text = append(text, token...)
		starts = append(starts, uint32(len(text)))
	}, func(in, id, now int) { ids[in][id] = uint32(now) }); err != nil {
		return err
	}
	t, err := w.texts(ids)
	if err != nil {
		return err
	}
	pieces, err := w.grams(subjects, func(g *grams) error {
		var subject []byte
		var ids []int32
		for place := range w.merger.rows {
			g.shrink()
			subject = append(subject[:0], separator, ' ')
			if err := t.of(place, func(token uint32) {
				subject = append(append(subject, text[starts[token]:starts[token+1]]...), ' ')
			}); err != nil {
				return err
			}
			if len(subject) > 2 {
				ids = g.of(append(subject, separator), ids[:0])
				g.add(ids, uint32(place))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.part(wide(fieldHead, subjects, 0), head{subjects, nil, false, pieces, true}.bytes())
	return nil
}

// pieceWriter writes a dictionary in pieces, each with its lists.
type pieceWriter struct {
	w      *hugeWriter
	f      field
	now    dictionaryWriter
	firsts [][]byte
}

func (d *pieceWriter) add(value []byte, list []uint32) {
	if d.now.values == 0 {
		d.now = dictionaryWriter{rows: len(d.w.merger.rows)}
		d.firsts = append(d.firsts, bytes.Clone(value[:min(len(value), mostFirst)]))
	}
	d.now.add(value, list)
	if len(d.now.text) > d.w.z.Piece/4 || len(d.now.lists) > d.w.z.Piece || d.now.values == postingChunk {
		d.flush()
	}
}

func (d *pieceWriter) flush() {
	if d.now.values == 0 {
		return
	}
	n := len(d.firsts) - 1
	d.w.part(wide(wordsPiece, d.f, n), d.now.dictionary())
	d.w.part(wide(listsPiece, d.f, n), d.now.chunks[0])
	d.now.values = 0
}

// head says what there is of a field in a huge block.
type head struct {
	field  field
	firsts [][]byte // the first values of the pieces of its dictionary, or how they begin
	words  bool     // it has one
	pieces []gramPiece
	grams  bool // it has such
}

// bytes writes a head.
func (h head) bytes() []byte {
	flags := byte(0)
	if h.words {
		flags |= 1
	}
	if h.grams {
		flags |= 2
	}
	out := binary.LittleEndian.AppendUint32([]byte{flags}, uint32(len(h.firsts)))
	for _, v := range h.firsts {
		out = append(binary.LittleEndian.AppendUint16(out, uint16(len(v))), v...)
	}
	for _, g := range h.pieces {
		for _, n := range []uint32{g.first, g.count, g.size} {
			out = binary.LittleEndian.AppendUint32(out, n)
		}
	}
	return out
}

// openHead reads what bytes wrote.
func openHead(f field, data []byte) (h head, err error) {
	if len(data) < 5 {
		return h, ErrDamaged
	}
	h = head{field: f, words: data[0]&1 > 0, grams: data[0]&2 > 0}
	n, rest := binary.LittleEndian.Uint32(data[1:]), data[5:]
	for range n {
		if len(rest) < 2 {
			return h, ErrDamaged
		}
		size := int(binary.LittleEndian.Uint16(rest))
		if rest = rest[2:]; len(rest) < size {
			return h, ErrDamaged
		}
		h.firsts, rest = append(h.firsts, bytes.Clone(rest[:size])), rest[size:]
	}
	for ; len(rest) >= 12; rest = rest[12:] {
		h.pieces = append(h.pieces, gramPiece{binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:]),
			binary.LittleEndian.Uint32(rest[8:])})
	}
	if len(rest) > 0 {
		return h, ErrDamaged
	}
	return h, nil
}

// Gather puts the blocks that are to be replaced together into a huge one, which it writes by put, part by part. If one of
// them is damaged, the step is another one afterwards: that is made of its records.
func (w *Step) Gather(ctx context.Context, s Shelf, z Sizes, put func(p Part, data []byte) error) error {
	m, err := merging(ctx, s, w.Replaced)
	if err == nil && len(m.rows) > 0 {
		if err = (&hugeWriter{merger: m, z: z, room: mostHeld, put: put}).write(); err == nil {
			m.Level = Huge
			w.Huge = m.Span
		}
	}
	if isDamaged(err) {
		w.Gathers, w.Replaced = false, []Span{w.Replaced[m.bad]}
		return w.refill(ctx, s, z.Large)
	}
	return err
}
