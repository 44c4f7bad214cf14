package dns

import (
	"container/list"
	"sync"
	"time"
)

// question is the key of an answer in the cache.
type question struct {
	name string
	t    Type
}

// answer is the result of a question: records, or an error.
type answer struct {
	records []Record
	err     error
	ttl     time.Duration // how long it may be kept; 0: not at all
}

// Sizes in memory, roughly: of an entry, and of a record in it without its text.
const (
	entrySize  = 256
	recordSize = 80
)

// size returns the memory that an answer takes, in bytes.
func (a answer) size(q question) int64 {
	n := int64(entrySize + 2*len(q.name))
	for _, r := range a.records {
		n += int64(recordSize + len(r.Host) + len(r.Text))
	}
	return n
}

// cache keeps answers until they expire or others need their room: the one not
// asked for longest goes first.
type cache struct {
	mu      sync.Mutex
	size    int64 // of all that may be kept
	room    int64 // that is still free
	entries map[question]*list.Element
	recent  *list.List // of *entry, the last used in front
}

type entry struct {
	question
	answer
	expires time.Time
	size    int64
}

func newCache(size int64) *cache {
	return &cache{size: size, room: size, entries: map[question]*list.Element{}, recent: list.New()}
}

// get returns an answer that is still good at the given time.
func (c *cache) get(q question, now time.Time) (answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[q]
	if !ok {
		return answer{}, false
	}
	if kept := e.Value.(*entry); now.Before(kept.expires) {
		c.recent.MoveToFront(e)
		return kept.answer, true
	}
	c.remove(e)
	return answer{}, false
}

// put keeps an answer, unless it may not be kept or is larger than an eighth of
// all the room.
func (c *cache) put(q question, a answer, now time.Time) {
	size := a.size(q)
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[q]; ok {
		c.remove(old)
	}
	if a.ttl <= 0 || size > c.size/8 {
		return
	}
	for c.room < size {
		c.remove(c.recent.Back())
	}
	c.room -= size
	c.entries[q] = c.recent.PushFront(&entry{q, a, now.Add(a.ttl), size})
}

func (c *cache) remove(e *list.Element) {
	kept := e.Value.(*entry)
	c.recent.Remove(e)
	delete(c.entries, kept.question)
	c.room += kept.size
}
