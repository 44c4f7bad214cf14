package scan

import (
	"context"
	"sync"
)

// Forerunner is a Scanner that begins with a message before it is opened, so that a server works
// meanwhile.
type Forerunner interface {
	Scanner
	// Ahead begins, and returns what Scan will take from the message; nil if it has not
	// begun. It waits for nobody, and nothing of the message is read once it has returned.
	Ahead(ctx context.Context, in Received) Begun
}

// Begun is what a scanner has begun. Who takes it drops it in the end.
type Begun interface{ Drop() }

// Ahead is what scanners have begun with one message. A nil Ahead is nothing.
type Ahead struct {
	mu    sync.Mutex
	begun map[string]Begun // by the names of the scanners
}

// Ahead has all scanners begin that do so before a message is opened; nil if none did. What no Scan
// has taken is to be dropped.
func (e *Engine) Ahead(ctx context.Context, in Received) *Ahead {
	var a *Ahead
	for _, f := range e.forerunners {
		b := f.Ahead(ctx, in)
		if b == nil {
			continue
		}
		if a == nil {
			a = &Ahead{begun: map[string]Begun{}}
		}
		a.begun[f.Name()] = b
	}
	return a
}

// Take returns what a scanner has begun, nil if that is nothing or was taken. It belongs to the caller.
func (a *Ahead) Take(scanner string) Begun {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.begun[scanner]
	delete(a.begun, scanner)
	return b
}

// Drop drops what was not taken.
func (a *Ahead) Drop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.begun {
		b.Drop()
	}
	a.begun = nil
}
