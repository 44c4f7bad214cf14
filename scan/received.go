package scan

import (
	"io"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// Received is a message as it came in, before it is opened.
type Received struct {
	Envelope Envelope
	// Raw is the message as far as it was stored. The function that judges the
	// message owns it and closes it once its last reader is done, which may be later
	// than the answer, where a scanner outstays its time.
	Raw interface {
		Content
		io.Closer
	}
	Tree  *entity.Tree // of Raw
	Size  int64        // what was sent, stored or not
	Begun []*Pending   // of the stages before, nil never among them
}

// Truncated reports whether the message was over a limit, so that Raw and Tree
// hold its beginning only. No scanner has seen the rest.
func (r Received) Truncated() bool { return r.Size > r.Raw.Size() }
