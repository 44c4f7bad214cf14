package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// ErrOld says that a server is a primary from before a failover: since then others have written to the one that took
// its place.
var ErrOld = errors.New("it is an old primary, in whose place another server was promoted")

// Timelines remembers the latest timeline of each cluster that was seen. PostgreSQL begins a new timeline, with the next
// number, whenever a standby is promoted, so that of two servers of one cluster that can be written to, the one with the
// higher number has what was written last. It may be used by any number of goroutines; the zero value remembers nothing yet.
type Timelines struct {
	mu     sync.Mutex
	latest map[string]uint32 // by the identifier that all servers of a cluster have
}

// See notes the timeline of a server that can be written to. The error is ErrOld if a later one was seen before. Of a server that
// does not say where it stands nothing is known, and there is no error.
func (t *Timelines) See(s Standing) error {
	if s.System == "" || s.Timeline == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	latest := t.latest[s.System]
	if s.Timeline < latest {
		return fmt.Errorf("%w: its timeline is %d, and timeline %d was seen", ErrOld, s.Timeline, latest)
	}
	if t.latest == nil {
		t.latest = map[string]uint32{}
	}
	t.latest[s.System] = s.Timeline
	return nil
}

// MarshalJSON returns what is remembered.
func (t *Timelines) MarshalJSON() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.latest == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(t.latest)
}

// UnmarshalJSON adds what was remembered elsewhere.
func (t *Timelines) UnmarshalJSON(text []byte) error {
	var before map[string]uint32
	if err := json.Unmarshal(text, &before); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.latest == nil {
		t.latest = map[string]uint32{}
	}
	for system, timeline := range before {
		t.latest[system] = max(t.latest[system], timeline)
	}
	return nil
}
