package archive

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// piece reads up to n bytes at off: fewer where the content ends. It allocates
// no more than there is.
func piece(c Content, off, n int64) []byte {
	if off < 0 || n <= 0 || off >= c.Size() {
		return nil
	}
	b := make([]byte, min(n, c.Size()-off))
	got, _ := c.ReadAt(b, off)
	return b[:got]
}

// fixed reads the n bytes at off, or nil if they are not all there.
func fixed(c Content, off, n int64) []byte {
	if off < 0 || off > c.Size()-n {
		return nil
	}
	if b := piece(c, off, n); int64(len(b)) == n {
		return b
	}
	return nil
}

// stretch reads n bytes at off, or as many as there are and then an error.
func stretch(c Content, off, n int64) io.Reader {
	off = min(max(off, 0), c.Size())
	return &exactly{io.NewSectionReader(c, off, c.Size()-off), n}
}

// cstring returns b up to its first NUL, and what follows that; ok is false without
// a NUL.
func cstring(b []byte) (s string, rest []byte, ok bool) {
	text, rest, ok := bytes.Cut(b, []byte{0})
	return string(text), rest, ok
}

// lastName returns what a path that was made on another system ends with.
func lastName(path string) string {
	return path[strings.LastIndexAny(path, `/\:`)+1:]
}

// largest is what sizes beyond all reason are cut to.
const largest = 1<<62 - 1

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
