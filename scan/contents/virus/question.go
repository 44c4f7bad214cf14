package virus

import (
	"cmp"

	"github.com/milterscan/milterscan/scan"
)

// Question is one content that an engine is asked about, for all parts that hold
// it.
type Question struct {
	Content scan.Content

	parts     []int // indices, or scan.WholeMessage
	sum       sum
	done      bool
	signature string // what was found, "" for nothing
	tooBig    bool   // the engine refused it for its size
	pending   bool   // the server works on, and has no verdict yet
	job       string // under which it does
}

// Clean answers that nothing is known against the content.
func (q *Question) Clean() { q.done = true }

// Infected answers that the content matches a signature.
func (q *Question) Infected(signature string) {
	q.done, q.signature = true, cmp.Or(signature, unnamed)
}

// unnamed is the signature of malware that an engine gives no name.
const unnamed = "unnamed"

// TooBig answers that the server did not look, since the content is larger than it
// takes.
func (q *Question) TooBig() { q.tooBig = true }

// Pending answers that the server works on under the name of a job, and has no verdict yet.
func (q *Question) Pending(job string) { q.pending, q.job = true, job }

// unanswered returns the questions without an answer. That a content was refused for
// its size is one.
func unanswered(all []*Question) []*Question {
	var open []*Question
	for _, q := range all {
		if !q.done && !q.tooBig && !q.pending {
			open = append(open, q)
		}
	}
	return open
}
