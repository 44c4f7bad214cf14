// Package find indexes records, thousands at a time, so that those a filter lets through
// are found without reading them.
//
// A block has, for each field that can be searched, a dictionary of the values that turn up
// in its records, and for each value the records it turns up in. To search a field, the
// dictionary is read through, in a fraction of the time that reading the records would
// take: patterns may be in any place of a value, as in policy.LikeText. What several fields
// let through is intersected as sets of bits, so no combination of filters is worse than the
// sum of its parts. A block never changes; it knows nothing of where it is kept.
package find

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/milterscan/milterscan/policy"
)

// Bounds of a block.
const (
	Rows     = 1 << 14 // records at most
	mostText = 8 << 20 // bytes in all dictionaries together, about
	keyBits  = 24      // of the distance between keys
	timeBits = 40      // of the distance in time, in milliseconds: 34 years
	rowSize  = 8       // bytes of a row
	perValue = 8       // bytes for each value of a dictionary, apart from the value

	postingChunk = 8192 // values whose lists are read together
	subjectChunk = 8192 // subjects that are read together

	farKeys  = 1<<keyBits - 1
	farTimes = 1<<timeBits - 1
)

// Part is a piece of a block that is read by itself.
type Part uint32

// The parts of a block. Subjects have several parts, and so have the lists of each field.
const (
	PartRows     Part = iota // when each record was received, and its key
	PartSizes                // of the messages
	PartIDs                  // hashes of Message-IDs
	partSubjects Part = 1 << 8
	partField    Part = 1 << 16
)

func words(f field) Part               { return partField * Part(f+1) }
func postings(f field, chunk int) Part { return words(f) + 1 + Part(chunk) }
func sequences(chunk int) Part         { return partSubjects + Part(chunk) }

// Row is when a record was received, in milliseconds, and the key it is kept under.
type Row struct{ Time, Key int64 }

// Later orders rows as searches list them: the newest first.
func (r Row) Later(s Row) int { return cmp.Or(cmp.Compare(s.Time, r.Time), cmp.Compare(s.Key, r.Key)) }

// Block is an index of some records.
type Block struct {
	Span
	Parts map[Part][]byte
}

// Span describes the records of a block.
type Span struct {
	Rows           int
	First, Last    int64 // the least and the greatest key
	Newest, Oldest Row
}

// entry is what a builder keeps of a record.
type entry struct {
	Row
	size    int64
	id      uint64
	subject []string // in tokens
}

// Builder makes a block.
type Builder struct {
	entries     []entry
	terms       [fields]map[string][]uint16 // places in entries
	text        int
	first, last int64
	from, to    int64 // in time
}

// Add adds the record of a key, unless the block is full: then it returns false, and the
// record is for the next block.
func (b *Builder) Add(key int64, r policy.Record) bool {
	at := r.Time.UnixMilli()
	if len(b.entries) == 0 {
		b.first, b.last, b.from, b.to = key, key, at, at
	}
	first, last, from, to := min(b.first, key), max(b.last, key), min(b.from, at), max(b.to, at)
	if len(b.entries) == Rows || b.text > mostText || last-first > farKeys || to-from > farTimes {
		return false
	}
	b.first, b.last, b.from, b.to = first, last, from, to
	place := uint16(len(b.entries))
	all := valuesOf(r)
	b.entries = append(b.entries, entry{Row{at, key}, r.Size, Hash(r.MessageID), all[subjects]})
	b.text += len(all[subjects])
	for f, values := range all {
		for _, v := range values {
			b.post(field(f), v, place)
		}
	}
	return true
}

// post notes that a value turns up in the record at a place.
func (b *Builder) post(f field, value string, place uint16) {
	if b.terms[f] == nil {
		b.terms[f] = map[string][]uint16{}
	}
	list, known := b.terms[f][value]
	if !known {
		b.text += len(value) + perValue
	}
	if n := len(list); n == 0 || list[n-1] != place {
		b.terms[f][value] = append(list, place)
	}
}

// Len returns how many records were added.
func (b *Builder) Len() int { return len(b.entries) }

// Block returns the block. At least one record was added.
func (b *Builder) Block() Block {
	order := make([]int, len(b.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return b.entries[i].Later(b.entries[j].Row) })
	place := make([]uint16, len(order))
	rows, sizes, ids := []byte(nil), []byte(nil), []byte(nil)
	for rank, i := range order {
		e := b.entries[i]
		place[i] = uint16(rank)
		rows = binary.LittleEndian.AppendUint64(rows, uint64(e.Time-b.from)<<keyBits|uint64(e.Key-b.first))
		sizes = binary.LittleEndian.AppendUint64(sizes, uint64(e.size))
		ids = binary.LittleEndian.AppendUint64(ids, e.id)
	}
	out := Block{Span{len(order), b.first, b.last, b.entries[order[0]].Row, b.entries[order[len(order)-1]].Row},
		map[Part][]byte{PartRows: rows, PartSizes: sizes, PartIDs: ids}}
	b.sequences(order, out.Parts)
	for f, terms := range b.terms {
		out.write(field(f), terms, place)
	}
	for p, data := range out.Parts {
		out.Parts[p] = sealed(data)
	}
	return out
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed adds a sum to a part, by which unsealed sees whether it is whole: from a damaged
// dictionary values would be missing, and records not be found.
func sealed(data []byte) []byte {
	return binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

func unsealed(data []byte) ([]byte, error) {
	n := len(data) - crc32.Size
	if n < 0 || crc32.Checksum(data[:n], castagnoli) != binary.LittleEndian.Uint32(data[n:]) {
		return nil, ErrDamaged
	}
	return data[:n], nil
}

// ranked returns the places of the values of a field in its dictionary.
func ranked(terms map[string][]uint16) map[string]int {
	ids := make(map[string]int, len(terms))
	for i, v := range slices.Sorted(maps.Keys(terms)) {
		ids[v] = i
	}
	return ids
}

// write writes a dictionary and its lists, with every record at its place.
func (b *Block) write(f field, terms map[string][]uint16, place []uint16) {
	values := slices.Sorted(maps.Keys(terms))
	head, text := binary.LittleEndian.AppendUint32(nil, uint32(len(values))), []byte{separator}
	for some := range slices.Chunk(values, postingChunk) {
		head = binary.LittleEndian.AppendUint32(head, uint32(len(text)))
		table, lists := binary.LittleEndian.AppendUint32(nil, uint32(len(some))), []byte(nil)
		for _, v := range some {
			list := terms[v]
			for i, p := range list {
				list[i] = place[p]
			}
			slices.Sort(list)
			table = binary.LittleEndian.AppendUint32(table, uint32(len(text)))
			table = binary.LittleEndian.AppendUint32(table, uint32(len(lists)))
			lists = appendList(lists, list, len(place))
			text = append(append(text, v...), separator)
		}
		b.Parts[postings(f, len(head)/4-2)] = append(table, lists...)
	}
	b.Parts[words(f)] = append(head, text...)
}

// The forms of a list of records: a bit for each record, or the distances between those
// that are in it.
const (
	asBits = iota
	asGaps
)

// appendList writes a sorted list of records in the shorter form.
func appendList(to []byte, list []uint16, rows int) []byte {
	if len(list) > rows/8 {
		set := make([]byte, (rows+7)/8)
		for _, p := range list {
			set[p/8] |= 1 << (p % 8)
		}
		return append(append(to, asBits), set...)
	}
	to = append(to, asGaps)
	last := -1
	for _, p := range list {
		to = binary.AppendUvarint(to, uint64(int(p)-last-1))
		last = int(p)
	}
	return to
}

// Hash returns a number for a text, 0 for none.
func Hash(s string) uint64 {
	if s == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}
