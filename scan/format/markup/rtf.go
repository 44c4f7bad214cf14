package markup

import (
	"bufio"
	"io"
	"strconv"

	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/scratch"
)

// ReadRTF reads the text of an RTF document (Rich Text Format, version 1.9.1) and
// the addresses in it. It fails only if the source does.
func ReadRTF(s Source, l Limits) (*Page, error) {
	b := newBuilder(s, l)
	r := rtfReader{in: bufio.NewReaderSize(meteredReader{s.r, b}, 64<<10), b: b, charset: "windows-1252"}
	r.b.page.Decoded = true
	for {
		err := r.next()
		if err == io.EOF {
			r.flush()
			return r.b.finish(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// deepestRTF bounds the groups whose state is remembered.
const deepestRTF = 1000

// rtfReader is the reading of one document.
type rtfReader struct {
	in      *bufio.Reader
	b       *builder
	charset string
	stack   []rtfGroup
	group   rtfGroup
	lost    int    // groups too deep to be remembered
	bytes   []byte // text in the document's charset
	words   []byte // text in UTF-8, up to the end of a paragraph
	at      int64  // of the text in UTF-8, how much was handed on
	skip    int    // characters that are in for one that was given in Unicode
}

// rtfGroup is what holds for a group in braces.
type rtfGroup struct {
	silent   bool // it is no text: fonts, pictures
	fallback int  // characters after one in Unicode that are in for it
}

// next reads one piece of the document.
func (r *rtfReader) next() error {
	c, err := r.in.ReadByte()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		r.open()
	case '}':
		r.close()
	case '\\':
		return r.control()
	case '\r', '\n':
	default:
		r.char(c)
	}
	return nil
}

func (r *rtfReader) open() {
	if len(r.stack) >= deepestRTF {
		r.lost++
		return
	}
	if len(r.stack) == 0 {
		r.group.fallback = 1
	}
	r.stack = append(r.stack, r.group)
}

func (r *rtfReader) close() {
	switch {
	case r.lost > 0:
		r.lost--
	case len(r.stack) > 0:
		r.group = r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
	}
}

// char takes in a byte of text.
func (r *rtfReader) char(c byte) {
	switch {
	case r.skip > 0:
		r.skip--
	case !r.group.silent:
		r.bytes = append(r.bytes, c)
		if len(r.bytes) >= scratch.Size {
			r.flush()
		}
	}
}

// decode makes text of the bytes so far.
func (r *rtfReader) decode() {
	if len(r.bytes) == 0 {
		return
	}
	text, ok := charset.Decode(r.charset, r.bytes)
	if !ok {
		text, _ = charset.Decode("windows-1252", r.bytes)
	}
	r.words = append(r.words, text...)
	r.bytes = r.bytes[:0]
}

// rune takes in a character given in Unicode.
func (r *rtfReader) rune(c rune) {
	if r.group.silent {
		return
	}
	r.decode()
	r.words = append(r.words, string(c)...)
	r.pass()
}

// flush hands the text so far on.
func (r *rtfReader) flush() {
	r.decode()
	if len(r.words) == 0 {
		return
	}
	r.b.source = Source{Charset: "utf-8"}
	r.b.plain(r.words, r.at)
	r.at += int64(len(r.words))
	r.words = r.words[:0]
}

// control reads what follows a backslash.
func (r *rtfReader) control() error {
	c, err := r.in.ReadByte()
	if err != nil {
		return err
	}
	switch {
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		word, n, err := r.word(c)
		if err != nil {
			return err
		}
		return r.obey(word, n)
	case c == '\'':
		return r.hex()
	case c == '*':
		r.group.silent = true
	case c == '~':
		r.char(' ')
	case c == '_':
		r.char('-')
	case c == '\\', c == '{', c == '}':
		r.char(c)
	case c == '\r', c == '\n':
		r.paragraph()
	}
	return nil
}

// longestControl bounds a control word and its number.
const longestControl = 64

// word reads a control word and its number, and the blank that ends it.
func (r *rtfReader) word(first byte) (string, int, error) {
	word := []byte{first}
	digits := 0
	for len(word) < longestControl {
		c, err := r.in.ReadByte()
		if err != nil {
			return "", 0, err
		}
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' && digits == 0
		digit := c >= '0' && c <= '9' || c == '-' && digits == 0
		if !letter && !digit {
			if c != ' ' {
				r.in.UnreadByte()
			}
			break
		}
		if digit {
			digits++
		}
		word = append(word, c)
	}
	n, _ := strconv.Atoi(string(word[len(word)-digits:]))
	return string(word[:len(word)-digits]), n, nil
}

// hex reads a byte of text in hexadecimal.
func (r *rtfReader) hex() error {
	var d [2]byte
	if _, err := io.ReadFull(r.in, d[:]); err != nil {
		return io.EOF
	}
	if isHex(d[0]) && isHex(d[1]) {
		r.char(unhex(d[0])<<4 | unhex(d[1]))
	}
	return nil
}

// obey does what a control word says.
func (r *rtfReader) obey(word string, n int) error {
	switch word {
	case "par", "line", "row", "cell", "sect", "page", "column":
		r.paragraph()
	case "tab", "emspace", "enspace", "qmspace":
		r.char(' ')
	case "emdash", "endash":
		r.rune('–')
	case "ansicpg":
		r.decode()
		r.charset = "cp" + strconv.Itoa(n)
		if n >= 1250 && n <= 1258 {
			r.charset = "windows-" + strconv.Itoa(n)
		}
	case "mac":
		r.charset = "macintosh"
	case "uc":
		r.group.fallback = min(max(n, 0), 8)
	case "u":
		r.rune(rune(uint16(n)))
		r.skip = r.group.fallback
	case "bin":
		_, err := r.in.Discard(max(n, 0))
		return err
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "themedata", "datastore",
		"listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "latentstyles":
		r.group.silent = true
	case "objdata":
		r.group.silent = true
	case "fldinst", "result": // where a link leads, and what represents an object
		r.group.silent = false
	}
	return nil
}

// paragraph ends a line of text.
func (r *rtfReader) paragraph() {
	if r.group.silent {
		return
	}
	r.decode()
	r.words = append(r.words, '\n')
	r.pass()
}

// pass hands the text on once there is enough of it.
func (r *rtfReader) pass() {
	if len(r.words) >= scratch.Size {
		r.flush()
	}
}
