package policy

import (
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/entity"
)

// Input is all that a decision depends on.
type Input struct {
	ID       string
	Stage    scan.Stage
	Envelope scan.Envelope
	Header   entity.Header
	Size     int64
	Now      time.Time
	Found    []scan.Finding
	Parts    []scan.Part // to name the attachment in the reply
}
