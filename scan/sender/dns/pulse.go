package dns

import (
	"sync"
	"time"
)

// When the servers count as dead, and how often one question tests whether they
// still are.
const (
	missesOfTheDead = 8
	knockEvery      = time.Second
)

// pulse knows whether the servers are alive. While they are not, questions fail at
// once, so that dead resolvers delay only the first messages.
type pulse struct {
	mu    sync.Mutex
	first int       // the server that answered last
	heard time.Time // when any of them did, to any question
	miss  int       // silences since then
	knock time.Time // when the last test began
	busy  bool      // a test is on its way
}

// dead reports whether there is no use in asking.
func (p *pulse) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.miss >= missesOfTheDead
}

// lively returns the server to ask first.
func (p *pulse) lively() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first
}

func (p *pulse) answered(server int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first, p.heard, p.miss = server, now, 0
}

func (p *pulse) missed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.miss++
}

// silent reports whether no server has answered anything since the given time.
func (p *pulse) silent(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.Before(since)
}

// knocking reports whether the caller is the one to knock now; knocked must
// follow.
func (p *pulse) knocking(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy || p.miss >= missesOfTheDead && now.Sub(p.knock) < knockEvery {
		return false
	}
	p.busy, p.knock = true, now
	return true
}

func (p *pulse) knocked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}
