package document

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/pdf"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/units"
)

// compoundMark begins every compound file (MS-CFB, section 2.2).
const compoundMark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// activeMimeMark begins the wrapping in which Word's web pages and older XML
// keep their macros: a header and a compound file, compressed with zlib.
const activeMimeMark = "ActiveMime"

func (e *examination) isCompound() bool   { return e.beginsWith(compoundMark) }
func (e *examination) isActiveMime() bool { return e.beginsWith(activeMimeMark) }

// compound looks into a compound file: Word, Excel, PowerPoint, a macro project,
// an embedded object, a saved mail. Its streams are parts of the message; where
// they are not, it is opened here. One that is damaged is searched as it is too:
// most streams lie in one piece.
func (e *examination) compound() error {
	if len(e.streams) == 0 {
		return e.closed(e.part.Content)
	}
	streams := e.streams
	if !e.part.Opened {
		streams = append(streams, stream{"", e.part.Content})
	}
	return e.inside(streams)
}

// closed looks into a compound file that the opening stage left unopened.
func (e *examination) closed(c scan.Content) error {
	streams, err := e.open(c)
	if err != nil {
		return err
	}
	if len(streams) == 0 {
		streams = []stream{{"", c}}
	}
	return e.inside(streams)
}

// inside looks into the streams of a compound file.
func (e *examination) inside(streams []stream) error {
	errs := []error{e.projects(streams)}
	for _, s := range streams {
		errs = append(errs, e.stream(s, streams))
	}
	return errors.Join(errs...)
}

// streamName returns the name of a stream as it is compared: without its storages and
// the control character some begin with.
func streamName(path string) string {
	return strings.ToLower(strings.TrimLeft(base(path), "\x01\x02\x03\x04\x05\x06"))
}

// stream looks into one of the streams of a compound file. Files that were put
// into it are among them under their own names.
func (e *examination) stream(s stream, streams []stream) error {
	switch streamName(s.name) {
	case "worddocument":
		return e.wordDocument(s, streams)
	case "workbook", "book":
		return e.records(s.content)
	case "documentsummaryinformation":
		return e.summary(s)
	case "ole":
		return e.link(s)
	case "equation native":
		return e.equation(s)
	case "exoleobjstg":
		return nil // a separate compound file
	}
	return e.object(s)
}

// summary looks into the properties that the author gave a document up to 2003
// (MS-OSHARED, section 2.3.3.2): one may name an add-in that Office installs.
func (e *examination) summary(s stream) error {
	b, err := e.load(s.content, e.unpacked)
	if err != nil {
		return err
	}
	narrow := bytes.ReplaceAll(b, []byte{0}, nil) // UTF-16 has a NUL after each letter
	if !bytes.Contains(narrow, []byte(assembly)) {
		return nil
	}
	for _, target := range places.FindAll(narrow, 8) {
		e.loads("an add-in at", string(target))
	}
	return nil
}

// places finds addresses and paths of shares among other values.
var places = regexp.MustCompile(`(?i)(?:(?:https?|ftp|file)://|\\\\[a-z0-9])[!-{}~]+`)

// activeMime unwraps what an ActiveMime file holds.
func (e *examination) activeMime() error {
	b, err := e.load(e.part.Content, e.unpacked)
	if err != nil {
		return err
	}
	return e.nested(b)
}

// nested looks into a compound file inside another, or in a wrapping.
func (e *examination) nested(b []byte) error {
	if bytes.HasPrefix(b, []byte(activeMimeMark)) {
		b = e.unwrap(b)
	}
	if !bytes.HasPrefix(b, []byte(compoundMark)) {
		return nil
	}
	return e.closed(bytes.NewReader(b))
}

// unwrap returns the compound file in an ActiveMime file. Its header has no fixed
// length; compressed data begins with the first byte of zlib.
func (e *examination) unwrap(b []byte) []byte {
	const shortest, longest = 0x20, 0x60
	for at := shortest; at < min(longest, len(b)); at++ {
		if b[at] != 0x78 {
			continue
		}
		if out := e.inflate(b[at:]); bytes.HasPrefix(out, []byte(compoundMark)) {
			return out
		}
	}
	e.report.add(ruleDamaged, "an ActiveMime file without a compound file in it")
	return nil
}

// inflate unpacks zlib data as far as it goes.
func (e *examination) inflate(b []byte) []byte {
	var out bytes.Buffer
	in := archive.NewFeed(e.ctx, bytes.NewReader(b), e.ledger.work, archive.Inflating, func() int64 { return int64(out.Len()) })
	z, err := pdf.Filter{Name: "FlateDecode"}.Reader(in, e.ledger.work.Inflated)
	if err != nil {
		return nil
	}
	out.ReadFrom(io.LimitReader(scratch.Until(e.ctx.Err, z), e.left()+1)) // as far as it goes
	in.Settle()
	if !e.spend(out.Len()) {
		return nil
	}
	return out.Bytes()
}

// open lists the streams of a compound file.
func (e *examination) open(c scan.Content) ([]stream, error) {
	format := archive.Named("ole")
	if format == nil {
		return nil, nil
	}
	var streams []stream
	left := units.Size(max(e.left(), 0))
	budget := archive.NewBudget(archive.Limits{Expanded: left, Member: left, Ratio: 1 << 30, Entries: 10_000, Depth: 1})
	_, err := format.Walk(e.ctx, c, budget, func(m archive.Member, body io.Reader) error {
		if body == nil || len(m.Names) == 0 {
			return nil
		}
		b, _ := io.ReadAll(body) // how it ended is no matter: the file is searched as well
		streams = append(streams, stream{m.Names[0], bytes.NewReader(b)})
		e.spend(len(b))
		return nil
	})
	if errors.Is(err, archive.ErrLimit) {
		e.tooComplex("a compound file in it holds more than max_unpacked")
		return streams, nil
	}
	return streams, err
}
