package policy

import "github.com/milterscan/milterscan/scan"

// Copy is a message to be kept, with what was found and decided.
type Copy struct {
	ID       string
	Envelope scan.Envelope
	Raw      scan.Content
	Found    []scan.Finding
	Decision Decision
}
