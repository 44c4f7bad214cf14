package document

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/scratch"
)

// headSize is how much of the start of a part tells what it is.
const headSize = 4 << 10

// examination is one part being looked into.
type examination struct {
	*Scanner
	ctx      context.Context
	part     *scan.Part
	streams  []stream // those directly inside it, if any
	internal bool     // it is a stream of a compound file, judged with that
	head     []byte
	ledger   *ledger
	report   report

	macros    evidence // of the macros in it
	shared    evidence // of macros in the document it is a piece of
	flat      bool     // it is such a document itself, in one piece
	ribbons   []string // procedures the document's menus call
	callbacks []string // the same of all pieces
}

// stream is a named piece of a compound file.
type stream struct {
	name    string
	content scan.Content
}

// examine begins to look into the part with the given index.
func (s *Scanner) examine(ctx context.Context, m *scan.Message, i int, children []int, l *ledger) *examination {
	p := m.Parts[i]
	p.Content = l.watched(p.Content)
	e := &examination{Scanner: s, ctx: ctx, part: &p, ledger: l, report: report{part: i}}
	for _, c := range children {
		if p := m.Parts[c]; p.Archived && p.Content != nil {
			e.streams = append(e.streams, stream{p.Name(), l.watched(p.Content)})
		}
	}
	if up := e.part.Parent; up >= 0 && up < len(m.Parts) && e.part.Archived && m.Parts[up].Content != nil {
		e.internal = hasMark(m.Parts[up].Content, compoundMark)
	}
	return e
}

// inspect reads the start of the part and lets every inspector that knows such
// content look further.
func (e *examination) inspect() error {
	c := e.part.Content
	if c == nil || c.Size() == 0 || isComposite(e.part.Type) {
		return nil
	}
	buf := scratch.Lend()
	defer buf.Return()
	n, err := c.ReadAt(buf[:headSize], 0)
	if err != nil && err != io.EOF {
		return err
	}
	e.head = buf[:n]
	defer func() { e.head = nil }()
	var errs []error
	for _, i := range inspectors {
		if i.matches(e) {
			errs = append(errs, i.inspect(e))
		}
	}
	return errors.Join(errs...)
}

// isComposite reports whether a media type is structure, or a whole message.
func isComposite(mediaType string) bool {
	return strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/")
}

// isFile reports whether clients show the part as a file: texts of messages are
// none.
func (e *examination) isFile() bool {
	named := slices.ContainsFunc(e.part.Names, func(n string) bool { return n != "" })
	return e.part.Archived || named || e.part.Entity != nil && e.part.Entity.Disposition == "attachment"
}

// hasExtension reports whether any name of the part ends in one of the
// extensions, given in lower case with their dots.
func (e *examination) hasExtension(extensions ...string) bool {
	return slices.ContainsFunc(e.part.Names, func(n string) bool {
		n = strings.ToLower(strings.TrimRight(n, ". "))
		return slices.ContainsFunc(extensions, func(x string) bool { return strings.HasSuffix(n, x) })
	})
}

func (e *examination) tooComplex(detail string) { e.report.add(ruleTooComplex, detail) }

// reader reads a content from its start until the examination's time is over.
func (e *examination) reader(c scan.Content) io.Reader {
	return scratch.Until(e.ctx.Err, scan.Reader(c))
}

// priced reads a content as reader does, and charges for each byte.
func (e *examination) priced(c scan.Content, each archive.Price) io.Reader {
	return priced{e.reader(c), e.ledger.work, each}
}

// load reads all of a content that is small; of a larger one, the first most
// bytes, and says that the rest was not examined.
func (e *examination) load(c scan.Content, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(e.reader(c), most))
	if err == nil && c.Size() > most {
		e.tooComplex("a piece of it is larger than is read at once")
	}
	return b, err
}

func hasMark(c scan.Content, mark string) bool {
	b, _ := scratch.ReadAt(c, 0, len(mark))
	return string(b) == mark
}

// beginsWith reports whether the part begins with one of the marks.
func (e *examination) beginsWith(marks ...string) bool {
	return slices.ContainsFunc(marks, func(m string) bool { return bytes.HasPrefix(e.head, []byte(m)) })
}

// errStop ends a search that has found enough.
var errStop = errors.New("found")

// occurrences calls at with the offset of every place of mark in a content, at
// most so many times, until it returns an error.
func (e *examination) occurrences(c scan.Content, mark string, most int, at func(off int64) error) error {
	return e.windows(c, len(mark)-1, func(b []byte, off int64) error {
		for from := 0; ; from++ {
			i := bytes.Index(b[from:], []byte(mark))
			if i < 0 {
				return nil
			}
			if most--; most < 0 {
				e.tooComplex("it holds more pieces than are looked at")
				return errStop
			}
			from += i
			if err := at(off + int64(from)); err != nil {
				return err
			}
		}
	})
}

// windows reads a content in pieces that overlap by so many bytes, and calls
// look with each and its offset, until it returns an error. The pieces are good
// until look returns.
func (e *examination) windows(c scan.Content, overlap int, look func(b []byte, off int64) error) error {
	err := scratch.Windows(c, 0, overlap, func(b []byte, off int64) error {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		return look(b, off)
	})
	if err == errStop {
		return nil
	}
	return err
}
