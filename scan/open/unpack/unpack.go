// Package unpack takes a message apart to the last wrapping: transfer encodings
// are undone, attached messages and archives opened, level by level, until
// nothing is left that could be opened or a limit is reached. What could not be
// opened becomes a finding, never a gap.
package unpack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/sniff"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/spool"
)

// Limits bound what opening one message may cost. Each is a finding when it is
// reached, and what was opened by then is scanned.
type Limits struct {
	Entity  entity.Limits
	Archive archive.Limits
	Parts   int           // parts in all, members of archives included
	Nesting int           // messages and encoded composites inside each other
	CPU     time.Duration // work of opening, counted at fixed prices near the time a processor takes (archive.Price); 0 is no limit
}

// Opener opens messages. It keeps no state between them, but what Letters has, and may open any number
// at once.
type Opener struct {
	// Letters has words of earlier messages, for as long as the limits say; nil: of none.
	Letters *Letters

	watches     []scratch.Watch // of all that is opened
	bodyWatches []scratch.Watch // of decoded bodies, those of all among them

	limits Limits
	files  *archive.Detector
	texts  *archive.Detector // for parts read as a text
	spool  *spool.Spool
}

// NewOpener returns an opener that keeps decoded parts in sp. The formats are
// tried in their order.
func NewOpener(l Limits, formats []archive.Format, sp *spool.Spool) *Opener {
	inTexts := slices.DeleteFunc(slices.Clone(formats), archive.Strays)
	o := &Opener{limits: l, files: archive.NewDetector(formats), texts: archive.NewDetector(inTexts), spool: sp}
	o.Watch([]scratch.Watch{archive.Watch()}, nil)
	return o
}

// Watch adds what is looked for while messages are opened, for scanners that would read the contents again for it: in
// decoded bodies and in members of archives, and in bodies alone. It is to be called before any is opened.
func (o *Opener) Watch(all, bodies []scratch.Watch) {
	o.watches = slices.Concat(o.watches, all)
	o.bodyWatches = slices.Concat(o.bodyWatches, all, bodies)
}

// NewParser returns the parser a message is to be written to before Open.
func (o *Opener) NewParser() *entity.Parser { return entity.NewParser(o.limits.Entity) }

// Open takes apart a message that was received. It always returns a message,
// which the caller closes, and with it the bytes received. When ctx is done or
// room runs out, the rest stays closed and a finding says so.
func (o *Opener) Open(ctx context.Context, in scan.Received) *scan.Message {
	m := &scan.Message{Envelope: in.Envelope, Header: in.Tree.Root.Header, Raw: in.Raw, Root: in.Tree.Root}
	m.OnClose(in.Raw)
	budget := archive.NewBudget(o.limits.Archive)
	ctx, done := budget.Within(ctx, o.limits.CPU)
	defer done()
	leave := func() {}
	defer func() { leave() }()
	budget.Weigh(lightMessage, func() { leave = o.spool.Heavy.Enter(ctx) })
	m.Heavy = o.spool.Heavy
	talk := &correspondence{}
	if o.limits.Archive.TryWords {
		budget.Words = talk.secrets
		budget.Earlier = o.Letters.recall(in.Envelope, o.limits.Archive.WordsFor.Go())
		defer func() { o.Letters.note(in.Envelope, in.Raw, in.Tree.Root, o.limits.Archive.WordsFor.Go()) }()
	}
	w := &work{
		Opener: o,
		ctx:    ctx,
		top:    in.Tree,
		m:      m,
		budget: budget,
		talk:   talk,
		paths:  paths{},
		said:   map[string]bool{},
	}
	if in.Truncated() {
		w.note(scan.Unscannable, "mime", "message-size", scan.WholeMessage,
			fmt.Sprintf("%d bytes; only the first %d were examined", in.Size, in.Raw.Size()))
	}
	w.tree(container{part: scan.WholeMessage}, in.Raw, in.Tree)
	if w.late() {
		w.tooLong()
	}
	m.Notes, m.Work = w.notes.Findings(), budget.Rest()
	return m
}

// lightMessage is what a message may unpack to, in bytes, without waiting for others
// that unpack to more.
const lightMessage = 4 << 20

// What it costs to look at a byte of a message or of a text, in addition to decoding it.
const (
	priceParse archive.Price = 8_000
	priceCarve archive.Price = 2_000
)

// work is the opening of one message.
type work struct {
	*Opener
	ctx       context.Context
	top       *entity.Tree // of the message itself; all inside it share its limits
	m         *scan.Message
	budget    *archive.Budget
	talk      *correspondence
	paths     paths
	nameBytes int // of the names of all parts
	notes     scan.Sieve
	said      map[string]bool // notes that are made once
	full      bool            // a limit on all parts was reached and said
}

// container is what the next parts come out of.
type container struct {
	part      int    // index into Parts, or scan.WholeMessage
	path      string // its path
	separator string // between its path and a part number: "." or "/"
	archives  int    // archives around it
	nested    int    // separately parsed messages around it
	own       bool   // what comes out are the container's own records (archive.Member)
}

// errStopped ends the opening of everything: a limit on the whole message was
// reached, or time or room ran out.
var errStopped = errors.New("opening stopped")

// note adds a finding about a part.
func (w *work) note(kind scan.Kind, scanner, code string, part int, detail string) {
	w.notes.Add(scan.Finding{Kind: kind, Scanner: scanner, Rule: scanner + "/" + code, Part: part, Detail: detail})
}

// add makes p a part of the message, if there is room for it.
func (w *work) add(p scan.Part) (int, error) {
	if len(w.m.Parts) >= w.limits.Parts {
		w.stop(scan.Unscannable, "mime", "too-many-parts", fmt.Sprintf("more than %d parts", w.limits.Parts))
		return 0, errStopped
	}
	if w.late() {
		return 0, w.tooLong()
	}
	if !p.Archived { // or it was charged as a member
		w.budget.Work(1, archive.PricePart)
	}
	p.Path = w.paths.unique(shortPath(p.Path))
	p.Names = w.named(p.Names)
	w.m.Parts = append(w.m.Parts, p)
	return len(w.m.Parts) - 1, nil
}

// late reports whether the time for this message is over, or the work.
func (w *work) late() bool { return w.ctx.Err() != nil }

// tooLong says that the rest was not opened: because of what it takes, which is a
// property of the message, or because the time was over before that was done, which
// depends on this host and the moment.
func (w *work) tooLong() error {
	if w.budget.Overworked() {
		w.stop(scan.Unscannable, "mime", "time", "opening takes more work than is done for one message")
	} else {
		w.stop(scan.Failed, "mime", "failed", "the time for this message was over before it was opened")
	}
	return errStopped
}

// once says something about the whole message that need not be said again.
func (w *work) once(kind scan.Kind, code, detail string) {
	if !w.said[code] {
		w.said[code] = true
		w.note(kind, "mime", code, scan.WholeMessage, detail)
	}
}

// stop says, once, why nothing further is opened.
func (w *work) stop(kind scan.Kind, scanner, code, detail string) {
	if w.full {
		return
	}
	w.full = true
	w.note(kind, scanner, code, scan.WholeMessage, detail)
}

// buffer returns a buffer that lives as long as the message, and is watched.
func (w *work) buffer(watches []scratch.Watch) *spool.Buffer {
	b := w.spool.Buffer()
	b.Lore().Watch(watches)
	w.m.OnClose(b)
	return b
}

// noRoom says that the spool could not take a part, which is no property of the
// message: trying again may help.
func (w *work) noRoom(err error) error {
	w.stop(scan.Failed, "mime", "failed", err.Error())
	return errStopped
}

// look fills in what can be told from the content.
func look(p *scan.Part) {
	if p.Content != nil && p.Content.Size() > 0 {
		p.Sniffed = sniff.Type(p.Content, p.Content.Size())
	}
}
