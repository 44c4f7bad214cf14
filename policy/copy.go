package policy

import (
	"net/netip"

	"github.com/milterscan/milterscan/scan"
)

// Copy is a message to be kept, byte for byte, with what was found and decided.
type Copy struct {
	Record Record
	Raw    scan.Content
}

// Appeal is a message that is refused, and that its sender may ask for.
type Appeal struct {
	ID         string
	Client     netip.Addr // of SMTP; the zero address where none is known
	Sender     string
	Recipients []string // who may be asked
	Size       int64    // in bytes
}
