package archive

import (
	"bufio"
	"io"
)

// unlzfu undoes the compression of RTF in mails of Outlook, MS-OXRTFCP: LZSS in a
// window that begins with what RTF begins with. A match at the place that is
// written next is the end.
type unlzfu struct {
	in    *bufio.Reader
	flags uint // the next flag is the lowest; above the last is a mark
	at    int  // place in the window
}

const (
	lzfuWindow = 4096
	lzfuText   = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif` +
		`SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` +
		"\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`
)

// newUnlzfu reads size bytes, or up to the mark of the end.
func newUnlzfu(in io.Reader, size int64) io.Reader {
	w := newWindowed(nil, lzfuWindow, 0)
	w.at = copy(w.window, lzfuText)
	w.code = &unlzfu{in: bufio.NewReader(in), flags: 1, at: w.at}
	return io.LimitReader(w, size)
}

func (u *unlzfu) step() (literal byte, length, distance int, err error) {
	if u.flags == 1 {
		c, err := u.in.ReadByte()
		if err != nil {
			return 0, 0, 0, unexpected(err)
		}
		u.flags = uint(c) | 1<<8
	}
	flag := u.flags & 1
	u.flags >>= 1
	c, err := u.in.ReadByte()
	if err != nil || flag == 0 {
		u.at = (u.at + 1) % lzfuWindow
		return c, 0, 0, unexpected(err)
	}
	more, err := u.in.ReadByte()
	if err != nil {
		return 0, 0, 0, unexpected(err)
	}
	place := int(c)<<4 | int(more)>>4
	if place == u.at {
		return 0, 0, 0, io.EOF
	}
	length = int(more&0x0f) + 2
	distance = (u.at-place-1)&(lzfuWindow-1) + 1
	u.at = (u.at + length) % lzfuWindow
	return 0, length, distance, nil
}
