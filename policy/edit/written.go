package edit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/scratch"
)

// written returns what an entity will hold, and the charset of that.
func (w *work) written(c *change) (scan.Content, string) {
	if c.body != nil {
		return c.body, c.charset
	}
	return w.Message.Parts[w.layout.part[c.entity]].Content, c.entity.Charset
}

// bannerInText puts a banner into plain text.
func (w *work) bannerInText(b Banner, c *change) error {
	banner := strings.Join(b.Text, w.newline)
	old, label := w.written(c)
	body, converted, err := w.fit(old, label, banner)
	if err != nil {
		return err
	}
	if holds(body, b.Position, banner) {
		return nil
	}
	at := entity.Span{Start: body.Size(), End: body.Size()}
	with := w.newline + banner + w.newline
	if tail := tail(body, int64(len(w.newline))); b.Position == Top {
		at, with = entity.Span{}, banner+w.newline+w.newline
	} else if tail != w.newline && body.Size() > 0 {
		with = w.newline + with
	}
	next, err := patch(body, spanOf(body), []splice{{at, text(with)}})
	if err != nil {
		return err
	}
	w.rewrite(c, next)
	if converted {
		c.inUTF8()
	}
	if c.with == entity.Identity && !isASCII(banner) {
		c.with = entity.QuotedPrintable
	}
	return nil
}

// rewrite gives an entity a new body in place of what it was or was to be.
func (w *work) rewrite(c *change, body scan.Content) {
	if _, label := w.written(c); c.body == nil {
		c.charset = label
		c.with = fitting(c.entity, w.Message.Parts[w.layout.part[c.entity]].Content, body)
	} else if c.with == entity.Identity {
		c.with = fitting(c.entity, c.body, body)
	}
	c.body = body
}

// fit returns a text in a charset that a banner can be written in: its own, or UTF-8.
func (w *work) fit(c scan.Content, label, banner string) (body scan.Content, converted bool, err error) {
	switch {
	case isASCII(banner) && charset.Transparent(label), strings.EqualFold(label, "utf-8"):
		return c, false, nil
	case label == "":
		return c, true, w.needUTF8(c)
	case !charset.Known(label):
		return nil, false, fmt.Errorf("the banner cannot be written in charset %q", label)
	}
	r, _ := charset.NewReader(label, scratch.Until(w.ctx.Err, scan.Reader(c)))
	out, err := w.keep(func(to io.Writer) error { _, err := io.Copy(to, r); return err })
	return out, true, err
}

// needUTF8 returns an error for text that says nothing of its charset and is not in
// UTF-8.
func (w *work) needUTF8(c scan.Content) error {
	in := bufio.NewReader(scan.Reader(c))
	for {
		r, n, err := in.ReadRune()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case r == utf8.RuneError && n == 1:
			return errors.New("the text does not say what charset it is in")
		}
	}
}

// holds reports whether a text has a banner in its place already.
func holds(c scan.Content, at Position, banner string) bool {
	const around = 64
	near := string(head(c, int64(len(banner)+around)))
	if at == Top {
		return strings.HasPrefix(strings.TrimLeft(near, " \t\r\n"), banner)
	}
	return strings.HasSuffix(strings.TrimRight(tail(c, int64(len(banner)+around)), " \t\r\n"), banner)
}

// tail returns the end of a content.
func tail(c scan.Content, n int64) string {
	b, err := bytesAt(c, markup.Span{Start: max(c.Size()-n, 0), End: c.Size()})
	if err != nil {
		return ""
	}
	return string(b)
}
