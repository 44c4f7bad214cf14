package peopletest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// claimTime is for how long a host has a digest that it has claimed.
const claimTime = 15 * time.Minute

var seven = time.Date(2026, 3, 4, 7, 0, 0, 0, time.UTC)

// row returns the only row.
func row(t *testing.T, s *people.Store) people.Digest {
	t.Helper()
	all, err := s.Digests(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	return all[0]
}

// claimDigest: however many daemons ask, one sends the digest of a time.
func claimDigest(t *testing.T, p pair) {
	stores := p.both()
	now := seven.Add(time.Minute)
	claim := func(s *people.Store, due, now time.Time) bool {
		mine, err := s.ClaimDigest(t.Context(), "p1", "bob@example.com", seven.AddDate(0, 0, -1), due, now)
		if err != nil {
			t.Error(err)
		}
		return mine
	}
	var mine atomic.Int32
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			if claim(stores[i%2], seven, now) {
				mine.Add(1)
			}
		})
	}
	all.Wait()
	if mine.Load() != 1 {
		t.Fatalf("%d claimed", mine.Load())
	}
	s := stores[0]
	p.later(t, claimTime-time.Minute)
	if claim(s, seven, now.Add(claimTime-time.Minute)) {
		t.Error("a claim ends too early")
	}
	p.later(t, 2*time.Minute)
	if !claim(s, seven, now.Add(claimTime+time.Minute)) {
		t.Error("a claim holds for ever")
	}
	if err := s.DigestPutOff(t.Context(), "p1", "no MTA"); err != nil {
		t.Fatal(err)
	}
	if d := row(t, s); d.Trouble != "no MTA" || !d.Due.IsZero() || !d.Claimed.IsZero() {
		t.Errorf("put off: %+v", d)
	}
	if !claim(stores[1], seven, now) {
		t.Error("put off, and not claimed again")
	}
	if err := stores[1].DigestTaken(t.Context(), "p1", "m1@mx", seven, now); err != nil {
		t.Fatal(err)
	}
	if claim(s, seven, now.Add(time.Hour)) || claim(s, seven.Add(-time.Hour), now.Add(time.Hour)) {
		t.Error("claimed once more")
	}
	if d := row(t, s); !d.Due.Equal(seven) || !d.Until.Equal(seven) || d.Message != "m1@mx" || !d.Sent.Equal(now) || d.Trouble != "" {
		t.Errorf("taken: %+v", d)
	}
	if !claim(s, seven.Add(24*time.Hour), now.Add(24*time.Hour)) {
		t.Error("the next one is not claimed")
	}
}

// digestsThatFail: digests that do not arrive are counted, in whatever way they fail.
func digestsThatFail(t *testing.T, p pair) {
	s := p.here
	day := 0
	claim := func() {
		t.Helper()
		day++
		at := seven.AddDate(0, 0, day)
		if mine, err := s.ClaimDigest(t.Context(), "bob@example.com", "bob@example.com", seven.AddDate(0, 0, -1), at, at); !mine || err != nil {
			t.Fatalf("%t, %v", mine, err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim()
	must(s.DigestRefused(t.Context(), "bob@example.com", "550 no such user"))
	claim()
	must(s.DigestRefused(t.Context(), "bob@example.com", "550 no such user"))
	if d := row(t, s); d.Fails() != 2 || d.Trouble != "550 no such user" || !d.Until.Equal(seven.AddDate(0, 0, -1)) ||
		!d.Due.Equal(seven.AddDate(0, 0, day)) {
		t.Errorf("refused: %+v", d)
	}
	for times, want := range map[int]int{1: 1, 2: 1, 3: 0} {
		if list, err := s.FailedDigests(t.Context(), times); err != nil || len(list) != want {
			t.Errorf("failed %d times: %d, %v", times, len(list), err)
		}
	}
	for range 2 { // the MTA takes them, and gives them up
		claim()
		must(s.DigestTaken(t.Context(), "bob@example.com", "m@mx", seven, seven))
		must(s.DigestBounced(t.Context(), "bob@example.com", "another@mx", "that was long ago"))
		must(s.DigestBounced(t.Context(), "bob@example.com", "m@mx", "mailbox full"))
		must(s.DigestBounced(t.Context(), "bob@example.com", "m@mx", "mailbox full"))
	}
	if d := row(t, s); d.Fails() != 2 || d.Refused != 0 || d.Trouble != "mailbox full" {
		t.Errorf("bounced: %+v", d)
	}
	claim()
	must(s.DigestUnsure(t.Context(), "bob@example.com", "no answer"))
	if d := row(t, s); d.Fails() != 2 || !d.Claimed.IsZero() || !d.Due.Equal(seven.AddDate(0, 0, day)) || !d.Until.Equal(seven) {
		t.Errorf("unsure: %+v", d)
	}
	claim()
	must(s.DigestTaken(t.Context(), "bob@example.com", "m2@mx", seven, seven))
	if list, err := s.SentDigests(t.Context(), seven); err != nil || len(list) != 1 || list[0].Message != "m2@mx" {
		t.Errorf("sent: %+v, %v", list, err)
	}
	must(s.DigestArrived(t.Context(), "bob@example.com", "m2@mx"))
	if d := row(t, s); d.Fails() != 0 || d.Trouble != "" || d.Message != "" {
		t.Errorf("arrived: %+v", d)
	}
	claim()
	must(s.DigestRefused(t.Context(), "bob@example.com", "550"))
	must(s.ResumeDigests(t.Context(), "bob@example.com"))
	if err := s.ResumeDigests(t.Context(), "eve@example.com"); !errors.Is(err, people.ErrUnknown) {
		t.Error(err)
	}
	if d := row(t, s); d.Fails() != 0 {
		t.Errorf("resumed: %+v", d)
	}
}

func digestRounds(t *testing.T, p pair) {
	s := p.here
	if until, err := s.DigestRound(t.Context()); err != nil || !until.IsZero() {
		t.Errorf("%s, %v", until, err)
	}
	for _, at := range []time.Time{seven, seven.Add(-time.Hour)} {
		if err := s.EndDigestRound(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	if until, err := s.DigestRound(t.Context()); err != nil || !until.Equal(seven) {
		t.Errorf("%s, %v", until, err)
	}
	empty := map[string]time.Time{}
	for i := range 1000 + 1 {
		person := string(rune('a'+i%26)) + string(rune('a'+i/26))
		if mine, err := s.ClaimDigest(t.Context(), person, person, seven.AddDate(0, 0, -1), seven, seven); !mine || err != nil {
			t.Fatal(mine, err)
		}
		if err := s.DigestTaken(t.Context(), person, "m", seven, seven); err != nil {
			t.Fatal(err)
		}
		empty[person] = seven.Add(time.Hour)
	}
	if err := s.DigestsEmpty(t.Context(), empty); err != nil {
		t.Fatal(err)
	}
	all, err := s.Digests(t.Context())
	if err != nil || len(all) != 1000+1 {
		t.Fatal(len(all), err)
	}
	for _, d := range all {
		if !d.Until.Equal(seven.Add(time.Hour)) || !d.Due.Equal(seven.Add(time.Hour)) {
			t.Fatalf("%+v", d)
		}
	}
	if n, err := s.ExpireDigests(t.Context(), seven.Add(time.Second)); err != nil || n != len(all) {
		t.Errorf("%d, %v", n, err)
	}
}
