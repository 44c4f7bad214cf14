package virus

import (
	"context"
	"sync"
	"time"
)

const (
	// memorySize bounds how many contents are remembered, at 40 bytes or so each.
	memorySize = 16384
	// databaseAge is how old the knowledge of the server's database may be.
	databaseAge = 5 * time.Second
	// memoryAge bounds how long a verdict is remembered. A small list that was added
	// may not show in what the server tells about its database, so this is all that
	// ends a verdict then.
	memoryAge = databaseAge
)

// memory holds the contents that a server has called clean of late, so that an
// attachment sent to fifty people is scanned once. Only "clean" is remembered,
// only for a moment, and only as long as the server's database stays what it was
// before the content was sent.
type memory struct {
	mu       sync.Mutex
	known    string    // the database that young and old are about; "" for none
	asked    time.Time // when known was asked for
	asking   bool
	turned   time.Time // when young was begun
	young    map[sum]struct{}
	previous map[sum]struct{}
}

// database names the database the server uses now, asking the server when that
// was not done for a while; "" if it is not known. Only one caller asks; the
// others do without the memory meanwhile.
func (m *memory) database(ctx context.Context, v Versioned) string {
	m.mu.Lock()
	if fresh := time.Since(m.asked) < databaseAge; fresh || m.asking {
		defer m.mu.Unlock()
		if !fresh {
			return ""
		}
		return m.known
	}
	m.asking = true
	m.mu.Unlock()

	begun := time.Now()
	name := v.Database(ctx)

	m.mu.Lock()
	defer m.mu.Unlock()
	m.asking, m.asked = false, begun
	if name != m.known {
		m.known, m.young, m.previous = name, nil, nil
	}
	return name
}

// recall answers the questions whose contents are remembered as clean.
func (m *memory) recall(database string, all []*Question) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if database == "" || database != m.known {
		return
	}
	m.turn(time.Now())
	for _, q := range all {
		if q.sum != (sum{}) && m.holds(q.sum) {
			q.done = true
		}
	}
}

func (m *memory) holds(s sum) bool {
	_, young := m.young[s]
	_, previous := m.previous[s]
	return young || previous
}

// keep remembers the contents that were found clean, if the database is still the
// one it was when they were sent.
func (m *memory) keep(database string, all []*Question) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if database == "" || database != m.known {
		return
	}
	m.turn(time.Now())
	for _, q := range all {
		if q.done && q.signature == "" && q.sum != (sum{}) && !m.holds(q.sum) {
			m.young[q.sum] = struct{}{}
		}
	}
}

// turn forgets by halves: young grows until it is full or half of memoryAge old, and
// is then kept for as long again.
func (m *memory) turn(now time.Time) {
	age := now.Sub(m.turned)
	if m.young != nil && age < memoryAge/2 && len(m.young) < memorySize/2 {
		return
	}
	m.previous = m.young
	if age >= memoryAge {
		m.previous = nil
	}
	m.young, m.turned = map[sum]struct{}{}, now
}
