package document

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// streamData is a stream of a compound file to be written, with its storages in
// its name.
type streamData struct {
	name string
	data []byte
}

const (
	sectorSize = 512
	endOfChain = 0xfffffffe
	freeSector = 0xffffffff
)

// cfbWriter writes compound files (MS-CFB, version 3).
type cfbWriter struct {
	sectors bytes.Buffer
	fat     []uint32
	mini    bytes.Buffer
	miniFAT []uint32
	entries []cfbEntry
}

type cfbEntry struct {
	name        string
	kind        byte
	start       uint32
	size        int
	child, next uint32
}

// compoundFile writes a compound file.
func compoundFile(streams ...streamData) []byte {
	w := &cfbWriter{entries: []cfbEntry{{name: "Root Entry", kind: 5, child: freeSector, next: freeSector}}}
	for _, s := range streams {
		steps := strings.Split(s.name, "/")
		parent := 0
		for _, storage := range steps[:len(steps)-1] {
			parent = w.storage(parent, storage)
		}
		start := w.put(s.data)
		w.enter(parent, cfbEntry{name: steps[len(steps)-1], kind: 2, start: start, size: len(s.data), child: freeSector})
	}
	return w.bytes()
}

func (w *cfbWriter) storage(parent int, name string) int {
	for i := w.entries[parent].child; i != freeSector; i = w.entries[i].next {
		if e := w.entries[i]; e.name == name && e.kind == 1 {
			return int(i)
		}
	}
	return w.enter(parent, cfbEntry{name: name, kind: 1, child: freeSector})
}

// enter adds an entry; those of a storage are a list, which is a tree too.
func (w *cfbWriter) enter(parent int, e cfbEntry) int {
	e.next = w.entries[parent].child
	w.entries[parent].child = uint32(len(w.entries))
	w.entries = append(w.entries, e)
	return len(w.entries) - 1
}

// put stores data, small ones in sectors of 64 bytes.
func (w *cfbWriter) put(data []byte) uint32 {
	if len(data) == 0 {
		return endOfChain
	}
	if len(data) < 4096 {
		return chain(&w.mini, &w.miniFAT, data, 64)
	}
	return chain(&w.sectors, &w.fat, data, sectorSize)
}

func chain(to *bytes.Buffer, table *[]uint32, data []byte, size int) uint32 {
	first := uint32(len(*table))
	for part := range slices.Chunk(data, size) {
		to.Write(part)
		to.Write(make([]byte, size-len(part)))
		*table = append(*table, uint32(len(*table))+1)
	}
	(*table)[len(*table)-1] = endOfChain
	return first
}

func (w *cfbWriter) bytes() []byte {
	root := &w.entries[0]
	root.size = w.mini.Len()
	root.start = endOfChain
	if root.size > 0 {
		root.start = chain(&w.sectors, &w.fat, w.mini.Bytes(), sectorSize)
	}
	miniFAT := uint32(endOfChain)
	if len(w.miniFAT) > 0 {
		miniFAT = chain(&w.sectors, &w.fat, words(w.miniFAT), sectorSize)
	}
	directory := chain(&w.sectors, &w.fat, w.directory(), sectorSize)
	const marker = 0xfffffffd
	fatSectors := (len(w.fat) + 127 + 1) / 127
	at := len(w.fat)
	for range fatSectors {
		w.fat = append(w.fat, marker)
	}
	for len(w.fat)%128 != 0 {
		w.fat = append(w.fat, freeSector)
	}
	head := make([]byte, sectorSize)
	copy(head, compoundMark)
	for off, v := range map[int]uint16{24: 0x3e, 26: 3, 28: 0xfffe, 30: 9, 32: 6} {
		binary.LittleEndian.PutUint16(head[off:], v)
	}
	n := uint32(len(w.fat) / 128)
	for off, v := range map[int]uint32{44: n, 48: directory, 56: 4096, 60: miniFAT, 64: uint32((len(w.miniFAT) + 127) / 128), 68: endOfChain} {
		binary.LittleEndian.PutUint32(head[off:], v)
	}
	for i := range 109 {
		v := uint32(freeSector)
		if i < int(n) {
			v = uint32(at + i)
		}
		binary.LittleEndian.PutUint32(head[76+4*i:], v)
	}
	return slices.Concat(head, w.sectors.Bytes(), words(w.fat))
}

func words(list []uint32) []byte {
	b := make([]byte, 0, 4*len(list))
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func (w *cfbWriter) directory() []byte {
	var b []byte
	for _, e := range w.entries {
		r := make([]byte, 128)
		name := utf16.Encode([]rune(e.name))
		for i, u := range name {
			binary.LittleEndian.PutUint16(r[2*i:], u)
		}
		binary.LittleEndian.PutUint16(r[64:], uint16(2*len(name)+2))
		r[66], r[67] = e.kind, 1
		binary.LittleEndian.PutUint32(r[68:], freeSector)
		binary.LittleEndian.PutUint32(r[72:], e.next)
		binary.LittleEndian.PutUint32(r[76:], e.child)
		binary.LittleEndian.PutUint32(r[116:], e.start)
		binary.LittleEndian.PutUint32(r[120:], uint32(e.size))
		b = append(b, r...)
	}
	return b
}
