package dnslist

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Heard is what became of one question about a message, or of all about a message where
// the list is off.
type Heard struct {
	List   string // its name
	Result Result
	Took   time.Duration // 0 where the list is off
}

// Result is what a list says.
type Result string

// The results.
const (
	Listed    Result = "listed"
	NotListed Result = "not_listed"
	Failed    Result = "failed" // no answer, or one that is none
	Off       Result = "off"    // the list is not asked
)

// question looks a subject up, and tells what became of that. Answers out of the
// resolver's cache are questions as well.
func (l *list) question(ctx context.Context, r dns.Resolver, s subject) entry {
	begun := time.Now()
	e := l.look(ctx, r, s)
	h := Heard{List: l.Name, Result: NotListed, Took: time.Since(begun)}
	switch {
	case e.err != nil:
		h.Result = Failed
	case e.listed():
		h.Result = Listed
	}
	l.tell(h)
	return e
}
