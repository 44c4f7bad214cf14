package mtalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Place says how far a log has been read. It is kept together with the events that were
// read until there, so that after any end of the process nothing is read twice and
// nothing is left out. A file is known again by its inode and by how it begins, and by
// its beginning alone when it has been copied or compressed.
type Place struct {
	Inode  uint64 `json:"inode,omitempty"`
	Offset int64  `json:"offset,omitempty"` // of the first line that was not read, in the text without compression
	Head   string `json:"head,omitempty"`   // a hash of the first bytes
	Bytes  int64  `json:"bytes,omitempty"`  // how many bytes those are
	Within bool   `json:"within,omitempty"` // Offset is in a line that is too long to be read
	Cursor string `json:"cursor,omitempty"` // of the journal
}

// headBytes is how much of a file is hashed: a few lines with their times.
const headBytes = 1024

// headOf hashes the first bytes of a text, at most n, and returns how many those were.
func headOf(r io.Reader, n int64) (hash string, bytes int64, err error) {
	h := sha256.New()
	bytes, err = io.CopyN(h, r, n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if bytes == 0 {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), bytes, err
}

// begins reports whether a text begins as the file of the place did. A place in an empty
// file is in none.
func (p Place) begins(r io.Reader) bool {
	if p.Bytes == 0 {
		return false
	}
	hash, n, err := headOf(r, p.Bytes)
	return err == nil && n == p.Bytes && hash == p.Head
}

// beginsAt reports the same of a file that is open, whatever it was read to.
func (p Place) beginsAt(f *os.File) bool { return p.begins(io.NewSectionReader(f, 0, headBytes)) }

// isIn reports whether the place is in an open file: one that has not been cut off and
// filled again.
func (p Place) isIn(f *os.File, info fs.FileInfo) bool {
	if p.Bytes == 0 {
		return p.Inode != 0 && p.Inode == inodeOf(info)
	}
	return info.Size() >= p.Offset && p.beginsAt(f)
}
