// Package find indexes records, thousands at a time, so that those a filter lets through
// are found without reading them.
//
// A block has, for each field that can be searched, a dictionary of the values that turn up
// in its records, and for each value the records it turns up in. To search a field, the
// dictionary is read through, in a fraction of the time that reading the records would
// take: patterns may be in any place of a value, as in policy.LikeText. What several fields
// let through is intersected as sets of bits, so no combination of filters is worse than the
// sum of its parts. A block never changes; it knows nothing of where it is kept.
//
// Records come into small blocks first. Of small ones large ones are made, and of these huge ones, from what is in the
// blocks. A huge block is never read as a whole: its parts are cut into pieces, and in place of a long dictionary it has, for
// each four bytes that follow each other in values, the records that have them. A text is looked for by the rarest of
// its grams. What they let through may be some records too many, which the filter sees when it reads them.
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

// Level says how many records a block is made for.
type Level int

// The levels. Blocks of a level are put together into one of the next.
const (
	Small Level = iota
	Large
	Huge
)

// Span describes the records of a block.
type Span struct {
	Level          Level
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
	terms       [fields]map[string][]uint32 // places in entries
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
	place := uint32(len(b.entries))
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
func (b *Builder) post(f field, value string, place uint32) {
	if b.terms[f] == nil {
		b.terms[f] = map[string][]uint32{}
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
	place := make([]uint32, len(order))
	var rows []Row
	var sizes, ids []uint64
	for rank, i := range order {
		e := b.entries[i]
		place[i] = uint32(rank)
		rows, sizes, ids = append(rows, e.Row), append(sizes, uint64(e.size)), append(ids, e.id)
	}
	out := Block{spanOf(rows, b.first, b.last), map[Part][]byte{PartSizes: numbers(sizes), PartIDs: numbers(ids)}}
	out.Parts[PartRows] = numbers(out.packed(rows))
	b.sequences(order, out.Parts)
	for f, terms := range b.terms {
		out.write(field(f), terms, place)
	}
	for p, data := range out.Parts {
		out.Parts[p] = sealed(data)
	}
	return out
}

// spanOf describes rows, of which there is one at least, the newest first.
func spanOf(rows []Row, first, last int64) Span {
	return Span{Rows: len(rows), First: first, Last: last, Newest: rows[0], Oldest: rows[len(rows)-1]}
}

// packed returns rows as numbers, which unpacked reads.
func (s Span) packed(rows []Row) []uint64 {
	list := make([]uint64, len(rows))
	for i, r := range rows {
		list[i] = uint64(r.Time-s.Oldest.Time)<<keyBits | uint64(r.Key-s.First)
	}
	return list
}

func (s Span) unpacked(v uint64) Row {
	return Row{s.Oldest.Time + int64(v>>keyBits), s.First + int64(v&farKeys)}
}

// numbers writes a column.
func numbers(list []uint64) []byte {
	out := make([]byte, 0, rowSize*len(list)+crc32.Size)
	for _, v := range list {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return out
}

// readNumbers reads a column.
func readNumbers(data []byte) ([]uint64, error) {
	if len(data)%rowSize != 0 {
		return nil, ErrDamaged
	}
	list := make([]uint64, len(data)/rowSize)
	for i := range list {
		list[i] = binary.LittleEndian.Uint64(data[rowSize*i:])
	}
	return list, nil
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
func ranked(terms map[string][]uint32) map[string]int {
	ids := make(map[string]int, len(terms))
	for i, v := range slices.Sorted(maps.Keys(terms)) {
		ids[v] = i
	}
	return ids
}

// write writes a dictionary and its lists, with every record at its place.
func (b *Block) write(f field, terms map[string][]uint32, place []uint32) {
	w := dictionaryWriter{rows: len(place)}
	for _, v := range slices.Sorted(maps.Keys(terms)) {
		list := terms[v]
		for i, p := range list {
			list[i] = place[p]
		}
		slices.Sort(list)
		w.add([]byte(v), list)
	}
	w.put(f, b.Parts)
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
