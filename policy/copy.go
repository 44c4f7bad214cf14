package policy

import "github.com/milterscan/milterscan/scan"

// Copy is a message to be kept, byte for byte, with what was found and decided.
type Copy struct {
	Record Record
	Raw    scan.Content
}
