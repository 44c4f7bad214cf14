package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// sending is an MTA that does something with each mail.
type sending func() error

// Send takes a mail, or fails.
func (s sending) Send(_ context.Context, m submission.Mail) error {
	_, err := io.Copy(io.Discard, m.Message)
	return errors.Join(err, s())
}

// TestPassed: what came past a host of ours is known to have been sent, however its release ended; what surely failed
// is not.
func TestPassed(t *testing.T) {
	p := Passage{ID: id(1), To: []string{"B@example.com", "eve@example.com"}, Time: now, Host: "mx2", QueueID: "4G7"}
	for _, c := range []struct {
		name   string
		ended  error
		before bool // it came past before the release ended
		want   State
	}{
		{"sent", nil, true, Released}, {"unsure", fmt.Errorf("no answer: %w", submission.ErrUnsure), true, Released},
		{"unsure, then it came past", fmt.Errorf("no answer: %w", submission.ErrUnsure), false, Released},
		{"refused after it came past", errors.New("451 the disk of the MTA is full"), true, Kept}, {"refused, and an old one comes", errors.New("451 later"), false, Kept},
	} {
		d, _ := newDir(t)
		keep(t, d, 1)
		pass := func() {
			if err := Pass(t.Context(), d, p); err != nil {
				t.Error(err)
			}
		}
		x := newExit(d, nil)
		x.Sender = sending(func() error {
			if c.before {
				pass()
			}
			return c.ended
		})
		x.Release(t.Context(), Order{ID: id(1), Infected: true})
		if !c.before {
			pass()
		}
		e, err := d.Entry(t.Context(), id(1))
		if err != nil || e.State != c.want {
			t.Errorf("%s: %s, %+v, %v", c.name, e.State, e.Events, err)
		}
		if _, err := newExit(d, &mta{}).Release(t.Context(), Order{ID: id(1), Infected: true}); errors.Is(err, ErrReleased) != (c.want == Released) {
			t.Errorf("%s: then %v", c.name, err)
		}
	}
}

// TestPassedByChance: a pass of what is not being released changes nothing.
func TestPassedByChance(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	for _, to := range [][]string{nil, {"b@example.com"}} {
		if err := Pass(t.Context(), d, Passage{ID: id(1), To: to, Time: now}); err != nil {
			t.Error(err)
		}
	}
	if e, err := d.Entry(t.Context(), id(1)); err != nil || e.State != Kept || len(e.Events) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if err := Pass(t.Context(), d, Passage{ID: id(2), To: []string{"b@example.com"}}); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// TestLease: what may be under way is not sent once more, whatever a person says; what was begun long ago is.
func TestLease(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	if err := d.Change(t.Context(), id(1), func(e *Entry) error {
		e.note(Event{Time: now, What: "release", To: []string{"b@example.com"}})
		return e.begin(&Order{ID: id(1), Infected: true})
	}); err != nil {
		t.Fatal(err)
	}
	m := &mta{}
	x := newExit(d, m)
	for _, after := range []time.Duration{0, leaseTime - time.Second} {
		x.Now = func() time.Time { return now.Add(after) }
		if _, err := x.Release(t.Context(), Order{ID: id(1), Again: true, Infected: true}); !errors.Is(err, ErrUnsure) || len(m.got) != 0 {
			t.Errorf("after %v: sent %d times, %v", after, len(m.got), err)
		}
	}
	x.Now = func() time.Time { return now.Add(leaseTime) }
	if _, err := x.Release(t.Context(), Order{ID: id(1), Again: true, Infected: true}); err != nil || len(m.got) != 1 {
		t.Errorf("sent %d times, %v", len(m.got), err)
	}
}
