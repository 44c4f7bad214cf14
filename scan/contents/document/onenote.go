package document

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Identifiers of OneNote (MS-ONESTORE, sections 2.3.1 and 2.6.13), as they are
// stored.
const (
	oneNoteMark     = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"
	notebookMark    = "\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f"
	embeddedFile    = "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"
	embeddedContent = 36 // where the file begins, from the start of its identifier
)

func (e *examination) isOneNote() bool { return e.beginsWith(oneNoteMark, notebookMark) }

// pictures are the beginnings of what notes usually have embedded: pictures,
// recordings and the printed pages of documents.
var pictures = []string{
	"\x89PNG", "\xff\xd8\xff", "GIF8", "BM", "II*\x00", "MM\x00*",
	"\x01\x00\x00\x00", "RIFF", "\x30\x26\xb2\x75", "\x00\x00\x00", "ID3",
}

// oneNote looks for files embedded in a section.
func (e *examination) oneNote() error {
	const most = 10_000
	return e.occurrences(e.part.Content, embeddedFile, most, func(off int64) error {
		const enough = 4 << 10
		b, err := scratch.ReadAt(e.part.Content, off, embeddedContent+enough)
		if err != nil || len(b) <= embeddedContent {
			return err
		}
		size := binary.LittleEndian.Uint64(b[16:])
		data := b[embeddedContent:]
		if isPicture(data) {
			return nil
		}
		what := programMark(data)
		if what == "" {
			what = scriptMark(data)
		}
		if what == "" {
			what = "a file of no known kind, which begins with " + quote(string(data[:min(len(data), 16)]))
		}
		e.report.add(ruleOneNote, fmt.Sprintf("%s, of %d bytes", what, size))
		return nil
	})
}

func isPicture(b []byte) bool {
	for _, p := range pictures {
		if bytes.HasPrefix(b, []byte(p)) {
			return true
		}
	}
	return false
}
