package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errBlocks means that the blocks of an archive are wrong in a way of which the decoder says
// nothing.
var errBlocks = errors.New("blocks")

// rarFile is what the block of a file says of its data.
type rarFile struct {
	packed, size int64
	stored       bool // as it is, whole and not encrypted
}

// checkBlocks follows the blocks of a RAR archive that begins at off, and returns an error if
// data go on after the end of the content, which the decoder takes for the end of the archive, or if
// a file that is stored as it is has other bytes than it says: some programs go by one
// number, some by the other.
func checkBlocks(c Content, off int64, most int64) error {
	next := nextRAR4
	if hasAny(piece(c, off, 8), rarMagic+"\x01") {
		next, off = nextRAR5, off+1
	}
	off += int64(len(rarMagic)) + 1
	for range most {
		f, end, err := next(c, off)
		switch {
		case err != nil || end <= off:
			return err
		case end > c.Size():
			return fmt.Errorf("%w: that at byte %d goes on %d bytes after the end", errBlocks, off, end-c.Size())
		case f.stored && f.packed != f.size:
			return fmt.Errorf("%w: that at byte %d has %d bytes for a file of %d", errBlocks, off, f.packed, f.size)
		}
		off = end
	}
	return nil
}

// The kinds of block and the flags of RAR 1.5 to 4 that matter here.
const (
	rar4Head     = 0x73
	rar4FileKind = 0x74
	rar4End      = 0x7b
	rar4Locked   = 0x80   // of the archive: all blocks are encrypted
	rar4Split    = 1 | 2  // the file goes on in another volume
	rar4Secret   = 4      // the file is encrypted
	rar4Large    = 0x100  // its sizes have 64 bits
	rar4Data     = 0x8000 // data follow the block
	rar4Stored   = 0x30
	rar4FileHead = 32
)

// nextRAR4 reads the block at off and returns where the next is; off where there is none.
func nextRAR4(c Content, off int64) (f rarFile, end int64, err error) {
	b := fixed(c, off, 7)
	if b == nil {
		return f, off, nil
	}
	kind, flags := b[2], int(le16(b[3:]))
	end = off + int64(le16(b[5:]))
	if kind == rar4End || kind == rar4Head && flags&rar4Locked != 0 {
		return f, off, nil
	}
	if kind != rar4FileKind {
		if b = fixed(c, off, 11); flags&rar4Data != 0 && b != nil {
			end += int64(le32(b[7:]))
		}
		return f, end, nil
	}
	if b = fixed(c, off, rar4FileHead); b == nil {
		return f, off, nil
	}
	f.packed, f.size = int64(le32(b[7:])), int64(le32(b[11:]))
	if high := fixed(c, off+rar4FileHead, 8); flags&rar4Large != 0 && high != nil {
		f.packed, f.size = f.packed|int64(le32(high)&0x7fffffff)<<32, f.size|int64(le32(high[4:])&0x7fffffff)<<32
	}
	f.stored = b[25] == rar4Stored && flags&(rar4Split|rar4Secret) == 0
	return f, end + f.packed, nil
}

// The kinds of block and the flags of RAR 5 and 7 that matter here.
const (
	rar5FileKind = 2
	rar5Service  = 3
	rar5End      = 5

	rar5Split   = 8 | 0x10
	rar5Time    = 2       // of a file: it has a time
	rar5Sum     = 4       // it has a checksum
	rar5Unknown = 8       // its size is not known
	rar5Longest = 2 << 20 // of a block
)

// vints reads numbers of RAR 5 one after the other.
type vints struct {
	b   []byte
	bad bool
}

func (v *vints) next() int64 {
	n, used := binary.Uvarint(v.b)
	if used <= 0 || n > 1<<62 {
		v.bad = true
		return 0
	}
	v.b = v.b[used:]
	return int64(n)
}

func (v *vints) skip(n int64) {
	if n < 0 || n > int64(len(v.b)) {
		v.bad = true
		return
	}
	v.b = v.b[n:]
}

// nextRAR5 reads the block at off and returns where the next is; off where there is none.
func nextRAR5(c Content, off int64) (f rarFile, end int64, err error) {
	head := vints{b: piece(c, off+4, 3)}
	size := head.next()
	start := off + 4 + 3 - int64(len(head.b))
	if head.bad || size == 0 || size > rar5Longest {
		return f, off, nil
	}
	v := vints{b: piece(c, start, size)}
	kind, flags := v.next(), v.next()
	if v.bad || kind == rar5Encryption || kind == rar5End {
		return f, off, nil
	}
	var extra int64
	if flags&rar5Extra != 0 {
		extra = v.next()
	}
	if flags&rar5Data != 0 {
		f.packed = v.next()
	}
	if kind == rar5FileKind {
		v.file(&f, extra, flags)
	}
	if v.bad || f.packed > 1<<61 {
		return rarFile{}, off, nil
	}
	return f, start + size + f.packed, nil
}

// file reads what follows in the block of a file that has so many bytes of extra records.
func (v *vints) file(f *rarFile, extra, flags int64) {
	own := v.next()
	f.size = v.next()
	v.next() // attributes
	if own&rar5Time != 0 {
		v.skip(4)
	}
	if own&rar5Sum != 0 {
		v.skip(4)
	}
	method := v.next() >> 7 & 7
	f.stored = method == 0 && own&rar5Unknown == 0 && flags&rar5Split == 0 && !v.encrypted(extra)
}

// encrypted reports whether one of the extra records at the end of the block says that the file
// is.
func (v *vints) encrypted(extra int64) bool {
	r := vints{b: v.b[max(0, int64(len(v.b))-extra):]}
	for len(r.b) > 0 && !r.bad {
		size := r.next()
		before := len(r.b)
		if r.next() == rar5Encrypted {
			return true
		}
		r.skip(size - int64(before-len(r.b)))
	}
	return r.bad
}
