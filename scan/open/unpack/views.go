package unpack

import (
	"errors"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// views makes parts of what a leaf holds beside its bytes as they are: files
// wrapped in a text that was decoded, and the text itself where its characters
// are not written as in ASCII.
func (w *work) views(in container, part int) error {
	p := w.m.Parts[part]
	if p.Content == nil || p.Opened {
		return nil
	}
	if p.Entity.Encoding != entity.Identity && (isText(&p) || isCMS(&p)) {
		if err := w.carved(in, part); err != nil {
			return err
		}
	}
	if isText(&p) {
		return w.text(in, part)
	}
	return nil
}

func isText(p *scan.Part) bool {
	return strings.HasPrefix(p.Type, "text/") || strings.HasPrefix(p.Sniffed, "text/")
}

// carved makes parts of files wrapped in a decoded leaf.
func (w *work) carved(in container, part int) error {
	p := w.m.Parts[part]
	within := container{part: part, path: p.Path, archives: in.archives, nested: in.nested}
	for _, e := range w.top.Carve(p.Content, p.Content.Size()) {
		if err := w.entity(within, p.Content, e); err != nil {
			return err
		}
	}
	return nil
}

// text makes a part of a text in UTF-8 if it is written in a charset in which
// ASCII looks different, such as UTF-16 or UTF-7: engines search bytes.
func (w *work) text(in container, part int) error {
	p := w.m.Parts[part]
	label := written(&p)
	if label == "" || charset.Transparent(label) {
		return nil
	}
	r, ok := charset.NewReader(label, scan.Reader(p.Content))
	if !ok {
		return nil
	}
	out := w.buffer()
	src := &source{r: r, late: w.late}
	switch _, err := io.Copy(&charged{out, w.budget}, src); {
	case errors.Is(src.err, errStopped):
		return w.tooLong()
	case errors.Is(err, archive.ErrLimit):
		return w.tooMuch()
	case err != nil && src.err == nil:
		return w.noRoom(err)
	}
	view := p
	view.Parent, view.Content, view.Path = part, out, p.Path+"~"+label
	_, err := w.add(view)
	return err
}

// written is the charset a text is written in: what its byte order mark says,
// else what its header does.
func written(p *scan.Part) string {
	var bom [2]byte
	if n, _ := p.Content.ReadAt(bom[:], 0); n == 2 && (bom == [2]byte{0xfe, 0xff} || bom == [2]byte{0xff, 0xfe}) {
		return "utf-16"
	}
	return p.Entity.Charset
}
