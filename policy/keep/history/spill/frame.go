package spill

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"

	"github.com/milterscan/milterscan/policy"
)

// A file begins with magic. Then each record follows as JSON, after its length and a checksum of it, of four bytes
// each with the least significant first.
const (
	magic    = "milterscan records 1\n"
	header   = 8
	most     = 64 << 20 // bytes of a record; no record has so many
	noFollow = syscall.O_NOFOLLOW
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frames returns records as a file has them, as many as there is room for.
func frames(records []policy.Record, room int64) (text []byte, n int, err error) {
	for _, r := range records {
		one := r.JSON()
		if int64(len(text)+header+len(one)) > room {
			return text, n, errIfNone(n)
		}
		text = binary.LittleEndian.AppendUint32(text, uint32(len(one)))
		text = binary.LittleEndian.AppendUint32(text, crc32.Checksum(one, castagnoli))
		text, n = append(text, one...), n+1
	}
	return text, n, nil
}

func errIfNone(n int) error {
	if n == 0 {
		return errFull
	}
	return nil
}

// reader reads the records of a file.
type reader struct {
	file *os.File
	in   *bufio.Reader
	at   int64 // where the next record begins
	size int64
}

// errTorn says that the rest of a file is no whole record.
var errTorn = errors.New("what follows is no whole record")

// open opens a file to read on where a record begins; 0 is the first.
func open(path string, at int64) (*reader, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	r := &reader{file: f, at: at, size: info.Size()}
	if at == 0 {
		begin := make([]byte, len(magic))
		_, err := io.ReadFull(f, begin)
		if err = torn(err); err == nil && string(begin) != magic {
			err = errTorn
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r.at = int64(len(magic))
	}
	r.in = bufio.NewReaderSize(io.NewSectionReader(f, r.at, r.size-r.at), 64<<10)
	return r, nil
}

// torn returns errTorn for an error that says where a file ends. Any other is one of the disk, which says nothing of
// what the file holds.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// next returns the JSON of the next record; io.EOF after the last one, errTorn where there is none.
func (r *reader) next() ([]byte, error) {
	var head [header]byte
	if _, err := io.ReadFull(r.in, head[:]); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, torn(err)
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n == 0 || n > most || n > r.size-r.at-header {
		return nil, errTorn
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r.in, text); err != nil {
		return nil, torn(err)
	}
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	r.at += header + n
	return text, nil
}

// left returns how many bytes have not been read.
func (r *reader) left() int64 { return r.size - r.at }

// count returns how many whole records a file has, and where the last of them ends. The error says that there may be
// more, which cannot be read.
func count(path string) (n, whole int64, err error) {
	r, err := open(path, 0)
	if errors.Is(err, errTorn) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer r.file.Close()
	for {
		_, err := r.next()
		switch {
		case err == nil:
			n++
		case ended(err):
			return n, r.at, nil
		default:
			return n, r.at, err
		}
	}
}

// ended reports whether an error of next says that there are no more records.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, errTorn) }
