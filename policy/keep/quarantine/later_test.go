package quarantine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary is an index that notes what it is told, and fails as long as it is to.
type diary struct {
	mu      sync.Mutex
	told    []string
	failing bool
}

func (d *diary) note(s string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failing {
		return errors.New("locked")
	}
	d.told = append(d.told, s)
	return nil
}

func (d *diary) fail(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = yes
}

func (d *diary) Put(_ context.Context, r Row) error        { return d.note("+" + r.ID) }
func (d *diary) Delete(_ context.Context, id string) error { return d.note("-" + id) }

func (d *diary) Find(context.Context, Filter) ([]Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return make([]Row, len(d.told)), nil
}

func (d *diary) Replace(context.Context, []Row, time.Time) error { return nil }

func TestToldLater(t *testing.T) {
	for name, c := range map[string]struct {
		outage time.Duration // of the index, from the beginning
		told   string
		warned int
	}{
		"works":      {0, "[+a -a +b]", 0},
		"is away":    {time.Minute, "[+a -a +b]", 1},
		"never back": {0, "[]", 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, warned := &diary{failing: name != "works"}, 0
				l := NewLater(d, func(error) { warned++ })
				for _, err := range []error{l.Put(t.Context(), Row{ID: "a"}), l.Delete(t.Context(), "a"), l.Put(t.Context(), Row{ID: "b"})} {
					if err != nil {
						t.Error(err)
					}
				}
				synctest.Wait()
				if c.outage > 0 {
					time.Sleep(c.outage)
					d.fail(false)
					time.Sleep(pause)
				}
				l.Close()
				if got := fmt.Sprint(d.told); got != c.told || warned != c.warned {
					t.Errorf("told %s, want %s; %d warnings, want %d", got, c.told, warned, c.warned)
				}
				d.fail(false)
				l.Put(t.Context(), Row{ID: "c"}) // after the end, it is told still
				if rows, _ := l.Find(t.Context(), Filter{}); len(rows) != len(d.told) || len(rows) == 0 || d.told[len(d.told)-1] != "+c" {
					t.Errorf("after Close: %v", d.told)
				}
			})
		})
	}
}

// There is an end to what waits, and what is lost is counted.
func TestTooManyChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{failing: true}
		var warnings []string
		l := NewLater(d, func(err error) { warnings = append(warnings, err.Error()) })
		for range mostChanges + 10 {
			l.Put(t.Context(), Row{ID: "a"})
		}
		synctest.Wait()
		d.fail(false)
		time.Sleep(pause)
		synctest.Wait()
		if len(d.told) != mostChanges || len(warnings) != 2 {
			t.Errorf("%d told, warnings %q", len(d.told), warnings)
		}
		l.Close()
	})
}
