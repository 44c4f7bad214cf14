package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// ErrOld says that the only server that can be used is a primary from before a failover.
var ErrOld = postgres.ErrOld

// look sees where the servers stand, so that of two that can be written to the one is used that was promoted last. Through
// a pooler of connections the server may be another one than before: it is asked again as well.
func (s *State) look(ctx context.Context) error {
	list, err := s.standings(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	p, err := s.open()
	if err != nil {
		return err
	}
	one, err := postgres.StandingOf(ctx, p.watch)
	if err == nil {
		err = s.timelines.See(one)
	}
	s.doubt(errors.Join(s.several(list), s.memorize()))
	return err
}

// standings asks the servers where they stand, and remembers the latest timeline, and the server that connections are to try
// first. It has a time of its own: one that does not say a word leaves the others theirs.
func (s *State) standings(ctx context.Context) ([]postgres.Standing, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if err := s.recall(); err != nil {
		return nil, err
	}
	list, err := s.pool(1, lookTime).Standings(ctx)
	for _, one := range list {
		if one.Writable {
			s.timelines.See(one) // which of them are old shows when all were seen
		}
	}
	s.prefer(list)
	return list, err
}

// prefer has connections try the first server that can be written to and is not old before all others, until another one is.
func (s *State) prefer(list []postgres.Standing) {
	i := slices.IndexFunc(list, func(one postgres.Standing) bool { return one.Writable && s.timelines.See(one) == nil })
	if i < 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = list[i].Place
}

// preferred returns the place of the server that connections try first; "" if none is known.
func (s *State) preferred() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// several returns an error if more than one server can be written to.
func (s *State) several(list []postgres.Standing) error {
	var writable []string
	for _, one := range list {
		if !one.Writable {
			continue
		}
		text := one.Place
		if s.timelines.See(one) != nil {
			text += " (an old primary, which is not used)"
		}
		writable = append(writable, text)
	}
	if len(writable) < 2 {
		return nil
	}
	return fmt.Errorf("%d servers can be written to, and only one should: %s", len(writable), strings.Join(writable, ", "))
}

// doubt notes what the last look found odd.
func (s *State) doubt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubts = err
}

// Doubts returns what the last look at the servers found that is not as it should be, though the database can be used.
func (s *State) Doubts() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doubts
}

// recall reads which timelines were seen before this process began, once.
func (s *State) recall() error {
	file := s.options.Seen
	s.memory.Lock()
	defer s.memory.Unlock()
	if file == "" || s.recalled {
		return nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, s.timelines)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refusal{fmt.Errorf("which servers may be used is not known: %s cannot be read: %w; if no old primary can be reached, delete it",
			file, err)}
	}
	s.recalled, s.memorized = true, cmp.Or(string(text), "{}")
	return nil
}

// memorize writes the timelines that were seen into the file, if there are others than before. What other processes have written there
// is learned first, so that one that knows less takes nothing away, or not for long. A file that was removed meanwhile is not made
// again for what was in it.
func (s *State) memorize() error {
	file := s.options.Seen
	if file == "" {
		return nil
	}
	s.memory.Lock()
	defer s.memory.Unlock()
	there, err := os.ReadFile(file)
	if err == nil {
		json.Unmarshal(there, s.timelines) // what cannot be read is written anew
	}
	text, failed := json.Marshal(s.timelines)
	switch {
	case failed != nil:
		return failed
	case err == nil && string(text) == string(there):
		s.memorized = string(text)
		return nil
	case err != nil && string(text) == s.memorized:
		return nil
	}
	if err = disk.Save(file, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return fmt.Errorf("a restart would not know old primaries: %w", err)
	}
	s.memorized = string(text)
	return nil
}
