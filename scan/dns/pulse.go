package dns

import (
	"sync"
	"time"
)

// What it takes for the servers to count as dead, and how often one question is
// let through to see whether they still are.
const (
	missesOfTheDead = 8
	trialEvery      = time.Second
)

// pulse is whether the servers are alive. While they are not, questions fail at
// once, so that dead resolvers cost the first messages their time and no others.
type pulse struct {
	mu    sync.Mutex
	first int       // the server that answered last
	heard time.Time // when any of them did, to any question
	miss  int       // silences since then
	trial time.Time // when a question was last let through to the dead
	busy  bool      // somebody is knocking
}

// mayAsk reports whether a question may be put now.
func (p *pulse) mayAsk(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.miss < missesOfTheDead {
		return true
	}
	if now.Sub(p.trial) < trialEvery {
		return false
	}
	p.trial = now
	return true
}

// server is the server for the n-th try.
func (p *pulse) server(n, servers int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return (p.first + n) % servers
}

func (p *pulse) answered(server int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first, p.heard, p.miss = server, now, 0
}

func (p *pulse) missed(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.miss++
	if p.miss == missesOfTheDead {
		p.trial = now
	}
}

// silent reports whether no server has answered anything since the given time.
func (p *pulse) silent(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.Before(since)
}

// knocking reports whether the caller is the one to knock; knocked must follow.
func (p *pulse) knocking() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := !p.busy
	p.busy = true
	return free
}

func (p *pulse) knocked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}
