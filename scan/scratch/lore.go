package scratch

import (
	"slices"
	"sync"
)

// Lore is what was learnt of a content by looking at all of its bytes, for who would have to look at them
// again. Its zero value is empty; any number of goroutines may use it.
type Lore struct {
	mu      sync.Mutex
	watches []Watch
	known   []learnt
}

type learnt struct{ key, result any }

// Watch has a content watched by who is interested in all of its bytes: the first pass of Windows over them shows
// them to what Begin returns, which is learnt under Key if the pass comes to the end.
type Watch struct {
	Key   any
	Begin func(c Content) Watcher
}

// Watcher is shown bytes in their order, each once.
type Watcher interface{ See(b []byte) }

// lored is a Content that keeps what is learnt of it.
type lored interface{ Lore() *Lore }

// LoreOf returns what is known of a content; nil if it does not keep such. What wraps one and has the same bytes has
// the same lore.
func LoreOf(c any) *Lore {
	if l, ok := c.(lored); ok {
		return l.Lore()
	}
	return nil
}

// Watch has the content watched from here on. It is to be called before others may read it.
func (l *Lore) Watch(all []Watch) { l.watches = all }

// Learn keeps a result, which nobody changes any more, under a key of a type of the caller's own.
func (l *Lore) Learn(key, result any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = append(l.known, learnt{key, result})
}

// Recall returns the result that is kept under a key; nil if there is none.
func (l *Lore) Recall(key any) any {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.known, func(k learnt) bool { return k.key == key }); i >= 0 {
		return l.known[i].result
	}
	return nil
}

// Seen returns what somebody who watches c learnt under a key, after a pass over c if there was none yet; nil if nobody
// watches it, it is too small for that, or it cannot be read.
func Seen(c Content, key any) any {
	l := LoreOf(c)
	if known := l.Recall(key); known != nil || !l.awaits(c) {
		return known
	}
	Windows(c, 0, 0, func([]byte, int64) error { return nil }) // an error leaves nothing learnt
	return l.Recall(key)
}

// awaits reports whether the first pass over c is still to come, and to be shown to somebody. What is so small that
// it is as well read again is not.
func (l *Lore) awaits(c Content) bool {
	return l != nil && len(l.watches) > 0 && c.Size() > Size && l.Recall(l.watches[0].Key) == nil
}

// pass is one over a content that is watched.
type pass struct {
	lore     *Lore
	watchers []Watcher // by watch
	seen     int64     // bytes that were shown
}

// watched returns a pass over c, which begins at a place: nil if it need not be shown to anybody.
func watched(c Content, from int64) *pass {
	l := LoreOf(c)
	if from > 0 || !l.awaits(c) {
		return nil
	}
	p := &pass{lore: l}
	for _, w := range l.watches {
		p.watchers = append(p.watchers, w.Begin(c))
	}
	return p
}

// see shows a window to the watchers, but for what was in the one before.
func (p *pass) see(b []byte, off int64) {
	if p == nil {
		return
	}
	for _, w := range p.watchers {
		w.See(b[p.seen-off:])
	}
	p.seen = off + int64(len(b))
}

// end keeps what the watchers learnt, if they have seen all.
func (p *pass) end(size int64) {
	if p == nil || p.seen < size {
		return
	}
	for i, w := range p.watchers {
		p.lore.Learn(p.lore.watches[i].Key, w)
	}
}
