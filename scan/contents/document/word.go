package document

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// The file information block at the start of a Word document (MS-DOC, section
// 2.5.1).
const (
	wordMark        = 0xa5ec
	wordFlags       = 0x0a
	wordTableStream = 0x0200
	wordAssociated  = 154 + 8*32 // fcSttbfAssoc and lcbSttbfAssoc (section 2.5.6)
)

// Characters that begin a field, end its code, and end it (MS-DOC, section
// 2.8.25).
const (
	fieldBegin     = 0x13
	fieldSeparator = 0x14
	fieldEnd       = 0x15
)

// wordDocument looks into the main stream of a Word document.
func (e *examination) wordDocument(s stream, streams []stream) error {
	fib, err := scratch.ReadAt(s.content, 0, wordAssociated+8)
	if err != nil {
		return err
	}
	if len(fib) == wordAssociated+8 && binary.LittleEndian.Uint16(fib) == wordMark {
		flags := binary.LittleEndian.Uint16(fib[wordFlags:])
		if err := e.wordTemplate(fib, flags, streams); err != nil {
			return err
		}
	}
	return e.wordFields(s)
}

// wordTemplate judges the template the document is attached to: the second of
// the strings associated with it (MS-DOC, section 2.9.277).
func (e *examination) wordTemplate(fib []byte, flags uint16, streams []stream) error {
	table := "0table"
	if flags&wordTableStream != 0 {
		table = "1table"
	}
	for _, s := range streams {
		if streamName(s.name) != table {
			continue
		}
		const longest = 64 << 10
		at, size := binary.LittleEndian.Uint32(fib[wordAssociated:]), binary.LittleEndian.Uint32(fib[wordAssociated+4:])
		b, err := scratch.ReadAt(s.content, int64(at), int(min(size, longest)))
		if err != nil {
			return err
		}
		if template := secondString(b); template != "" {
			e.loads("the template", template)
		}
	}
	return nil
}

// secondString returns the second string of a table of strings in UTF-16 (MS-DOC,
// section 2.2.4).
func secondString(b []byte) string {
	const header = 6
	if len(b) < header || b[0] != 0xff || b[1] != 0xff {
		return ""
	}
	b = b[header:]
	for i := range 2 {
		if len(b) < 2 {
			return ""
		}
		n := 2 * int(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if n > len(b) {
			return ""
		}
		if i == 1 {
			return wide(b[:n])
		}
		b = b[n:]
	}
	return ""
}

// wordFields judges the fields in the text of a document, which is kept in bytes
// or in UTF-16, in pieces of both.
func (e *examination) wordFields(s stream) error {
	return e.occurrences(s.content, string(rune(fieldBegin)), 1_000_000, func(off int64) error {
		const start, longest = 32, 1 << 10
		b, err := scratch.ReadAt(s.content, off+1, start)
		if err != nil || !loads(narrow(b)) {
			return err
		}
		if b, err = scratch.ReadAt(s.content, off+1, longest); err != nil {
			return err
		}
		if b[0] == 0 { // the high half of the mark
			b = []byte(wide(b[1:]))
		}
		if end := bytes.IndexAny(b, string([]byte{fieldBegin, fieldSeparator, fieldEnd})); end >= 0 {
			b = b[:end]
		}
		e.field(strings.TrimSpace(string(b)))
		return nil
	})
}

// loads reports whether a field may be of those that are judged, by the first
// letter of its name.
func loads(code []byte) bool {
	code = bytes.TrimLeft(code, " \t\"")
	return len(code) > 0 && bytes.IndexByte([]byte("DdLlIiRr"), code[0]) >= 0
}
