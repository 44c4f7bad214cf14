package find

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// Bounds of the blocks that are merged, in bytes of all their parts.
const mostMerged = 24 << 20 // into a large one, which is in memory as a whole

func isDamaged(err error) bool { return errors.Is(err, ErrDamaged) }

// merger makes one block of others, from what is in these.
type merger struct {
	Span
	in   []input
	open func(from, to Part) (map[Piece][]byte, error) // reads parts of all blocks
	read map[Piece][]byte                              // what was read last
	now  [2]Part                                       // which parts that is
	rows []Row                                         // of the new block
	from []origin                                      // of each of them
	bad  int                                           // the block that was looked at last
}

// input is one of the blocks.
type input struct {
	Span
	places []int32 // in the new block, of each record; -1: it is gone
}

// origin is where a record was.
type origin struct {
	in    int32
	place uint32
}

// merging reads which records are in blocks, and finds their order. What is in no record any more is left out.
func merging(ctx context.Context, s Shelf, blocks []Span) (*merger, error) {
	alive, err := s.Alive(ctx, blocks)
	if err != nil {
		return nil, err
	}
	m := &merger{open: func(from, to Part) (map[Piece][]byte, error) {
		all := map[Piece][]byte{}
		return all, s.Parts(ctx, blocks, from, to, func(p Piece, data []byte) { all[p] = data })
	}}
	for i, b := range blocks {
		if m.bad = i; b.Rows < 1 || b.Rows > Rows {
			return m, ErrDamaged
		}
		m.in = append(m.in, input{b, make([]int32, b.Rows)})
		list, err := m.column(i, PartRows)
		if err != nil {
			return m, err
		}
		for place, v := range list {
			m.in[i].places[place] = -1
			if r := b.unpacked(v); alive(r) {
				m.rows, m.from = append(m.rows, r), append(m.from, origin{int32(i), uint32(place)})
			}
		}
	}
	m.sort()
	if len(m.rows) > 0 {
		m.Span = spanOf(m.rows, blocks[0].First, blocks[len(blocks)-1].Last)
	}
	return m, nil
}

// sort brings the records into the order of the new block.
func (m *merger) sort() {
	order := make([]int32, len(m.rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return m.rows[i].Later(m.rows[j]) })
	rows, from := make([]Row, len(order)), make([]origin, len(order))
	for rank, i := range order {
		rows[rank], from[rank] = m.rows[i], m.from[i]
		m.in[from[rank].in].places[from[rank].place] = int32(rank)
	}
	m.rows, m.from = rows, from
}

// part returns a part of a block that is whole. Those that belong together are read of all blocks at once.
func (m *merger) part(in int, p Part) ([]byte, error) {
	from, to := p, p+1
	switch {
	case p >= partField:
		from, to = p/partField*partField, (p/partField+1)*partField
	case p >= partSubjects:
		from, to = partSubjects, partField
	}
	if now := [2]Part{from, to}; m.now != now {
		var err error
		if m.read, err = m.open(from, to); err != nil {
			return nil, err
		}
		m.now = now
	}
	m.bad = in
	data, there := m.read[Piece{m.in[in].First, p}]
	if !there {
		return nil, ErrAbsent
	}
	return unsealed(data)
}

// column returns the numbers of a block's records.
func (m *merger) column(in int, p Part) ([]uint64, error) {
	data, err := m.part(in, p)
	if err != nil {
		return nil, err
	}
	if len(data) != rowSize*m.in[in].Rows {
		return nil, ErrDamaged
	}
	return readNumbers(data)
}

// columns returns the numbers of all records, in their order.
func (m *merger) columns(p Part) ([]uint64, error) {
	all := make([]uint64, len(m.rows))
	for i, in := range m.in {
		list, err := m.column(i, p)
		if err != nil {
			return nil, err
		}
		for place, v := range list {
			if to := in.places[place]; to >= 0 {
				all[to] = v
			}
		}
	}
	return all, nil
}

// fieldValues goes through the values of a field of a block, in their order.
type fieldValues struct {
	m     *merger
	in    int
	field field
	d     dictionary
	at    int     // in the text: where the next value begins
	id    int     // of the value
	value []byte  // nil when there are no more
	list  []byte  // of its records
	p     posting // of the chunk
}

// values begins with the first value. A field that earlier versions did not know may be absent, and has none then.
func (m *merger) values(in int, f field) (*fieldValues, error) {
	v := &fieldValues{m: m, in: in, field: f, at: 1, id: -1}
	data, err := m.part(in, words(f))
	if errors.Is(err, ErrAbsent) && f >= parts {
		return v, nil
	}
	if err == nil {
		v.d, err = openDictionary(data)
	}
	if err != nil {
		return nil, err
	}
	return v, v.next()
}

// next goes on to the next value.
func (v *fieldValues) next() error {
	last := v.value
	v.m.bad = v.in
	if v.value = nil; v.at >= len(v.d.text) {
		if v.id+1 != v.d.values {
			return ErrDamaged
		}
		return nil
	}
	start, end := v.at, bytes.IndexByte(v.d.text[v.at:], separator)
	if v.id++; v.id%postingChunk == 0 {
		data, err := v.m.part(v.in, postings(v.field, v.id/postingChunk))
		if err != nil {
			return err
		}
		if v.p, err = openPosting(data); err != nil {
			return err
		}
	}
	i := v.id % postingChunk
	if v.id >= v.d.values || i >= v.p.count || v.p.start(i) != uint32(start) {
		return ErrDamaged
	}
	v.value, v.at = v.d.text[start:start+end], start+end+1
	if last != nil && bytes.Compare(last, v.value) >= 0 {
		return ErrDamaged
	}
	return v.p.visit(i, func(_ int, list []byte) error { v.list = list; return nil })
}

// places adds the places of the value's records in the new block to a list.
func (v *fieldValues) places(to []uint32) ([]uint32, error) {
	in := v.m.in[v.in]
	v.m.bad = v.in
	err := eachIn(v.list, in.Rows, func(place int) {
		if p := in.places[place]; p >= 0 {
			to = append(to, uint32(p))
		}
	})
	return to, err
}

// all calls use with every value of a field in order, and with the places of its records. renamed, unless it is nil, hears
// which value of a block it was.
func (m *merger) all(f field, use func(value []byte, list []uint32), renamed func(in, id, now int)) error {
	var heap []*fieldValues
	for i := range m.in {
		v, err := m.values(i, f)
		if err != nil {
			return err
		}
		if v.value != nil {
			heap = append(heap, v)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	marks := newSet(len(m.rows))
	var list []uint32
	for n := 0; len(heap) > 0; {
		value := heap[0].value
		var err error
		list = list[:0]
		for len(heap) > 0 && bytes.Equal(heap[0].value, value) {
			was, first := len(list), heap[0]
			if list, err = first.places(list); err != nil {
				return err
			}
			if renamed != nil && len(list) > was {
				renamed(first.in, first.id, n)
			}
			if heap, err = after(heap); err != nil {
				return err
			}
		}
		if len(list) > 0 {
			use(value, ordered(list, marks))
			n++
		}
	}
	return nil
}

// after has the first of a heap go on to its next value.
func after(heap []*fieldValues) ([]*fieldValues, error) {
	if err := heap[0].next(); err != nil {
		return nil, err
	}
	if heap[0].value == nil {
		heap[0] = heap[len(heap)-1]
		heap = heap[:len(heap)-1]
	}
	sink(heap, 0)
	return heap, nil
}

// sink moves one down a heap, whose first has the least value.
func sink(heap []*fieldValues, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if bytes.Compare(heap[child].value, heap[least].value) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// ordered sorts a list of places, each of which is in it once. marks is empty, before and after.
func ordered(list []uint32, marks set) []uint32 {
	if slices.IsSorted(list) {
		return list
	}
	if len(list) < len(marks) {
		slices.Sort(list)
		return list
	}
	for _, p := range list {
		marks[p/64] |= 1 << (p % 64)
	}
	list = marks.places(list[:0])
	clear(marks)
	return list
}

// texts are the subjects of the blocks, as places in the new dictionary.
type texts struct {
	m      *merger
	ids    [][]uint32 // of each block: what the values are called now
	chunks [][][]byte // of each block
}

// texts reads the subjects. ids are those that all has renamed.
func (m *merger) texts(ids [][]uint32) (*texts, error) {
	t := &texts{m: m, ids: ids, chunks: make([][][]byte, len(m.in))}
	for i, in := range m.in {
		for first := 0; first < in.Rows; first += subjectChunk {
			data, err := m.part(i, sequences(first/subjectChunk))
			if err != nil {
				return nil, err
			}
			if len(data) < 4*min(subjectChunk, in.Rows-first) {
				return nil, ErrDamaged
			}
			t.chunks[i] = append(t.chunks[i], data)
		}
	}
	return t, nil
}

// of calls use with the tokens of the record at a place.
func (t *texts) of(place int, use func(token uint32)) error {
	o := t.m.from[place]
	t.m.bad = int(o.in)
	chunk, at := int(o.place)/subjectChunk, int(o.place)%subjectChunk
	rows := min(subjectChunk, t.m.in[o.in].Rows-chunk*subjectChunk)
	data := t.chunks[o.in][chunk]
	subject, err := subjectAt(data[:4*rows], data[4*rows:], at)
	for err == nil && len(subject) > 0 {
		id, size := binary.Uvarint(subject)
		if size <= 0 || id >= uint64(len(t.ids[o.in])) {
			return ErrDamaged
		}
		use(t.ids[o.in][id])
		subject = subject[size:]
	}
	return err
}

// renames returns room for what the values of a field are called in the new block.
func (m *merger) renames(f field) ([][]uint32, error) {
	ids := make([][]uint32, len(m.in))
	for i := range m.in {
		data, err := m.part(i, words(f))
		if err != nil {
			return nil, err
		}
		d, err := openDictionary(data)
		if err != nil {
			return nil, err
		}
		if d.values > len(d.text) {
			return nil, ErrDamaged
		}
		ids[i] = make([]uint32, d.values)
	}
	return ids, nil
}

// large writes the new block as a large one.
func (m *merger) large() (*Block, error) {
	b := &Block{m.Span, map[Part][]byte{PartRows: numbers(m.packed(m.rows))}}
	for _, p := range []Part{PartSizes, PartIDs} {
		list, err := m.columns(p)
		if err != nil {
			return nil, err
		}
		b.Parts[p] = numbers(list)
	}
	ids, err := m.renames(subjects)
	if err != nil {
		return nil, err
	}
	for f := range fields {
		w := dictionaryWriter{rows: len(m.rows)}
		var renamed func(in, id, now int)
		if f == subjects {
			renamed = func(in, id, now int) { ids[in][id] = uint32(now) }
		}
		if err := m.all(f, w.add, renamed); err != nil {
			return nil, err
		}
		w.put(f, b.Parts)
	}
	if err := m.sequences(ids, b.Parts); err != nil {
		return nil, err
	}
	for p, data := range b.Parts {
		b.Parts[p] = sealed(data)
	}
	b.Level = Large
	return b, nil
}

// sequences writes the subjects.
func (m *merger) sequences(ids [][]uint32, to map[Part][]byte) error {
	t, err := m.texts(ids)
	if err != nil {
		return err
	}
	w := sequenceWriter{to: to}
	var tokens []byte
	for place := range m.rows {
		tokens = tokens[:0]
		if err := t.of(place, func(token uint32) { tokens = binary.AppendUvarint(tokens, uint64(token)) }); err != nil {
			return err
		}
		w.add(tokens)
	}
	w.flush()
	return nil
}

// Merged makes a large block of small ones, nil if none of their records is left. If one of them is damaged it returns
// ErrDamaged.
func Merged(ctx context.Context, s Shelf, blocks []Span) (*Block, error) {
	m, err := merging(ctx, s, blocks)
	if err != nil || len(m.rows) == 0 {
		return nil, err
	}
	return m.large()
}
