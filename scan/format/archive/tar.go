package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
)

// tarFormat reads tar in the dialects of V7, ustar, PAX and GNU, through
// archive/tar. After a damaged header it looks for the next good one, as tar(1)
// does.
type tarFormat struct{}

// tarBlock is the unit of a tar file.
const tarBlock = 512

func (tarFormat) Name() string { return "tar" }

func (tarFormat) Match(head []byte, _ Content) bool {
	return len(head) >= tarBlock && tarHeader(head[:tarBlock])
}

// tarHeader reports whether the block is a tar header: its checksum, taken with
// the checksum field blank, is the only mark all dialects share.
func tarHeader(block []byte) bool {
	field := bytes.Trim(block[148:156], " \x00")
	want, err := strconv.ParseInt(string(field), 8, 64)
	if err != nil || block[0] == 0 {
		return false
	}
	var unsigned, signed int64
	for i, c := range block {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

func (tarFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	t := &tarWalk{walk: begin(ctx, c, b, visit)}
	for from := int64(0); from < c.Size(); {
		in := &counted{r: io.NewSectionReader(c, from, c.Size()-from)}
		t.in, t.from = in, from
		err := t.run(tar.NewReader(in))
		if stop, ok := err.(walkError); ok {
			return t.end(stop.error)
		}
		if err != nil {
			t.note(damagedContainer, "at byte %d: %v", from+in.n, err)
		}
		t.hidden = err == nil
		from = nextTarHeader(c, from+max(in.n, tarBlock))
	}
	return t.end(ctx.Err())
}

type tarWalk struct {
	*walk
	in     *counted // of the run that is walked
	from   int64    // where that began
	hidden bool     // beyond the end mark, which only tar --ignore-zeros reads over
}

// run walks one run of members without damage between them; nil at the end mark.
func (t *tarWalk) run(r *tar.Reader) error {
	for {
		var h *tar.Header
		err := safely(func() (err error) { h, err = r.Next(); return err })
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if err := t.one(h, r); err != nil {
			return stop(err)
		}
	}
}

func (t *tarWalk) one(h *tar.Header, body io.Reader) error {
	m := Member{Names: distinct(h.Name), Size: h.Size, Hidden: t.hidden}
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return t.enter()
	case tar.TypeReg:
		m.Places = t.place(h)
	case tar.TypeSymlink, tar.TypeLink:
		m.Link = true
		if h.Size == 0 {
			body = bytes.NewReader([]byte(h.Linkname))
		}
	}
	if m.Hidden {
		t.noteNext(hiddenMember, "%s stands after the end of the archive", m.name())
	}
	return t.member(m, body)
}

// place is where a file stands that is not stored as sparse: behind its header,
// which was just read.
func (t *tarWalk) place(h *tar.Header) Places {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return nil
		}
	}
	at := t.from + t.in.n
	return Places{{at, at + h.Size}}
}

// nextTarHeader finds the next block with a valid checksum at or after from, or
// the end of the content.
func nextTarHeader(c Content, from int64) int64 {
	from = (from + tarBlock - 1) / tarBlock * tarBlock
	block := make([]byte, tarBlock)
	for ; from < c.Size(); from += tarBlock {
		if n, _ := c.ReadAt(block, from); n == tarBlock && tarHeader(block) {
			return from
		}
	}
	return from
}

// counted counts the bytes read from r.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
