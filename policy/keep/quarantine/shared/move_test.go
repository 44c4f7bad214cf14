package shared

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// TestMoveAll: a round goes on after the last message that was refused in the one before, so that no number of those
// holds up the others.
func TestMoveAll(t *testing.T) {
	refused, away := errors.New("refused"), errors.New("away")
	var ids []string
	bad := map[string]error{}
	for n := range 40 {
		id := fmt.Sprintf("m%02d", n)
		ids = append(ids, id)
		if n < 15 || n >= 20 && n < 32 {
			bad[id] = refused
		}
	}
	bad["m35"], bad["m36"] = quarantine.ErrDamaged, quarantine.ErrUnknown
	there := ids
	lasting := func(error) bool { return false }
	round := func(after string, check error) (m Moves, err error) {
		var left []string
		moved := map[string]bool{}
		m, err = mover{func(_ context.Context, id string) (Taken, error) {
			moved[id] = bad[id] == nil
			return Fresh, bad[id]
		}, func(context.Context) error { return check }, func(string, error) {}, lasting}.all(t.Context(), turned(there, after))
		for _, id := range there {
			if !moved[id] {
				left = append(left, id)
			}
		}
		there = left
		return m, err
	}
	if m, err := round("", away); !errors.Is(err, refused) || m.Refused != "m00" || m.Done() > 0 {
		t.Errorf("while the database is away: %+v, %v", m, err)
	}
	after := ""
	for range 4 {
		m, err := round(after, nil)
		if !errors.Is(err, refused) || m.Refused == after {
			t.Errorf("after %q: %+v, %v", after, m, err)
		}
		after = m.Refused
	}
	if len(there) != len(bad) {
		t.Errorf("left are %v", there)
	}
	for _, id := range there {
		if bad[id] == nil {
			t.Errorf("%s is held up", id)
		}
	}
	lasting = func(err error) bool { return errors.Is(err, refused) }
	there = append(there, "m99")
	if m, err := round("", away); err != nil || m.Taken != 1 || m.Failed != len(bad)-1 {
		t.Errorf("where each is tried: %+v, %v", m, err)
	}
	lasting = func(error) bool { return false }
	if m, err := round("no such message", away); !errors.Is(err, refused) || m.Refused != "m00" {
		t.Errorf("after one that is gone: %+v, %v", m, err)
	}
}
