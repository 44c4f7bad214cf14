package archive

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// Compressed files, and ARJ, may begin after other data: 7-Zip looks for their marks in a file that is
// nothing else, and opens what it finds.

// falseBegins is how many marks that are nearly a beginning are looked at closely; what has
// more is taken for one, and its walk says what it is.
const falseBegins = 256

// beginOf returns where a file begins whose mark is so many bytes after its beginning: at the
// first byte of the content, or further in. It is -1 if there is none within sfxSize.
func beginOf(c Content, taken Places, mark string, before int64, is func(head []byte) bool) int64 {
	tries := 0
	return eachBegin(c, 0, mark, before, func(head []byte, at int64) bool {
		if taken.hold(at) {
			return false
		}
		tries++
		return is(head) || tries > falseBegins
	})
}

// skip notes how much comes before an archive, and returns the content from there on.
func (w *walk) skip(c Content, at int64) *io.SectionReader {
	if at > 0 {
		w.note(prefixed, "by %d bytes", at)
	}
	return io.NewSectionReader(c, max(0, at), c.Size()-max(0, at))
}

// ending is a compressed file after other data, which may be before other data as well: the error that
// says so is its end.
type ending struct {
	io.Reader
	state *streamState
	is    func(error) bool
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if n > 0 {
		e.state.streams = 1
	}
	if err != nil && e.state.streams > 0 && e.is(err) {
		e.state.trailing = true
		return n, io.EOF
	}
	return n, err
}

// packs reports whether one of the formats has members that are packed where they are: a compressed
// file in it may be one of them.
func packs(begun []Format) bool {
	return slices.ContainsFunc(begun, func(f Format) bool {
		switch unwrap(f).(type) {
		case zipFormat, rarFormat, sevenZipFormat, cabFormat, *exoticFormat:
			return true
		}
		return false
	})
}

// sightStreams are the formats of one compressed file each.
const sightStreams = sightGzip | sightBzip2 | sightXZ | sightZstd

func (gzipFormat) inside(c Content, taken Places) bool { return gzipBegin(c, taken) >= 0 }

// gzipBegin returns where a gzip file begins.
func gzipBegin(c Content, taken Places) int64 {
	if hasAny(piece(c, 0, 3), gzipMagic) && !taken.hold(0) {
		return 0
	}
	return beginOf(c, taken, gzipMagic, 0, isGzip)
}

const gzipMagic = "\x1f\x8b\x08"

// isGzip reports whether a gzip file as programs write them begins with head, as far as that can be
// unpacked.
func isGzip(head []byte) bool {
	if len(head) < 18 || head[3]&0xe0 != 0 || head[8] > 4 || head[9] > 13 && head[9] != 0xff {
		return false
	}
	if head[3] != 0 {
		return true // a name or the like is before the data
	}
	r := inflate.Borrow()
	defer r.GiveBack()
	r.Reset(bufio.NewReader(bytes.NewReader(head[10:])), nil, func(int64) {})
	_, err := r.Read(make([]byte, 1))
	return err == nil || err == io.EOF || err == io.ErrUnexpectedEOF
}

func (bzip2Format) inside(c Content, taken Places) bool { return bzip2Begin(c, taken) >= 0 }

// bzip2Begin returns where a bzip2 file begins.
func bzip2Begin(c Content, taken Places) int64 {
	if (bzip2Format{}).Match(piece(c, 0, HeadSize), c) && !taken.hold(0) {
		return 0
	}
	return beginOf(c, taken, bzip2Block, 4, func(head []byte) bool { return bzip2Format{}.Match(head, nil) })
}

const bzip2Block = "\x31\x41\x59\x26\x53\x59" // begins a block

func (xzFormat) inside(c Content, taken Places) bool { return xzBegin(c, taken) >= 0 }

// xzBegin returns where an xz file begins: at the first byte, whatever its header says, or at a header with
// the right checksum.
func xzBegin(c Content, taken Places) int64 {
	if hasAny(piece(c, 0, 6), xzMagic) && !taken.hold(0) {
		return 0
	}
	return beginOf(c, taken, xzMagic, 0, func(head []byte) bool { return len(head) >= 12 && crc32.ChecksumIEEE(head[6:8]) == le32(head[8:]) })
}

func (zstdFormat) inside(c Content, taken Places) bool { return zstdBegin(c, taken) >= 0 }

// zstdBegin returns where a Zstandard file begins.
func zstdBegin(c Content, taken Places) int64 {
	if (zstdFormat{}).Match(piece(c, 0, HeadSize), c) && !taken.hold(0) {
		return 0
	}
	return beginOf(c, taken, zstdMagic, 0, func(head []byte) bool {
		var h zstd.Header
		return h.Decode(head) == nil && h.FirstBlock.OK
	})
}

const zstdMagic = "\x28\xb5\x2f\xfd"

func (arjFormat) inside(c Content, taken Places) bool { return arjBegin(c, taken) >= 0 }

// arjBegin returns where an ARJ archive begins: with its main header, whose checksum is right.
func arjBegin(c Content, taken Places) int64 {
	if (arjFormat{}).Match(piece(c, 0, HeadSize), c) && !taken.hold(0) {
		return 0
	}
	tries := 0
	return eachBegin(c, 0, arjMagic, 0, func(head []byte, at int64) bool {
		if taken.hold(at) || !nearlyARJ(head) {
			return false
		}
		tries++
		h, err := readARJ(c, at)
		return err == nil && h != nil || tries > falseBegins
	})
}

// nearlyARJ reports whether head may begin with a main header, before its checksum is asked.
func nearlyARJ(head []byte) bool {
	if len(head) < 4+arjLeast {
		return false
	}
	size := int64(le16(head[2:]))
	return size >= arjLeast && size <= arjHeader && head[4] >= arjLeast && int64(head[4]) <= size && head[10] == arjMain
}
