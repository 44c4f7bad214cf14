package entity

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/format/sniff"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Carve finds the files wrapped in a text of size bytes that was decoded from a
// leaf of t: uuencode, yEnc, BinHex, runs of base64, whole messages and parts
// with their headers. The spans of what it returns count from the start of c.
// It reads c once to see whether there is anything to look for.
func (t *Tree) Carve(c io.ReaderAt, size int64) []*Entity {
	return carve(t.books.inner(), c, size, carvable&^holdsText&^holdsQP)
}

// Unwrap finds the files wrapped in a text of size bytes as Carve does, but only
// those that begin and end with separate lines, as programs for archives look for
// them.
func (t *Tree) Unwrap(c io.ReaderAt, size int64) []*Entity {
	return carve(t.books.inner(), c, size, holdsWrapped)
}

// Carve does what Tree.Carve does, for a text that belongs to no tree.
func Carve(c io.ReaderAt, size int64, l Limits) []*Entity {
	return carve(newBooks(l), c, size, carvable&^holdsText&^holdsQP)
}

func carve(k *books, c io.ReaderAt, size int64, what suspicion) []*Entity {
	host := &Entity{Type: "text/plain", Body: Span{0, size}}
	buf := scratch.Lend()
	defer buf.Return()
	r := newRereader(k, c, buf)
	k.root = host
	w := new(watcher)
	w.begin(math.MaxInt)
	r.each(host.Body, w.feed)
	w.end()
	if host.seen = w.seen & what; host.seen != 0 {
		r.carveSpan(host, host.Body, host.seen)
	}
	return host.Carved
}

// carve looks into the texts of the tree that hold something, and where clients
// disagree about the message, into all.
func (r *rereader) carve(t *Tree) {
	var texts []*Entity
	for e := range t.All() {
		texts = append(texts, e)
		for i := range e.Notes {
			r.doubtful = r.doubtful || e.Notes[i].Class == Ambiguous
		}
	}
	for _, e := range texts {
		what := e.seen & carvable
		if r.doubtful {
			what |= carvable &^ holdsQP
		}
		if what == 0 {
			continue
		}
		for _, s := range e.Loose {
			r.carveSpan(e, s, what)
		}
		if !e.composite && (e.Encoding == Identity || e.Encoding == QuotedPrintable) {
			r.carveSpan(e, e.Body, what&^holdsText)
		}
	}
}

// carveSpan takes out of a span of e what was seen in it.
func (r *rereader) carveSpan(e *Entity, s Span, what suspicion) {
	for _, done := range r.carvedAt {
		if done.Start <= s.Start && s.End <= done.End {
			return
		}
	}
	r.carvedAt = append(r.carvedAt, s)
	if what&holdsWrapped != 0 && r.spend(3*s.Len()) {
		r.wrapped(e, s)
	}
	if what&(holdsBase64|holdsFields) != 0 && r.spend(s.Len()) {
		r.strewn(e, s)
	}
	if what&holdsQP != 0 && e.Encoding == Identity {
		r.found(e, &Entity{Type: e.Type, Encoding: QuotedPrintable, Head: Span{s.Start, s.Start}, Body: s})
	}
	if what&holdsText != 0 {
		r.found(e, &Entity{Type: "text/plain", Head: Span{s.Start, s.Start}, Body: s})
	}
}

// wrapped takes out files that begin and end with separate lines.
func (r *rereader) wrapped(e *Entity, s Span) {
	list, err := Wrappings(io.NewSectionReader(r.content, s.Start, s.Len()), r.limits.Wrapped+1)
	if err != nil {
		r.stop(err.Error())
	}
	for _, w := range list {
		at := Span{s.Start + w.Span.Start, s.Start + w.Span.End}
		found := &Entity{Type: "application/octet-stream", Encoding: w.Encoding, Head: Span{at.Start, at.Start}, Body: at}
		if w.Name != "" {
			r.names(found, decodeNames(nil, [][]Param{{{Name: "filename", Value: w.Name, Raw: w.Name}}}), nil)
		}
		r.foundFile(e, found)
	}
}

// found enters what was carved out of e, unless some reading has it.
func (r *rereader) found(e, found *Entity) {
	if r.known(found) {
		return
	}
	if r.carved >= r.limits.Carved {
		r.note(r.root, "carved-limit", found.Body, "")
		return
	}
	r.carved++
	r.enter(e, found)
}

// foundFile enters a file that clients take out of a text by themselves, or that
// looks like one: files have a separate limit, which nothing else uses up.
func (r *rereader) foundFile(e, found *Entity) {
	if r.known(found) {
		return
	}
	if r.files >= r.limits.Wrapped {
		r.note(r.root, "wrapped-limit", found.Body, "")
		return
	}
	r.files++
	r.enter(e, found)
}

// known reports whether some reading has what was found.
func (r *rereader) known(found *Entity) bool {
	return len(found.Header.Fields) == 0 && r.seen.hasBytes(found) || !r.prune(found)
}

// enter makes what was found a part of e.
func (r *rereader) enter(e, found *Entity) {
	found.Number = e.Number
	mark(found, "carved"+strconv.Itoa(r.carved+r.files))
	hush(found)
	e.Carved = append(e.Carved, found)
}

// foundRun enters a run of base64. Texts of words are made of runs, so beyond the
// limit only those count that begin as a file of some type does.
func (r *rereader) foundRun(e *Entity, run Span) {
	found := &Entity{Type: "application/octet-stream", Encoding: Base64, Head: Span{run.Start, run.Start}, Body: run}
	if r.carved >= r.limits.Carved && r.looksLikeFile(run) {
		r.foundFile(e, found)
		return
	}
	r.found(e, found)
}

// looksLikeFile reports whether what a run of base64 decodes to begins like a file.
func (r *rereader) looksLikeFile(run Span) bool {
	const most = 512
	var b bytes.Buffer
	in := io.NewSectionReader(r.content, run.Start, min(most, run.Len()))
	if _, err := Decode(&b, in, Base64); err != nil {
		return true
	}
	switch sniff.Type(bytes.NewReader(b.Bytes()), int64(b.Len())) {
	case "application/octet-stream", "text/plain":
		return false
	}
	return true
}

// hush drops the deviations of a carved entity: the sender did not declare that it
// is to be read so.
func hush(e *Entity) {
	e.Notes = nil
	for _, child := range e.Children {
		hush(child)
	}
}

// each hands the bytes of a span to take, in pieces.
func (r *rereader) each(s Span, take func([]byte)) {
	for s.Len() > 0 && r.spend(0) {
		n, err := r.content.ReadAt(r.buf[:min(int64(len(r.buf)), s.Len())], s.Start)
		if n == 0 {
			r.stop(err.Error())
			return
		}
		take(r.buf[:n])
		s.Start += int64(n)
	}
}

// strewn takes out of a span runs of base64 and header blocks with what follows
// them.
func (r *rereader) strewn(e *Entity, s Span) {
	f := finder{run: Span{-1, -1}, block: -1, delimiter: -1, shortest: ordinaryRun}
	if r.doubtful {
		f.shortest = shortestRun
	}
	r.lines(s, func(line []byte, at int64) bool {
		f.line(line, at)
		f.starts = f.starts[:min(len(f.starts), r.limits.Carved+1)]
		return true
	})
	f.endRun()
	if len(f.starts) > r.limits.Carved {
		r.note(r.root, "carved-limit", s, "")
	}
	r.blocks(e, s, f.starts)
	for _, run := range f.runs {
		r.foundRun(e, run)
	}
}

// blocks parses what begins with the header blocks found in a span of e: what
// may be a composite up to the end of the span, anything else up to the next
// block. A block that turned up inside one before it is not parsed again.
func (r *rereader) blocks(e *Entity, s Span, starts []start) {
	inside := map[int64]bool{}
	for i, b := range starts {
		if inside[b.header] {
			continue
		}
		at := Span{b.at, s.End}
		if i+1 < len(starts) && b.boundary == "" && !b.composite {
			at.End = starts[i+1].at
		}
		found, ok := r.parseFound(e, b, at)
		if !ok {
			return
		}
		for each := range (&Tree{Root: found}).All() {
			inside[each.Head.Start] = true
		}
		r.found(e, found)
	}
}

// parseFound parses what begins at a header block, or at a line that looks like
// the delimiter before one.
func (r *rereader) parseFound(e *Entity, b start, at Span) (*Entity, bool) {
	if !r.spend(at.Len()) || !r.another() {
		return nil, false
	}
	root := &Entity{message: b.boundary == "", Number: e.Number, prefix: within(e.Number)}
	var p *Parser
	if b.boundary == "" {
		p = newParser(r.books, root, at.Start)
	} else {
		root.Type, root.Boundary = "multipart/mixed", b.boundary
		p = newBodyParser(r.books, root, at.Start)
	}
	if !r.copy(p, at) {
		return nil, false
	}
	p.Close()
	return root, true
}

// finder goes through the lines of a text.
type finder struct {
	run      Span // of the lines of base64 being read; Start is -1 outside
	digits   int
	shortest int // fewer digits are no run
	runs     []Span

	block     int64 // where the header block being read starts; -1 outside
	delimiter int64 // where the line before it starts, if that could be a delimiter
	boundary  string
	starts    []start
	known     bool // the block is among starts
}

// start is where something with a header begins in a text.
type start struct {
	at        int64
	header    int64  // where the header block itself starts
	boundary  string // of the delimiter right before the header
	composite bool   // the header may be that of a multipart or a message
}

const (
	shortestRun  = 24 // digits in all, in a message that clients read differently; less is a word
	ordinaryRun  = 56 // the same in any other
	shortestLine = 4
)

func (f *finder) line(line []byte, at int64) {
	text := bytes.TrimRight(line, " \t\r\n")
	f.base64(text, Span{at, at + int64(len(line))})
	f.fields(text, at)
}

// base64 follows runs of lines of nothing but base64 digits.
func (f *finder) base64(text []byte, at Span) {
	digits := bytes.TrimRight(text, "=")
	if len(text) < shortestLine || !isBase64(digits) || bytes.IndexByte(digits, '=') >= 0 {
		f.endRun()
		return
	}
	if f.run.Start < 0 {
		f.run.Start, f.digits = at.Start, 0
	}
	f.run.End = at.End
	if f.digits += len(digits); len(digits) < len(text) {
		f.endRun()
	}
}

func (f *finder) endRun() {
	if f.run.Start >= 0 && f.digits >= f.shortest {
		f.runs = append(f.runs, f.run)
	}
	f.run.Start = -1
}

// fields follows blocks of header fields and remembers those with a content
// field.
func (f *finder) fields(text []byte, at int64) {
	loose := bytes.TrimLeft(text, " \t\x00\r")
	switch {
	case bytes.HasPrefix(text, dashes):
		f.delimiter, f.boundary = at, string(text[2:min(len(text), 1000)])
		f.block = -1
	case startsField(loose):
		if f.block < 0 {
			f.block, f.known = at, false
		}
		f.remember(loose)
	case len(text) > 0 && (isSpace(text[0]) && f.block >= 0 || isFieldLine(text)):
		if f.block < 0 {
			f.block, f.known = at, false
		} else if f.known && isSpace(text[0]) {
			f.remember(text)
		}
	case len(text) == 0 && f.block < 0:
		// an empty line between a delimiter and a header changes nothing
	default:
		f.block, f.delimiter = -1, -1
	}
}

// remember enters the block being read.
func (f *finder) remember(text []byte) {
	if !f.known {
		s := start{at: f.block, header: f.block}
		if f.delimiter >= 0 && strings.Trim(f.boundary, "-") != "" && !strings.Contains(f.boundary, " ") {
			s.at, s.boundary = f.delimiter, strings.TrimSuffix(f.boundary, "--")
		}
		f.starts, f.known = append(f.starts, s), true
	}
	lower := bytes.ToLower(text)
	if bytes.Contains(lower, []byte("boundary")) || bytes.Contains(lower, []byte("message/")) {
		f.starts[len(f.starts)-1].composite = true
	}
}
