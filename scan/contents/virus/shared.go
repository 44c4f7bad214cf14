package virus

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// Clean remembers for engines of several hosts which contents were found clean a moment ago, each by a key. It may be used by
// any number of goroutines.
type Clean interface {
	// Recall reports of each key whether it is remembered. It takes some milliseconds at most, and reports of none where it
	// cannot know.
	Recall(ctx context.Context, keys []scan.Sum) []bool
	// Keep remembers keys for a minute at most. Nobody waits for it.
	Keep(keys []scan.Sum)
}

// together is what engines that are the same on several hosts know together.
type together struct {
	Clean
	engine string // what all their keys have in common
}

// share has the servers of an engine remember what those of other hosts found clean.
func (e *Engine) share(c Config, all Clean) {
	e.hash = sha256Of
	for _, s := range e.servers {
		s.together = together{all, fmt.Sprintf("%s %s %d", c.Type, c.Name, e.limit)}
	}
}

// key returns the key of a content that some signatures find nothing in.
func (t together) key(database string, s sum) scan.Sum {
	return sha256.Sum256(fmt.Appendf(nil, "clean 1 %q %q %x", t.engine, database, s))
}

// ofParts returns the questions whose contents have a hash, with their keys.
func (t together) ofParts(database string, all []*Question) (some []*Question, keys []scan.Sum) {
	if t.Clean == nil || database == "" {
		return nil, nil
	}
	for _, q := range all {
		if q.sum != (sum{}) {
			some, keys = append(some, q), append(keys, t.key(database, q.sum))
		}
	}
	return some, keys
}

// recall answers the questions whose contents another host has found clean, by the same signatures.
func (t together) recall(ctx context.Context, database string, open []*Question) {
	some, keys := t.ofParts(database, open)
	if len(some) == 0 {
		return
	}
	for i, clean := range t.Clean.Recall(ctx, keys) {
		if clean {
			some[i].Clean()
		}
	}
}

// keep tells the others of the contents that were found clean. Only what was asked about is told: nothing would end what hosts
// have from each other.
func (t together) keep(database string, asked []*Question) {
	var clean []*Question
	for _, q := range asked {
		if q.done && q.signature == "" {
			clean = append(clean, q)
		}
	}
	if _, keys := t.ofParts(database, clean); len(keys) > 0 {
		t.Clean.Keep(keys)
	}
}
