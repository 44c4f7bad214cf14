package unpack

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// views makes parts of what a leaf holds in addition to its plain bytes: files
// wrapped in a text that was decoded, and the text itself where its characters
// are not written as in ASCII.
func (w *work) views(in container, part int) error {
	p := w.m.Parts[part]
	if p.Content == nil || p.Opened {
		return nil
	}
	if p.Entity.Encoding != entity.Identity && (isText(&p) || isCMS(&p) || beginsWrapped(&p)) {
		if err := w.carved(in, part, w.top.Carve); err != nil {
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

// wrapped makes parts of files wrapped in a text that is a member of an archive, or
// in a file that is nothing else.
func (w *work) wrapped(in container, part int) error {
	p := &w.m.Parts[part]
	if p.Content == nil || p.Opened || !isText(p) && !beginsWrapped(p) {
		return nil
	}
	carve := w.top.Unwrap
	if isBase64(p) || holdsBase64(p) {
		carve = w.top.Carve
	}
	return w.carved(in, part, carve)
}

// holdsBase64 reports whether a file begins with lines of base64 and nothing else, also
// between lines as PEM has them.
func holdsBase64(p *scan.Part) bool {
	buf := scratch.Lend()
	defer buf.Return()
	head := bytes.TrimPrefix(buf.Head(p.Content, wrappedHead), []byte("\xef\xbb\xbf"))
	if begin, rest, ok := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n")); ok && bytes.HasPrefix(begin, []byte("-----BEGIN ")) {
		head, _, _ = bytes.Cut(rest, []byte("-----END "))
	}
	return entity.IsBase64(head)
}

// isBase64 reports whether a file has the name of those that programs for archives
// decode from base64, without any line that says so.
func isBase64(p *scan.Part) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool {
		switch strings.ToLower(path.Ext(strings.TrimRight(n, ". "))) {
		case ".b64", ".base64", ".mim", ".mme":
			return true
		}
		return false
	})
}

// beginsWrapped reports whether a file begins with another one that is wrapped. In
// yEnc, that is no text.
func beginsWrapped(p *scan.Part) bool {
	buf := scratch.Lend()
	defer buf.Return()
	found, _ := entity.Wrappings(bytes.NewReader(buf.Head(p.Content, wrappedHead)), 1)
	return len(found) > 0
}

// wrappedHead is how much of a file is searched for the line that begins another.
const wrappedHead = 4 << 10

// carved makes parts of files that carve finds wrapped in a decoded leaf or a member.
func (w *work) carved(in container, part int, carve func(io.ReaderAt, int64) []*entity.Entity) error {
	p := w.m.Parts[part]
	within := container{part: part, path: p.Path, archives: in.archives, nested: in.nested}
	w.budget.Work(p.Content.Size(), priceCarve)
	for _, e := range carve(p.Content, p.Content.Size()) {
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
		if label != "" && isPage(&p) && !charset.Known(label) && !showsTags(p.Content) {
			w.note(scan.Unscannable, "mime", "charset-unknown", part, label)
		}
		return nil
	}
	r, ok := charset.NewReader(label, scan.Reader(p.Content))
	if !ok {
		return nil
	}
	out := w.buffer(w.watches)
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

// isPage reports whether a part is declared to be a page with tags.
func isPage(p *scan.Part) bool {
	return p.Type == "text/html" || p.Type == "text/xml" || p.Type == "image/svg+xml" || p.Type == "application/xhtml+xml"
}

// pageHead is how much of a page is searched for tags.
const pageHead = 4 << 10

// showsTags reports whether a page has tags in ASCII, or is text without any: what
// a charset without ASCII in it has little of is printable ASCII.
func showsTags(c scan.Content) bool {
	head := make([]byte, min(c.Size(), pageHead))
	n, _ := c.ReadAt(head, 0)
	printable := 0
	for i, b := range head[:n] {
		if b == '<' && i+1 < n && (isLetter(head[i+1]) || head[i+1] == '!' || head[i+1] == '/' || head[i+1] == '?') {
			return true
		}
		if b == '\n' || b == '\r' || b == '\t' || b >= ' ' && b < 0x7f {
			printable++
		}
	}
	return n == 0 || 2*printable > n
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// written returns the charset a text is written in: what its byte order mark says,
// else what its header does.
func written(p *scan.Part) string {
	var head [4]byte
	n, _ := p.Content.ReadAt(head[:], 0)
	if label, _ := charset.Mark(head[:n]); label != "" && label != "utf-8" {
		return label
	}
	return p.Entity.Charset
}
