package entity

import (
	"bytes"
	"encoding/binary"
)

// binhexFork is one of the two halves of a Macintosh file.
type binhexFork int

const (
	dataFork binhexFork = iota
	resourceFork
)

const (
	binhexMarker  = "(This file must be converted with BinHex"
	binhexLetters = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
	binhexRepeat  = 0x90
	binhexFixed   = 22 // bytes of the file header without the name
)

// binhexDecoder undoes BinHex 4.0 (RFC 1741, appendix A): between two colons,
// six bits a character; below that, runs of a byte as 0x90 and a count; below
// that, a header with the name and the two forks, each with a checksum.
type binhexDecoder struct {
	*ledger
	fork   binhexFork
	place  binhexPlace
	within bool // the fragment before had no line end
	bits   uint32
	n      uint
	last   byte // what a repeat repeats
	marked bool // the byte before was the repeat mark
	file   binhexFile
}

// binhexPlace is where in the text the decoder is.
type binhexPlace int

const (
	beforeData binhexPlace = iota
	inData
	afterData
)

func (b *binhexDecoder) line(dst, line []byte) []byte {
	text := trimEnd(line)
	within := b.within
	b.within = line[len(line)-1] != '\n'
	if b.place == beforeData {
		if within || !opensBinhex(text) {
			return dst
		}
		b.place, text = inData, text[1:]
	}
	for i, c := range text {
		if b.place != inData {
			break
		}
		dst = b.letter(dst, c, i)
	}
	return dst
}

// letter takes one character of the text, the i-th of its line.
func (b *binhexDecoder) letter(dst []byte, c byte, i int) []byte {
	v := binhexValues[c]
	switch {
	case c == ':':
		b.place = afterData
		return dst
	case v == 255:
		if !isBlankByte(c) {
			b.note("binhex-junk", i, i+1)
		}
		return dst
	}
	b.bits, b.n = b.bits<<6|uint32(v), b.n+6
	if b.n < 8 {
		return dst
	}
	b.n -= 8
	return b.packed(dst, byte(b.bits>>b.n))
}

// packed takes one byte, with runs still packed.
func (b *binhexDecoder) packed(dst []byte, c byte) []byte {
	switch {
	case !b.marked && c == binhexRepeat:
		b.marked = true
		return dst
	case !b.marked:
		b.last = c
		return b.unpacked(dst, c)
	}
	b.marked = false
	if c == 0 { // the mark itself
		b.last = binhexRepeat
		return b.unpacked(dst, binhexRepeat)
	}
	for range c - 1 {
		dst = b.unpacked(dst, b.last)
	}
	return dst
}

// unpacked takes one byte of the file and appends it if it is of our fork.
func (b *binhexDecoder) unpacked(dst []byte, c byte) []byte {
	f := &b.file
	f.next(c)
	if f.bad {
		b.note("binhex-checksum", 0, 0)
		f.bad = false
	}
	if f.taken == b.fork && f.content {
		return append(dst, c)
	}
	return dst
}

func (b *binhexDecoder) end(dst []byte) []byte {
	switch {
	case b.place == beforeData:
		b.note("binhex-no-begin", 0, 0)
	case b.place == inData || b.file.stage != fileDone:
		b.note("binhex-no-end", 0, 0)
	}
	if b.file.resource > 0 && b.fork == dataFork {
		b.note("binhex-resource-fork", 0, 0)
	}
	return dst
}

// binhexFile follows the bytes of the file inside: header, checksum, data fork,
// checksum, resource fork, checksum.
type binhexFile struct {
	stage    fileStage
	header   []byte
	left     int64 // bytes of the fork still to come
	resource int64 // length of the resource fork
	sum      uint16
	tail     []byte     // checksum bytes
	content  bool       // the byte just taken belongs to a fork
	taken    binhexFork // and to which
	bad      bool       // a checksum is wrong
	damaged  bool       // that of the header is
}

type fileStage int

const (
	fileHeader fileStage = iota
	fileData
	fileDataSum
	fileResource
	fileResourceSum
	fileDone
)

func (f *binhexFile) next(c byte) {
	f.content = false
	switch f.stage {
	case fileHeader:
		f.headerByte(c)
	case fileData, fileResource:
		f.content, f.taken = true, binhexFork((f.stage-fileData)/2)
		f.sum = crc16(f.sum, c)
		if f.left--; f.left == 0 {
			f.stage++
		}
	case fileDataSum, fileResourceSum:
		f.sumByte(c)
	}
}

// headerByte collects the header: a name with its length, version, type,
// creator, flags, the lengths of the forks, a checksum.
func (f *binhexFile) headerByte(c byte) {
	f.header = append(f.header, c)
	h := f.header
	n := int(h[0]) + binhexFixed
	if len(h) < n {
		return
	}
	f.resource = int64(binary.BigEndian.Uint32(h[n-6:]))
	f.bad = crc16Of(h[:n-2]) != binary.BigEndian.Uint16(h[n-2:])
	f.damaged = f.bad
	f.enter(fileData, int64(binary.BigEndian.Uint32(h[n-10:])))
}

// enter begins a fork, or its checksum if the fork is empty.
func (f *binhexFile) enter(s fileStage, length int64) {
	f.stage, f.left, f.sum, f.tail = s, length, 0, f.tail[:0]
	if length == 0 {
		f.stage++
	}
}

func (f *binhexFile) sumByte(c byte) {
	if f.tail = append(f.tail, c); len(f.tail) < 2 {
		return
	}
	f.bad = f.sum != binary.BigEndian.Uint16(f.tail)
	if f.stage == fileDataSum {
		f.enter(fileResource, f.resource)
		return
	}
	f.stage = fileDone
}

// name returns the file's name as its header has it, "" before that is there, or if
// the header is damaged and the name is none.
func (f *binhexFile) name() string {
	if f.stage == fileHeader {
		return ""
	}
	name := f.header[1 : 1+int(f.header[0])]
	if f.damaged && unprintable(name) >= 0 {
		return ""
	}
	return string(name)
}

// crc16 returns the CRC of CCITT, the polynomial 0x1021 from zero. BinHex's rule to
// feed two zero bytes at the end is the same as this form of it.
func crc16(sum uint16, c byte) uint16 {
	sum ^= uint16(c) << 8
	for range 8 {
		if sum&0x8000 != 0 {
			sum = sum<<1 ^ 0x1021
		} else {
			sum <<= 1
		}
	}
	return sum
}

func crc16Of(b []byte) (sum uint16) {
	for _, c := range b {
		sum = crc16(sum, c)
	}
	return sum
}

// opensBinhex reports whether a line begins the data: a colon, and after it nothing
// but letters of the alphabet.
func opensBinhex(line []byte) bool {
	if len(line) < 2 || line[0] != ':' {
		return false
	}
	for _, c := range trimBlanks(bytes.TrimSuffix(line[1:], []byte(":"))) {
		if binhexValues[c] == 255 {
			return false
		}
	}
	return true
}

// binhexValues maps each letter to its value, any other byte to 255.
var binhexValues = func() (t [256]byte) {
	for c := range t {
		t[c] = 255
	}
	for i, c := range []byte(binhexLetters) {
		t[c] = byte(i)
	}
	return t
}()
