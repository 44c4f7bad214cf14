package archive

import (
	"bufio"
	"encoding/binary"
	"io"
	"slices"
)

// The sizes of the fixed parts of zip's structures, signatures included.
const (
	zipLocalSize   = 30
	zipCentralSize = 46
	zipEndSize     = 22
	zipLocatorSize = 20
	zip64EndSize   = 56
	zipTail        = zipEndSize + 1<<16 // where the end record of a proper zip is
	zipAsk64       = 1<<32 - 1          // "look at the zip64 field"
	zipEndMark     = "PK\x05\x06"
)

// zipEnd is an end-of-central-directory record, APPNOTE 4.3.16, or its zip64
// form, 4.3.14.
type zipEnd struct {
	pos     int64 // of the 32-bit record
	top     int64 // where the directory must have ended: pos, or the zip64 record
	end     int64 // of the 32-bit record and its comment
	disk    uint32
	entries uint64
	size    int64
	offset  int64
}

// endsIn finds the end records between from and to, and their zip64 forms too:
// some programs prefer one, some the other.
func (z *zipFile) endsIn(from, to int64) []zipEnd {
	var ends []zipEnd
	for len(ends) < 64 && z.tries < zipTries {
		pos := find(z.c, zipEndMark, from, to)
		if pos < 0 {
			break
		}
		from = pos + 4
		z.tries++
		b := z.at(pos, zipEndSize)
		if b == nil {
			continue
		}
		e := zipEnd{
			pos: pos, top: pos, end: pos + zipEndSize + int64(le16(b[20:])), disk: uint32(le16(b[4:])),
			entries: uint64(le16(b[10:])), size: int64(le32(b[12:])), offset: int64(le32(b[16:])),
		}
		if wide, ok := z.end64(e); ok {
			ends = append(ends, wide)
			if e.offset == zipAsk64 || e.size == zipAsk64 {
				continue
			}
		}
		ends = append(ends, e)
	}
	return ends
}

// end64 reads the zip64 record the locator before e points to.
func (z *zipFile) end64(e zipEnd) (zipEnd, bool) {
	l := z.at(e.pos-zipLocatorSize, zipLocatorSize)
	if l == nil || !hasAny(l, "PK\x06\x07") {
		return e, false
	}
	// Data before the zip shifts the offset; the record mostly is right
	// before its locator.
	for _, pos := range []int64{int64(le64(l[8:])), e.pos - zipLocatorSize - zip64EndSize} {
		b := z.at(pos, zip64EndSize)
		if b == nil || !hasAny(b, "PK\x06\x06") {
			continue
		}
		e.top, e.disk = pos, le32(b[16:])
		e.entries, e.size, e.offset = le64(b[32:]), int64(le64(b[40:])), int64(le64(b[48:]))
		return e, true
	}
	return e, false
}

// places returns the directories an end record may mean: the one it points to, and
// the one before it if data was put before the zip. They differ for good reason
// in self-extracting files, and for bad reason in others.
func (z *zipFile) places(e zipEnd) []zipDirectory {
	var found []zipDirectory
	for _, start := range []int64{e.top - e.size, e.offset} {
		sig := z.at(start, 4)
		if sig == nil || start > e.top || len(found) > 0 && found[0].start == start {
			continue
		}
		if e.entries == 0 && e.size == 0 && start == e.top || hasAny(sig, "PK\x01\x02") {
			found = append(found, zipDirectory{start: start, base: start - e.offset, record: span{e.top, e.end}})
		} else if hasAny(sig, "PK\x06\x08") {
			z.sealed = true
		}
	}
	return found
}

// centrals reads central headers from pos on for as long as they go on, whatever
// the end record says of their number. It returns where they end.
func (z *zipFile) centrals(pos int64) ([]*zipHeader, int64) {
	in := bufio.NewReaderSize(io.NewSectionReader(z.c, pos, max(0, z.size-pos)), int(min(max(z.size-pos, 512), 1<<16)))
	var headers []*zipHeader
	var room []byte
	for int64(len(headers)+len(z.entries)) < z.limit {
		b, err := in.Peek(zipCentralSize)
		if err != nil || !hasAny(b, "PK\x01\x02") {
			break
		}
		name, extra, comment := int(le16(b[28:])), int(le16(b[30:])), int(le16(b[32:]))
		room = slices.Grow(room[:0], zipCentralSize+name+extra)
		fixed := room[:zipCentralSize+name+extra]
		if _, err := io.ReadFull(in, fixed); err != nil {
			break
		}
		in.Discard(comment)
		pos += int64(len(fixed) + comment)
		headers = append(headers, centralHeader(fixed, fixed[zipCentralSize:zipCentralSize+name], fixed[zipCentralSize+name:]))
	}
	return headers, pos
}

// local reads the local header at pos, nil if there is none.
func (z *zipFile) local(pos int64) *zipHeader {
	b := z.at(pos, zipLocalSize)
	if b == nil || !hasAny(b, "PK\x03\x04") {
		return nil
	}
	name, extra := int64(le16(b[26:])), int64(le16(b[28:]))
	rest := z.at(pos+zipLocalSize, name+extra)
	if rest == nil { // cut off: whatever is left may be the name
		rest = z.at(pos+zipLocalSize, z.size-pos-zipLocalSize)
		name = min(name, int64(len(rest)))
	}
	return localHeader(pos, b, rest[:name], rest[name:])
}

// at reads n bytes at pos, nil if they are not all there.
func (z *zipFile) at(pos, n int64) []byte {
	if pos < 0 || n < 0 || pos > z.size || n > z.size-pos {
		return nil
	}
	b := make([]byte, n)
	if got, _ := z.c.ReadAt(b, pos); int64(got) < n {
		return nil
	}
	return b
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
