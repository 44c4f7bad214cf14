package edit

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// patch returns a stretch of a content with some spans of it replaced. Splices may
// touch each other, and come in any order, but not overlap: two edits that want
// the same bytes are an error.
func patch(c scan.Content, within entity.Span, splices []splice) (*patchwork, error) {
	splices = slices.Clone(splices)
	slices.SortStableFunc(splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.at.Start, b.at.Start), cmp.Compare(a.at.End, b.at.End))
	})
	out := new(patchwork)
	at := within.Start
	for _, s := range splices {
		if s.at.Start < at || s.at.End < s.at.Start || s.at.End > within.End {
			return nil, fmt.Errorf("two edits of the bytes from %d to %d", s.at.Start, s.at.End)
		}
		out.add(c, at, s.at.Start-at)
		out.add(s.with, 0, s.with.Size())
		at = s.at.End
	}
	out.add(c, at, within.End-at)
	return out, nil
}

// splice is a change by byte range: its content replaces the bytes of a span.
type splice struct {
	at   entity.Span
	with scan.Content
}

// patchwork is content made of pieces of others.
type patchwork struct {
	pieces []piece
	size   int64
}

// piece is a section of a content, and where in the whole it begins.
type piece struct {
	from    scan.Content
	off, at int64
	n       int64
}

func (p *patchwork) add(from scan.Content, off, n int64) {
	if n > 0 {
		p.pieces = append(p.pieces, piece{from, off, p.size, n})
		p.size += n
	}
}

// Size returns the number of bytes in all pieces.
func (p *patchwork) Size() int64 { return p.size }

// ReadAt reads across pieces.
func (p *patchwork) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	for i := p.find(off); i < len(p.pieces) && n < len(b); i++ {
		from := &p.pieces[i]
		skip := off + int64(n) - from.at
		want := min(int64(len(b)-n), from.n-skip)
		got, err := from.from.ReadAt(b[n:n+int(want)], from.off+skip)
		n += got
		if int64(got) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// find returns the index of the piece that holds an offset.
func (p *patchwork) find(off int64) int {
	return sort.Search(len(p.pieces), func(i int) bool { return p.pieces[i].at+p.pieces[i].n > off })
}
