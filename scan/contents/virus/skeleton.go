package virus

import (
	"bytes"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// skeletonTop is in front of every skeleton: an engine that goes by the
// first bytes then takes it for a mail, whatever field the mail begins with.
const skeletonTop = "Received: by milterscan\r\n"

// A longer text was not written by hand, and is sent decoded like any attachment.
const (
	bodySize  = 1 << 20
	bodyHead  = 16 << 10
	bodyDepth = 6
	bodyParts = 100
)

// entities is a set of entities.
type entities map[*entity.Entity]bool

// skeleton is a message without the bodies of its attachments: headers,
// structure and text, for signatures written for whole mails.
type skeleton struct {
	joined
	bodies entities // the text bodies it holds
}

// newSkeleton walks the entities of a message that were read from its raw bytes. Parts
// of attached messages that had to be decoded first are not among them.
func newSkeleton(raw scan.Content, root *entity.Entity) *skeleton {
	w := &cutter{raw: raw, s: &skeleton{bodies: entities{}}}
	w.s.append(bytes.NewReader([]byte(skeletonTop)))
	if root != nil {
		w.walk(root, nil)
	}
	w.keep(raw.Size())
	return w.s
}

// cutter goes through the raw message from front to back.
type cutter struct {
	raw  scan.Content
	from int64 // all before is kept or cut
	s    *skeleton
}

// walk goes through e, which lies in the given attached message, or in none. The
// text of an attached message stays in the skeleton, but does not count as read
// there: clamd makes no separate file of it, and misses signatures for the start of a
// file.
func (w *cutter) walk(e, attached *entity.Entity) {
	within := attached
	if strings.HasPrefix(e.Type, "message/") {
		within = e
	}
	for _, child := range e.Children {
		w.walk(child, within)
	}
	switch {
	case len(e.Children) > 0 || e.Composite():
	case !isBody(e):
		w.cut(e.Body)
	case attached == nil:
		w.s.bodies[e] = true
	}
}

// cut leaves out what b covers.
func (w *cutter) cut(b entity.Span) {
	if b.Start < w.from || b.End < b.Start || b.End > w.raw.Size() {
		return // no order, no cut: rather too much than too little
	}
	w.keep(b.Start)
	w.from = b.End
}

// keep takes all up to end.
func (w *cutter) keep(end int64) {
	if end > w.from {
		w.s.append(section(w.raw, w.from, end))
		w.from = end
	}
}

// isBody reports whether e is text that a mail program shows as part of the
// mail, in a form every program decodes.
func isBody(e *entity.Entity) bool {
	switch e.Encoding {
	case entity.Identity, entity.Base64, entity.QuotedPrintable:
	default:
		return false
	}
	return strings.HasPrefix(e.Type, "text/") && len(e.Names) == 0 && e.Disposition != "attachment" &&
		e.Body.Len() <= bodySize && e.Head.Len() <= bodyHead && strings.Count(e.Number, ".") < bodyDepth
}
