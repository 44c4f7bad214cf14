package peopletest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// atOnce has both stores do something several times at the same moment.
func (p pair) atOnce(t *testing.T, times int, do func(s *people.Store, i int) error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			if err := do(p.both()[i%2], i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// changesAtOnce: what two hosts change at the same time a reader has in the end, however often it looked meanwhile.
func changesAtOnce(t *testing.T, p pair) {
	reader, mark := &taken{}, people.Mark{}
	follow := func() {
		t.Helper()
		var err error
		if mark, err = p.there.ChangesSince(t.Context(), mark, reader); err != nil {
			t.Error(err)
		}
	}
	done := make(chan struct{})
	var following sync.WaitGroup
	following.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				follow()
			}
		}
	})
	const entries = 40
	p.atOnce(t, entries, func(s *people.Store, i int) error {
		e, err := s.Add(t.Context(), root, people.Entry{Owner: people.Host, Act: people.Block,
			Pattern: fmt.Sprintf("u%d@example.net", i)})
		if err == nil && i%4 == 0 {
			_, err = s.Remove(t.Context(), people.Host, e.ID)
		}
		return err
	})
	close(done)
	following.Wait()
	follow()
	if len(reader.entries) != entries*3/4 || mark.Change != entries*5/4 {
		t.Errorf("the reader has %d entries at change %d", len(reader.entries), mark.Change)
	}
}

// settingsAtOnce: of what a person changes in several windows nothing is lost.
func settingsAtOnce(t *testing.T, p pair) {
	p.atOnce(t, 12, func(s *people.Store, i int) error {
		return s.SetSettings(t.Context(), "ann@example.com", func(now *people.Settings) {
			if i%2 == 0 {
				now.Language = "de"
			} else {
				now.Digest = "daily"
			}
		})
	})
	if got, err := p.there.Settings(t.Context(), "ann@example.com"); err != nil || got.Language != "de" ||
		got.Digest != "daily" {
		t.Errorf("%+v, %v", got, err)
	}
}

// delegatesAtOnce: no more are appointed than there may be, also if all are at the same moment.
func delegatesAtOnce(t *testing.T, p pair) {
	p.atOnce(t, people.MostDelegates+10, func(s *people.Store, i int) error {
		err := s.Appoint(t.Context(), "ann@example.com", fmt.Sprintf("d%d@example.com", i), "root", time.Now())
		if errors.Is(err, people.ErrManyDelegates) {
			return nil
		}
		return err
	})
	got, err := p.here.Delegates(t.Context(), []string{"ann@example.com"})
	if err != nil || len(got["ann@example.com"]) != people.MostDelegates {
		t.Errorf("%d, %v", len(got["ann@example.com"]), err)
	}
}

// limits: a limit is set, changed and taken back, and a reader hears of each.
func limits(t *testing.T, p pair) {
	within := people.Bounds{Least: 4, Most: 12}
	reader, mark := &taken{}, people.Mark{}
	for i, want := range []people.Limit{{Score: 6.126, Set: true}, {Score: 12, Set: true}, {}} {
		want.Address = "ann@example.com"
		if err := p.here.SetLimit(t.Context(), within, want); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want.Score = 6.13
		}
		got, err := p.there.LimitOf(t.Context(), "ann@example.com")
		if got != want || err != nil {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		if mark, err = p.there.ChangesSince(t.Context(), mark, reader); err != nil ||
			reader.limits["ann@example.com"] != want {
			t.Errorf("the reader has %+v, %v", reader.limits, err)
		}
	}
	if got, err := p.here.LimitOf(t.Context(), "bob@example.com"); got.Set || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
