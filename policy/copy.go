package policy

import (
	"net/netip"

	"github.com/milterscan/milterscan/scan"
)

// Copy is a message to be kept, byte for byte, with what was found and decided.
type Copy struct {
	Record Record
	Raw    scan.Content
	Jobs   []Job // that go on about the message
}

// Job is what a scanner works on that had no verdict when the message was decided about.
type Job struct {
	Scanner string // such as "virus/sandbox"
	Name    string // by which the scanner is asked; "" if it gave none
}

// Jobs returns the jobs of findings, each once.
func Jobs(found []scan.Finding) []Job {
	var list []Job
	seen := map[Job]bool{}
	for _, f := range found {
		j := Job{scan.PendingScanner(f.Rule), f.Job}
		if j.Scanner != "" && !seen[j] {
			seen[j] = true
			list = append(list, j)
		}
	}
	return list
}

// Appeal is a message that is refused, and that its sender may ask for.
type Appeal struct {
	ID         string
	Client     netip.Addr // of SMTP; the zero address where none is known
	Sender     string
	Recipients []string // who may be asked
	Size       int64    // in bytes
}
