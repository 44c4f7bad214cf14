package edit

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// tarBlock is what everything in a tar is a multiple of.
const tarBlock = 512

// rebuildTar cuts out of a tar the members that go, with all headers that belong
// to them. Every other byte stays.
func (r *rebuilder) rebuildTar(c scan.Content, list *members) (scan.Content, error) {
	in := &counting{r: scan.Reader(c)}
	old := tar.NewReader(in)
	var splices []splice
	kept, at := 0, int64(0)
	for {
		h, err := old.Next()
		if err == io.EOF {
			break
		}
		if err != nil || isSparse(h) {
			return nil, errWhole
		}
		end := in.n + (h.Size+tarBlock-1)/tarBlock*tarBlock
		switch m := list.of(h.Name); {
		case m == nil && h.Typeflag == tar.TypeReg:
			kept++
		case m == nil:
		case m.gone:
			splices = append(splices, splice{entity.Span{Start: at, End: end}, text("")})
		default:
			with, err := r.tarMember(h, m)
			if err != nil {
				return nil, err
			}
			kept++
			splices = append(splices, splice{entity.Span{Start: at, End: end}, with})
		}
		at = end
	}
	if kept == 0 || !list.allFound() || at > c.Size() {
		return nil, errWhole
	}
	if notice := r.goneNotice(list); notice != "" {
		h := &tar.Header{Name: r.NoticeName, Mode: 0o644, Size: int64(len(notice)), Format: tar.FormatUSTAR}
		with, err := r.tarMember(h, &member{content: text(notice)})
		if err != nil {
			return nil, err
		}
		splices = append(splices, splice{entity.Span{Start: at, End: at}, with})
	}
	return patch(c, spanOf(c), splices)
}

// isSparse reports whether a member has holes, so that its size is not what it
// takes in the archive.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if len(key) > 10 && key[:10] == "GNU.sparse" {
			return true
		}
	}
	return false
}

// tarMember returns a member with new content, without what ends a tar.
func (r *rebuilder) tarMember(h *tar.Header, m *member) (scan.Content, error) {
	next := *h
	next.Size = m.content.Size()
	if m.renamed != "" {
		next.Name = m.renamed
	}
	return r.keep(func(to io.Writer) error {
		t := tar.NewWriter(to)
		if err := t.WriteHeader(&next); err != nil {
			return err
		}
		if _, err := io.Copy(t, scratch.Until(r.ctx.Err, scan.Reader(m.content))); err != nil {
			return err
		}
		return t.Flush()
	})
}

// counting counts the bytes read, and does not let its reader skip.
type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// rebuildGzip packs the new content of the one file in a gzip.
func (r *rebuilder) rebuildGzip(c scan.Content, list *members) (scan.Content, error) {
	if len(list.list) != 1 || list.list[0].gone {
		return nil, errWhole
	}
	old, err := gzip.NewReader(scan.Reader(c))
	if err != nil {
		return nil, errWhole
	}
	return r.keep(func(to io.Writer) error {
		z := gzip.NewWriter(to)
		z.Header = old.Header
		if _, err := io.Copy(z, scratch.Until(r.ctx.Err, scan.Reader(list.list[0].content))); err != nil {
			return err
		}
		return z.Close()
	})
}

// all reads a content that is small.
func all(c io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(c, limit+1))
	if err == nil && n > limit {
		err = errWhole
	}
	return b.Bytes(), err
}
