package document

import (
	"bytes"
	"encoding/binary"
)

// lineCount is how many lines code has, and how many of them hold any.
type lineCount struct{ all, code int }

// compiledLines counts the lines of compiled code in the cache of a module. The
// table of lines is not documented; it follows the magic number 0xCAFE, a version
// and the number of lines, with twelve bytes for each: four of flags, the length
// of the line's code, two more, and where that begins.
func compiledLines(cache []byte) lineCount {
	mark := []byte("\xfe\xca\x01\x00")
	for at := bytes.LastIndex(cache, mark); at >= 0; at = bytes.LastIndex(cache[:at], mark) {
		if n, ok := lineTable(cache[at+len(mark):]); ok {
			return n
		}
	}
	return lineCount{}
}

// lineTable reads the table of lines; it is none if a line lies outside of the
// code after it.
func lineTable(b []byte) (n lineCount, ok bool) {
	if len(b) < 2 {
		return n, false
	}
	n.all = int(binary.LittleEndian.Uint16(b))
	const entrySize, behind = 12, 10
	code := 2 + n.all*entrySize + behind
	if code > len(b) {
		return n, false
	}
	for i := range n.all {
		entry := b[2+i*entrySize:]
		length := int64(binary.LittleEndian.Uint16(entry[4:]))
		start := int64(binary.LittleEndian.Uint32(entry[8:]))
		if length == 0 || start == 0xffffffff {
			continue
		}
		if start+length > int64(len(b)-code)+entrySize {
			return n, false
		}
		n.code++
	}
	return n, true
}
