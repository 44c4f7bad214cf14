package document

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// isRTF reports whether the part begins like RTF. Word is content with four
// letters of it, and with blanks before them.
func (e *examination) isRTF() bool {
	h := bytes.TrimPrefix(e.head, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(h, " \t\r\n\x00"), []byte("{\\rt"))
}

// Bounds of what we keep of one document.
const (
	deepestGroup   = 4096
	longestRTFText = 8 << 10
)

// destination is what the text of a group is for.
type destination int

const (
	rtfText destination = iota
	rtfObject
	rtfClass
	rtfField
	rtfTemplate
)

var destinations = map[string]destination{"objdata": rtfObject, "objclass": rtfClass, "fldinst": rtfField, "template": rtfTemplate}

// rtfReader reads a document forwards (RTF 1.9.1): groups in braces, control
// words after backslashes, and text.
type rtfReader struct {
	*examination
	r      *bufio.Reader
	groups []rtfGroup
	depth  int // of groups, also of those that are not kept
	text   []byte
	object rtfObjectData

	failure error // of reading what an object holds
}

// rtfGroup is an open group.
type rtfGroup struct {
	to   destination
	owns bool // the destination began in this group
}

// rtfObjectData is the data of one object, as hexadecimal digits. Readers differ
// on whether those in groups within count.
type rtfObjectData struct {
	outer, all []byte
	junk       int // words and groups among the digits: no editor writes such data on purpose
}

// rtf looks into an RTF document.
func (e *examination) rtf() error {
	r := &rtfReader{examination: e, r: bufio.NewReaderSize(e.priced(e.part.Content, priceSyntax), 64<<10), groups: []rtfGroup{{}}}
	for {
		b, err := r.r.ReadByte()
		if err == nil {
			err = r.take(b)
		}
		if err != nil {
			for len(r.groups) > 1 {
				r.close()
			}
			return errors.Join(ended(err), r.failure)
		}
	}
}

// take reads what begins with a byte.
func (r *rtfReader) take(b byte) error {
	switch b {
	case '{':
		r.open()
	case '}':
		r.close()
	case '\\':
		return r.control()
	default:
		r.put(b)
	}
	return nil
}

func (r *rtfReader) top() *rtfGroup { return &r.groups[len(r.groups)-1] }

func (r *rtfReader) open() {
	r.depth++
	if r.depth >= deepestGroup {
		r.tooComplex("its groups stand too deep inside each other")
		return
	}
	if r.top().to == rtfObject {
		r.object.junk++
	}
	r.groups = append(r.groups, rtfGroup{to: r.top().to})
}

func (r *rtfReader) close() {
	if r.depth >= deepestGroup {
		r.depth--
		return
	}
	r.depth = max(r.depth-1, 0)
	g := *r.top()
	if len(r.groups) > 1 {
		r.groups = r.groups[:len(r.groups)-1]
	}
	if g.owns {
		r.complete(g.to)
	}
}

// put adds one byte of text to the text collected so far.
func (r *rtfReader) put(b byte) {
	switch g := r.top(); g.to {
	case rtfText:
	case rtfObject:
		if _, ok := hexValue(b); !ok || int64(len(r.object.all)) >= 2*r.left() {
			return
		}
		r.object.all = append(r.object.all, b)
		if g.owns {
			r.object.outer = append(r.object.outer, b)
		}
	default:
		if len(r.text) < longestRTFText && b != '\r' && b != '\n' {
			r.text = append(r.text, b)
		}
	}
}

// control reads what follows a backslash: a word with a number, or a sign.
func (r *rtfReader) control() error {
	b, err := r.r.ReadByte()
	if err != nil {
		return err
	}
	switch {
	case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z':
		return r.word(b)
	case b == '\'':
		return r.character()
	case b == '\\' || b == '{' || b == '}':
		r.put(b)
	}
	return nil
}

// character reads a character written as two digits.
func (r *rtfReader) character() error {
	var digits [2]byte
	if _, err := io.ReadFull(r.r, digits[:]); err != nil {
		return err
	}
	hi, ok1 := hexValue(digits[0])
	lo, ok2 := hexValue(digits[1])
	switch {
	case r.top().to == rtfObject:
		r.object.junk++
	case ok1 && ok2:
		r.put(hi<<4 | lo)
	}
	return nil
}

// word reads a control word that begins with b, and obeys it.
func (r *rtfReader) word(b byte) error {
	const longest = 250
	name := []byte{b}
	var number []byte
	for len(name)+len(number) < longest {
		b, err := r.r.ReadByte()
		if err != nil {
			return err
		}
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		digit := b >= '0' && b <= '9'
		switch {
		case letter && len(number) == 0:
			name = append(name, b)
			continue
		case digit, b == '-' && len(number) == 0:
			number = append(number, b)
			continue
		case b != ' ':
			r.r.UnreadByte()
		}
		break
	}
	n, _ := strconv.Atoi(string(number))
	return r.obey(string(name), n)
}

func (r *rtfReader) obey(name string, n int) error {
	if to, ok := destinations[name]; ok {
		*r.top() = rtfGroup{to: to, owns: true}
		r.text, r.object = r.text[:0], rtfObjectData{}
		return nil
	}
	switch name {
	case "bin":
		return r.binary(n)
	case "u":
		r.unicode(n)
	case "objupdate", "objautlink":
		r.report.add(ruleRTFObject, `an object that loads by itself (\`+name+")")
	}
	if r.top().to == rtfObject {
		r.object.junk++
	}
	return nil
}

// unicode adds a character written as a number. Its replacement for older programs
// follows as text.
func (r *rtfReader) unicode(n int) {
	if to := r.top().to; to == rtfText || to == rtfObject {
		return
	}
	if n < 0 {
		n += 1 << 16
	}
	for _, b := range []byte(string(rune(n))) {
		r.put(b)
	}
	if b, err := r.r.Peek(1); err == nil && b[0] == '?' {
		r.r.Discard(1)
	}
}

// binary reads n bytes that are no text. Within an object they are its data.
func (r *rtfReader) binary(n int) error {
	if n <= 0 {
		return nil
	}
	if r.top().to != rtfObject {
		_, err := r.r.Discard(n)
		return err
	}
	const digits = "0123456789abcdef"
	for range n {
		b, err := r.r.ReadByte()
		if err != nil {
			return err
		}
		r.put(digits[b>>4])
		r.put(digits[b&15])
	}
	return nil
}

// complete judges what a destination has collected.
func (r *rtfReader) complete(to destination) {
	text := strings.TrimSpace(string(r.text))
	switch to {
	case rtfObject:
		r.objectData()
	case rtfClass:
		if strings.HasPrefix(strings.ToLower(text), "equation.") {
			r.report.add(ruleRTFObject, "an object of the old equation editor")
		}
	case rtfField:
		r.field(text)
	case rtfTemplate:
		r.loads("the template", text)
	}
	r.text = r.text[:0]
}

func hexValue(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
