package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"unicode/utf16"
)

// sevenZipHeader reads the directory of a 7z (7zFormat.txt of the LZMA SDK) as far as
// it must be understood to leave out of it what the library refuses and 7-Zip reads
// over: properties of the archive, additional streams, places, comments and times of
// files.
type sevenZipHeader struct {
	b     []byte
	bad   bool
	coded []sevenZipCost // of the folders that were skipped

	additional []byte                      // the description of the additional streams
	unpack     func(streams []byte) []byte // returns the one stream that is described so, nil if it cannot
}

// Kinds of property.
const (
	sevenEnd = iota
	sevenMain
	sevenArchiveProperties
	sevenAdditional
	sevenStreams
	sevenFiles
	sevenPack
	sevenUnpack
	sevenSub
	sevenSize
	sevenCRC
	sevenFolder
	sevenCodersSize
	sevenNumStreams
	sevenEmptyStream
	sevenEmptyFile
	sevenAnti
	sevenName
	sevenWinAttributes = 21
	sevenEncoded       = 23
)

// sevenStart is the length of the start header.
const sevenStart = 32

func (h *sevenZipHeader) byte() byte {
	if len(h.b) == 0 {
		h.bad = true
		return 0
	}
	c := h.b[0]
	h.b = h.b[1:]
	return c
}

// skip goes past n bytes and returns them.
func (h *sevenZipHeader) skip(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.bad, h.b = true, nil
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// number reads a number: the ones that its first byte begins with say how many
// bytes follow.
func (h *sevenZipHeader) number() uint64 {
	first := h.byte()
	n := uint64(0)
	for i, mask := 0, byte(0x80); i < 8; i, mask = i+1, mask>>1 {
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(h.byte()) << (8 * i)
	}
	return n
}

// count returns a number of things, of which each takes some room in the rest of the
// header.
func (h *sevenZipHeader) count() int {
	n := h.number()
	if n > uint64(len(h.b))*8 { // bits say whether there is one
		h.bad = true
		return 0
	}
	return int(n)
}

// defined reads which of n things are defined, and how many.
func (h *sevenZipHeader) defined(n int) int {
	if h.byte() != 0 {
		return n
	}
	defined := 0
	for i, b := 0, h.skip(uint64(n+7)/8); i < n && i/8 < len(b); i++ {
		if b[i/8]&(0x80>>(i%8)) != 0 {
			defined++
		}
	}
	return defined
}

func (h *sevenZipHeader) digests(n int) { h.skip(4 * uint64(h.defined(n))) }

// streams skips the description of streams.
func (h *sevenZipHeader) streams() {
	var folders []int // streams in each
	for !h.bad {
		switch h.byte() {
		case sevenEnd:
			return
		case sevenPack:
			h.packed()
		case sevenUnpack:
			folders = h.folders()
		case sevenSub:
			h.substreams(folders)
		default:
			h.bad = true
		}
	}
}

func (h *sevenZipHeader) packed() {
	h.number()
	n := h.count()
	for !h.bad {
		switch h.byte() {
		case sevenEnd:
			return
		case sevenSize:
			for i := 0; i < n && !h.bad; i++ {
				h.number()
			}
		case sevenCRC:
			h.digests(n)
		default:
			h.bad = true
		}
	}
}

// folders skips the coders. Its result has the streams of each folder, one
// as long as nothing else is said, and none where its checksum is not known.
func (h *sevenZipHeader) folders() []int {
	if h.byte() != sevenFolder {
		h.bad = true
		return nil
	}
	n := h.count()
	if h.byte() != 0 { // elsewhere
		h.bad = true
	}
	outs := 0
	for i := 0; i < n && !h.bad; i++ {
		outs += h.folder()
	}
	var known []int
	for !h.bad {
		switch h.byte() {
		case sevenEnd:
			if known == nil {
				known = make([]int, n)
			}
			return known
		case sevenCodersSize:
			for i := 0; i < outs && !h.bad; i++ {
				h.number()
			}
		case sevenCRC:
			known = h.each(n)
			for _, k := range known {
				h.skip(4 * uint64(k))
			}
		default:
			h.bad = true
		}
	}
	return nil
}

// each reads which of n things are defined, 1 for each that is.
func (h *sevenZipHeader) each(n int) []int {
	all := make([]int, n)
	every := h.byte() != 0
	var b []byte
	if !every {
		b = h.skip(uint64(n+7) / 8)
	}
	for i := range all {
		if every || i/8 < len(b) && b[i/8]&(0x80>>(i%8)) != 0 {
			all[i] = 1
		}
	}
	return all
}

// folder skips one folder, all but what it costs, and returns how many streams its coders
// write.
func (h *sevenZipHeader) folder() int {
	ins, outs := 0, 0
	var cost sevenZipCost
	for n := h.count(); n > 0 && !h.bad; n-- {
		flags := h.byte()
		method := h.skip(uint64(flags & 0x0f))
		in, out := 1, 1
		if flags&0x10 != 0 {
			in, out = h.count(), h.count()
		}
		var properties []byte
		if flags&0x20 != 0 {
			properties = h.skip(h.number())
		}
		cost.add(method, properties)
		ins, outs = ins+in, outs+out
	}
	h.coded = append(h.coded, cost)
	for i := 0; i < 2*(outs-1) && !h.bad; i++ {
		h.number()
	}
	if packed := ins - outs + 1; packed > 1 {
		for i := 0; i < packed && !h.bad; i++ {
			h.number()
		}
	}
	return outs
}

// substreams skips the description of how folders are divided. Known says of which folders the
// checksum was there.
func (h *sevenZipHeader) substreams(known []int) {
	streams := make([]int, len(known))
	for i := range streams {
		streams[i] = 1
	}
	for !h.bad {
		switch h.byte() {
		case sevenEnd:
			return
		case sevenNumStreams:
			for i := range streams {
				streams[i] = h.count()
			}
		case sevenSize:
			for _, n := range streams {
				for i := 1; i < n && !h.bad; i++ {
					h.number()
				}
			}
		case sevenCRC:
			missing := 0
			for i, n := range streams {
				if n != 1 || known[i] == 0 {
					missing += n
				}
			}
			h.digests(missing)
		default:
			h.bad = true
		}
	}
}

// bareDirectory returns the directory after all packing, nil if it cannot be unpacked.
func bareDirectory(c Content, at int64, w *windows) []byte {
	header := sevenZipDirectory(c, at)
	for range 4 { // a directory that is packed may be packed again
		if len(header) == 0 || header[0] != sevenEncoded {
			break
		}
		header = unpackedDirectory(c, at, header[1:], w)
	}
	return header
}

// sevenZipDirectory returns the directory as it is stored.
func sevenZipDirectory(c Content, at int64) []byte {
	start := fixed(c, at, sevenStart)
	if start == nil || le64(start[20:]) > maxSevenZipHeader || le64(start[12:]) > uint64(c.Size()) {
		return nil
	}
	return fixed(c, at+sevenStart+int64(le64(start[12:])), int64(le64(start[20:])))
}

// unpackedDirectory unpacks a directory: the library reads it as the one file of an
// archive that consists of it.
func unpackedDirectory(c Content, at int64, streams []byte, w *windows) []byte {
	header := append([]byte{sevenMain, sevenStreams}, streams...)
	header = append(header, sevenFiles, 1, sevenName, 5, 0, 'a', 0, 0, 0, sevenEnd, sevenEnd)
	r, err := openSevenZip(withDirectory(c, at, header), "", w)
	if err != nil || len(r.File) != 1 {
		return nil
	}
	body, err := openMember(r.File[0], w)
	if err != nil {
		return nil
	}
	defer safely(body.Close)
	var out bytes.Buffer
	if _, err := io.Copy(&out, io.LimitReader(&guarded{body}, maxSevenZipHeader)); err != nil {
		return nil
	}
	return out.Bytes()
}

// guarded is a reader whose panics are errors.
type guarded struct{ r io.Reader }

func (g *guarded) Read(p []byte) (int, error) { return readSafely(g.r, p) }

// withDirectory returns the archive with another directory at its end.
func withDirectory(c Content, at int64, header []byte) Content {
	start := piece(c, at, sevenStart)
	binary.LittleEndian.PutUint64(start[12:], uint64(c.Size()-at-sevenStart))
	binary.LittleEndian.PutUint64(start[20:], uint64(len(header)))
	binary.LittleEndian.PutUint32(start[28:], crc32.ChecksumIEEE(header))
	binary.LittleEndian.PutUint32(start[8:], crc32.ChecksumIEEE(start[12:]))
	return &spliced{c, at, start, header}
}

// spliced is an archive whose start and end are replaced.
type spliced struct {
	c     Content
	at    int64
	start []byte
	end   []byte
}

// Size returns the size of the whole archive.
func (s *spliced) Size() int64 { return s.c.Size() - s.at + int64(len(s.end)) }

// ReadAt reads as io.ReaderAt says.
func (s *spliced) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		var m int
		switch whole := s.c.Size() - s.at; {
		case at < sevenStart:
			m = copy(p[n:], s.start[at:])
		case at < whole:
			m, _ = s.c.ReadAt(p[n:][:min(int64(len(p)-n), whole-at)], s.at+at)
		case at < s.Size():
			m = copy(p[n:], s.end[at-whole:])
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

// namesOf hands over texts that look like names of files in a directory that could not
// be read: they are to be judged all the same.
func (w *sevenZipWalk) namesOf(header []byte) error {
	for _, name := range wideStrings(header) {
		if !isFileName(lastName(name)) {
			continue
		}
		if err := w.member(Member{Names: []string{name}, Size: -1}, nil); err != nil {
			return err
		}
	}
	return nil
}

// wideStrings returns the texts in UTF-16 in b that end with a NUL, wherever they begin.
func wideStrings(b []byte) []string {
	var all []string
	for begin := range 2 {
		var units []uint16
		for i := begin; i+1 < len(b) && len(all) < oneNoteNames; i += 2 {
			u := le16(b[i:])
			if u == 0 && len(units) > 2 {
				all = append(all, string(utf16.Decode(units)))
			}
			if u < ' ' || u >= 0xd800 && u < 0xf900 || len(units) == maxWideName {
				units = units[:0]
				continue
			}
			units = append(units, u)
		}
	}
	return distinct(all...)
}
