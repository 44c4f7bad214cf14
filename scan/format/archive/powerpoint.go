package archive

import (
	"bufio"
	"io"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// slideObjects hands over the objects that are embedded in a presentation: each a
// compound file, in a separate record of the stream "PowerPoint Document",
// MS-PPT section 2.10.34.
func (w *walk) slideObjects(c Content) error {
	const object, packed = 0x1011, 1 << 4
	for at := int64(0); ; {
		head := fixed(c, at, 8)
		if head == nil {
			return nil
		}
		size := int64(le32(head[4:]))
		at += 8
		if le16(head[2:]) == object {
			src := stretch(c, at, size)
			if le16(head)&packed != 0 {
				src = &enough{r: w.inflated(stretch(c, at+4, size-4)), left: declared(c, at)}
			}
			if err := w.member(Member{Names: []string{"ExOleObjStg"}, Size: -1}, src); err != nil {
				return err
			}
		}
		at += size
	}
}

// declared returns how long an object is unpacked, as it says itself.
func declared(c Content, at int64) int64 {
	if b := fixed(c, at, 4); b != nil {
		return int64(le32(b))
	}
	return largest
}

// enough reads what has all its bytes once it has as many as it declared:
// PowerPoint ends packed objects with a flush (RFC 1979, section 2.1) and no last
// block.
type enough struct {
	r    io.Reader
	left int64
}

func (e *enough) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if err == io.ErrUnexpectedEOF && e.left <= 0 {
		err = io.EOF
	}
	return n, err
}

// unzlib reads zlib data (RFC 1950) up to their end or the first damage. Neither
// their header nor their checksum is held against them.
type unzlib struct {
	in     *bufio.Reader
	budget *Budget
	r      *inflate.Reader
}

// inflated undoes zlib.
func (w *walk) inflated(r io.Reader) io.Reader {
	w.cost = codecDeflate
	return &unzlib{in: bufio.NewReader(w.feed(r)), budget: w.budget}
}

func (u *unzlib) Read(p []byte) (n int, err error) {
	if u.r == nil {
		if head, _ := u.in.Peek(2); len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
			u.in.Discard(2)
		}
		u.r = new(inflate.Reader)
		u.r.Reset(u.in, nil, u.budget.Inflated)
	}
	return u.r.Read(p)
}
