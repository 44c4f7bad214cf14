package archive

import (
	"bufio"
	"bytes"
	"context"
	"io"
)

// rtfFormat finds the files and objects embedded in RTF: what follows \objdata in
// hexadecimal digits is an object of OLE 1 (MS-OLEDS section 2.2), which holds a
// compound file, a package or anything else. Writers who want to hide it put
// blanks, groups and control words between the digits; Word skips them.
type rtfFormat struct{}

func (rtfFormat) Name() string { return "rtf" }

// Match goes by what Word takes for RTF: it does not ask for all of "{\rtf1".
func (rtfFormat) Match(head []byte, _ Content) bool {
	return hasAny(bytes.TrimLeft(head, " \t\r\n\x00\xef\xbb\xbf"), `{\rt`)
}

func (rtfFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.apart, w.cost = true, codec{out: priceBits}
	if err := w.rtfEach(`\objdata`, w.rtfObject); err != nil {
		return w.end(err)
	}
	for _, mark := range rtfData {
		if err := w.rtfEach(mark, w.rtfFile); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

// rtfData begin data in digits, as a file is (RTF 1.9.1): a store of data, which is a
// compound file; a theme, which is a zip; pictures.
var rtfData = [...]string{`\datastore`, `\themedata`, `\pict`}

// rtfEach calls read with what follows each control word, which returns how much of it it
// took.
func (w *walk) rtfEach(word string, read func(io.Reader) (int64, error)) error {
	for from := int64(0); ; {
		at := find(w.c, word, from, w.c.Size())
		if at < 0 {
			return nil
		}
		from = at + int64(len(word))
		took, err := read(stretch(w.c, from, w.c.Size()-from))
		if err != nil {
			return err
		}
		from += took
	}
}

// rtfFile hands over the file the digits of which begin src, unless src goes on with the
// control word.
func (w *walk) rtfFile(src io.Reader) (int64, error) {
	digits := &rtfDigits{in: bufio.NewReader(src)}
	if next, err := digits.in.Peek(1); err != nil || isLetter(next[0]) {
		return 0, nil
	}
	var first [1]byte
	if n, _ := digits.Read(first[:]); n == 0 {
		return digits.n, nil
	}
	err := w.member(Member{Size: -1}, io.MultiReader(bytes.NewReader(first[:]), digits))
	return digits.n, err
}

// rtfObject hands over the object the digits of which begin src, and returns how
// much of src they take.
func (w *walk) rtfObject(src io.Reader) (int64, error) {
	digits := &rtfDigits{in: bufio.NewReader(src)}
	data, err := w.hold(digits)
	if err != nil || len(data) == 0 {
		return digits.n, err
	}
	object := bytes.NewReader(data)
	native := oleNative(data)
	if p, ok := readPackage(object, native); ok {
		return digits.n, w.unwrap(object, p)
	}
	// Whatever the header says, a compound file is one.
	if at := bytes.Index(data, []byte(cfbMagic)); at >= 0 {
		native = int64(at)
	}
	size := int64(len(data)) - native
	return digits.n, w.member(Member{Size: size}, stretch(object, native, size))
}

// heldObject is how large an object may be, in bytes: it is taken apart in memory.
const heldObject = 32 << 20

// hold reads an object into memory and charges it.
func (w *walk) hold(src io.Reader) ([]byte, error) {
	b := &body{w: w, src: src}
	data, _ := io.ReadAll(io.LimitReader(b, heldObject))
	switch {
	case w.ctx.Err() != nil:
		return nil, w.ctx.Err()
	case b.limited():
		w.note(b.limit, "an object")
		return nil, ErrLimit
	case len(data) == heldObject:
		w.note(tooComplex, "an object of more than %d bytes", heldObject)
	}
	return data, nil
}

// oleNative returns where the data of an embedded object begin, after version, kind,
// three names and size; 0 if the object does not look like that.
func oleNative(b []byte) int64 {
	at := int64(8)
	for range 3 {
		if at+4 > int64(len(b)) {
			return 0
		}
		at += 4 + int64(le32(b[at:]))
	}
	if at+4 > int64(len(b)) {
		return 0
	}
	return at + 4
}

// rtfDigits reads the bytes that are in hexadecimal digits, up to the end of
// the group that it begins in.
type rtfDigits struct {
	in    *bufio.Reader
	n     int64 // bytes read
	depth int   // groups inside
	quiet int   // the depth from which on a destination is ignored, 0 for none
	raw   int64 // bytes that are there as they are, after \bin
}

func (d *rtfDigits) Read(p []byte) (int, error) {
	for i := range p {
		c, err := d.next()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func (d *rtfDigits) byte() (byte, error) {
	c, err := d.in.ReadByte()
	if err == nil {
		d.n++
	}
	return c, err
}

// next reads two digits. It skips all bytes between them.
func (d *rtfDigits) next() (byte, error) {
	var high byte
	for half := false; ; {
		c, err := d.byte()
		if err != nil {
			return 0, io.EOF
		}
		if d.raw > 0 {
			d.raw--
			return c, nil
		}
		if c == '{' || c == '}' || c == '\\' {
			if err := d.structure(c); err != nil {
				return 0, err
			}
			continue
		}
		digit, ok := hexDigit(c)
		switch {
		case !ok || d.quiet > 0:
		case half:
			return high | digit, nil
		default:
			high, half = digit<<4, true
		}
	}
}

// structure skips a brace or a control word.
func (d *rtfDigits) structure(c byte) error {
	switch c {
	case '{':
		d.depth++
	case '}':
		if d.depth--; d.depth < 0 {
			return io.EOF
		}
		if d.depth < d.quiet {
			d.quiet = 0
		}
	default:
		d.control()
	}
	return nil
}

// control reads a control word or symbol after its backslash. A group that
// begins with "\*" is for readers who know it.
func (d *rtfDigits) control() {
	c, _ := d.byte()
	switch {
	case c == '*' && d.quiet == 0 && d.depth > 0:
		d.quiet = d.depth
	case c == '\'':
		d.byte()
		d.byte()
	}
	if !isLetter(c) {
		return
	}
	word := []byte{c}
	for peek, err := d.in.Peek(1); err == nil && isLetter(peek[0]) && len(word) < 32; peek, err = d.in.Peek(1) {
		d.byte()
		word = append(word, peek[0])
	}
	value := d.parameter()
	if string(word) == "bin" {
		d.raw = value
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// parameter reads the number after a control word, and the blank after that.
func (d *rtfDigits) parameter() int64 {
	var value int64
	for digits := 0; digits < 10; digits++ {
		peek, err := d.in.Peek(1)
		if err != nil || !isDigit(peek[0]) && (peek[0] != '-' || digits > 0) {
			break
		}
		d.byte()
		if isDigit(peek[0]) {
			value = value*10 + int64(peek[0]-'0')
		}
	}
	if peek, err := d.in.Peek(1); err == nil && peek[0] == ' ' {
		d.byte()
	}
	return value
}
