package unpack

import (
	"container/list"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Bounds of the memory of earlier messages. Words have at most 256 bytes.
const (
	mostPairs      = 20_000 // senders and recipients
	mostWordBytes  = 4 << 20
	mostAddressees = 20 // of one message: a password goes to few
	// LongestMemory is how long words may be remembered.
	LongestMemory = time.Hour
)

// Letters remembers words of messages that may be passwords, for a while, so that they are tried on what the same
// sender sends to the same recipient next. They are in memory alone, without the addresses, and nowhere written;
// of more than there is room for the oldest are forgotten. Its methods may be called by any number of goroutines.
type Letters struct {
	now   func() time.Time
	seed  maphash.Seed
	mu    sync.Mutex
	pairs map[uint64]*list.Element // of *letter
	order *list.List               // the one that was heard of longest ago comes first
	bytes int
}

// letter holds the words remembered of a pair.
type letter struct {
	key   uint64
	words []heardWord // those of the last message come first
}

// heardWord is a word with the time until which it is remembered.
type heardWord struct {
	text  string
	until time.Time
}

// NewLetters returns a memory of nothing.
func NewLetters() *Letters {
	return &Letters{now: time.Now, seed: maphash.MakeSeed(), pairs: map[uint64]*list.Element{}, order: list.New()}
}

// keys returns the pairs that a message is of: none where there is no sender, or many recipients.
func (l *Letters) keys(e scan.Envelope) []uint64 {
	if e.Sender == "" || len(e.Recipients) > mostAddressees {
		return nil
	}
	var keys []uint64
	for _, to := range e.Recipients {
		var h maphash.Hash
		h.SetSeed(l.seed)
		h.WriteString(strings.ToLower(e.Sender))
		h.WriteByte(0)
		h.WriteString(strings.ToLower(to))
		if key := h.Sum64(); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// recall returns a function that tells the words of earlier messages of the pairs of a message, the latest first.
// It is nil where nothing is remembered.
func (l *Letters) recall(e scan.Envelope, hold time.Duration) func() []string {
	if l == nil || hold <= 0 {
		return nil
	}
	return sync.OnceValue(func() (words []string) {
		keys, now := l.keys(e), l.now()
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, key := range keys {
			at, ok := l.pairs[key]
			if !ok {
				continue
			}
			for _, w := range at.Value.(*letter).words {
				if len(words) < mostSecrets && now.Before(w.until) && !slices.Contains(words, w.text) {
					words = append(words, w.text)
				}
			}
		}
		return words
	})
}

// note remembers words of a message for its pairs.
func (l *Letters) note(e scan.Envelope, content scan.Content, root *entity.Entity, hold time.Duration) {
	if l == nil || hold <= 0 {
		return
	}
	keys := l.keys(e)
	if len(keys) == 0 {
		return
	}
	words := pickFrom(said{content: content, root: root}).promising()
	if len(words) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.now().Add(min(hold, LongestMemory))
	l.forget()
	for _, key := range keys {
		l.add(key, words, until)
	}
}

// add puts words before those that are remembered of a pair, and makes room for them.
func (l *Letters) add(key uint64, words []string, until time.Time) {
	pair := &letter{key: key}
	for _, w := range words {
		pair.words = append(pair.words, heardWord{strings.Clone(w), until})
	}
	if at, ok := l.pairs[key]; ok {
		for _, w := range at.Value.(*letter).words {
			known := func(other heardWord) bool { return other.text == w.text }
			if len(pair.words) < mostSecrets && l.now().Before(w.until) && !slices.ContainsFunc(pair.words, known) {
				pair.words = append(pair.words, w)
			}
		}
		l.drop(at)
	}
	l.pairs[key] = l.order.PushBack(pair)
	l.bytes += pair.size()
	for len(l.pairs) > mostPairs || l.bytes > mostWordBytes {
		l.drop(l.order.Front())
	}
}

// size returns how many bytes the words of a pair have.
func (p *letter) size() (n int) {
	for _, w := range p.words {
		n += len(w.text)
	}
	return n
}

// drop forgets a pair.
func (l *Letters) drop(at *list.Element) {
	pair := l.order.Remove(at).(*letter)
	l.bytes -= pair.size()
	delete(l.pairs, pair.key)
}

// Forget forgets all whose time is over.
func (l *Letters) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}

// forget drops the pairs of which nothing is to be remembered any more. The latest words of a pair are its first, and
// pairs are in the order of these, unless the time for which words are remembered was changed since.
func (l *Letters) forget() {
	now := l.now()
	for at := l.order.Front(); at != nil && !now.Before(at.Value.(*letter).words[0].until); at = l.order.Front() {
		l.drop(at)
	}
}
