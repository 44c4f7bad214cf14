package find

import "encoding/binary"

// dictionaryWriter writes the values of a field, which come in their order, and in which records each turns up.
type dictionaryWriter struct {
	rows         int // of the block
	values       int
	starts       []uint32 // of the chunks
	text         []byte
	chunks       [][]byte // that are written
	table, lists []byte   // of the chunk that is being written
}

// add adds a value and its records, sorted.
func (w *dictionaryWriter) add(value []byte, list []uint32) {
	if len(w.text) == 0 {
		w.text = append(w.text, separator)
	}
	if w.values%postingChunk == 0 {
		w.flush()
		w.starts = append(w.starts, uint32(len(w.text)))
	}
	w.table = binary.LittleEndian.AppendUint32(w.table, uint32(len(w.text)))
	w.table = binary.LittleEndian.AppendUint32(w.table, uint32(len(w.lists)))
	w.lists = appendList(w.lists, list, w.rows)
	w.text = append(append(w.text, value...), separator)
	w.values++
}

// flush ends a chunk.
func (w *dictionaryWriter) flush() {
	if len(w.table) == 0 {
		return
	}
	chunk := binary.LittleEndian.AppendUint32(nil, uint32(len(w.table)/perValue))
	w.chunks = append(w.chunks, append(append(chunk, w.table...), w.lists...))
	w.table, w.lists = w.table[:0], w.lists[:0]
}

// dictionary returns the values. Their lists are in chunks then.
func (w *dictionaryWriter) dictionary() []byte {
	w.flush()
	out := binary.LittleEndian.AppendUint32(nil, uint32(w.values))
	for _, at := range w.starts {
		out = binary.LittleEndian.AppendUint32(out, at)
	}
	if w.values == 0 {
		return append(out, separator)
	}
	return append(out, w.text...)
}

// put puts everything into the parts of a field.
func (w *dictionaryWriter) put(f field, to map[Part][]byte) {
	to[words(f)] = w.dictionary()
	for i, chunk := range w.chunks {
		to[postings(f, i)] = chunk
	}
}

// The forms of a list of records: a bit for each record, or the distances between those
// that are in it.
const (
	asBits = iota
	asGaps
)

// appendList writes a sorted list of records in the shorter form.
func appendList(to []byte, list []uint32, rows int) []byte {
	if len(list) > rows/8 {
		from := len(to) + 1
		to = append(append(to, asBits), make([]byte, (rows+7)/8)...)
		set := to[from:]
		for _, p := range list {
			set[p/8] |= 1 << (p % 8)
		}
		return to
	}
	to = append(to, asGaps)
	last := -1
	for _, p := range list {
		to = binary.AppendUvarint(to, uint64(int(p)-last-1))
		last = int(p)
	}
	return to
}

// sequenceWriter writes subjects, in the order of their records, as places in the dictionary.
type sequenceWriter struct {
	starts, all []byte
	rows        int
	to          map[Part][]byte
	chunk       int
}

// add adds the next subject, whose tokens are written one after the other.
func (w *sequenceWriter) add(tokens []byte) {
	w.starts = binary.LittleEndian.AppendUint32(w.starts, uint32(len(w.all)))
	w.all = append(w.all, tokens...)
	if w.rows++; w.rows == subjectChunk {
		w.flush()
	}
}

// flush ends a part.
func (w *sequenceWriter) flush() {
	if w.rows > 0 {
		w.to[sequences(w.chunk)] = append(w.starts, w.all...)
		w.starts, w.all, w.rows, w.chunk = nil, nil, 0, w.chunk+1
	}
}
