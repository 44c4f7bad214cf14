package quarantinetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// sink is an MTA that counts what it is given, by subject and recipient.
type sink struct {
	mu  sync.Mutex
	got map[string]int
	err error
}

// Send takes a message, unless it has an error.
func (s *sink) Send(_ context.Context, m submission.Mail) error {
	text, err := io.ReadAll(m.Message)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.got == nil {
		s.got = map[string]int{}
	}
	for _, to := range m.To {
		s.got[to]++
	}
	if !strings.HasSuffix(string(text), "body\r\n.\r\n") {
		return errors.New("this is not what was kept")
	}
	return nil
}

func (s *sink) count() (n, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.got {
		n, most = n+times, max(most, times)
	}
	return n, most
}

func releaser(s quarantine.Store, to quarantine.Sender) quarantine.Releaser {
	return quarantine.Releaser{Store: s, Sender: to, Key: func() ([]byte, error) { return make([]byte, 32), nil },
		Now: func() time.Time { return now }, By: "test", From: "postmaster@example.com", Host: "mx.example.com"}
}

// testReleased: a message released on one side is released on the other; a release that failed leaves the message as
// it was.
func testReleased(t *testing.T, p pair) {
	Keep(t, p.here, Record(1))
	mta := &sink{err: errors.New("451 later")}
	_, err := releaser(p.here, mta).Release(t.Context(), quarantine.Order{ID: ID(1)})
	if !errors.Is(err, mta.err) || entry(t, p.there, 1).State != quarantine.Kept {
		t.Error("refused:", err)
	}
	mta.err = fmt.Errorf("no answer: %w", submission.ErrUnsure)
	Keep(t, p.here, Record(2))
	_, err = releaser(p.here, mta).Release(t.Context(), quarantine.Order{ID: ID(2)})
	if !errors.Is(err, submission.ErrUnsure) || entry(t, p.there, 2).State != quarantine.Releasing {
		t.Error("unsure:", err)
	}
	mta.err = nil
	if _, err := releaser(p.there, mta).Release(t.Context(), quarantine.Order{ID: ID(2)}); !errors.Is(err, quarantine.ErrUnsure) {
		t.Error("unsure, then:", err)
	}
	if _, err := releaser(p.there, mta).Release(t.Context(), quarantine.Order{ID: ID(1)}); err != nil {
		t.Error(err)
	}
	if _, err := releaser(p.here, mta).Release(t.Context(), quarantine.Order{ID: ID(1)}); !errors.Is(err, quarantine.ErrReleased) {
		t.Error("released, then:", err)
	}
	if n, _ := mta.count(); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if got := found(t, p.here, quarantine.Filter{State: quarantine.Released}); got != "1" {
		t.Error(got)
	}
	if err := releaser(p.here, mta).Forward(t.Context(), quarantine.Order{ID: ID(1), To: []string{"cleo@example.com"}}); err == nil {
		t.Error("the sink takes no mail with another end, and it was not heard")
	}
	if events := entry(t, p.there, 1).Events; events[len(events)-1].What != "forward" {
		t.Errorf("%+v", events)
	}
}

// testRacers: of 16 that let out 300 messages, half of them on either side, exactly one wins each.
func testRacers(t *testing.T, p pair) {
	const messages, racers = 300, 16
	for n := range messages {
		Keep(t, p.here, Record(n, fmt.Sprintf("p%d@example.com", n)))
	}
	mta := &sink{}
	won := make([]int, racers)
	var wg sync.WaitGroup
	for i := range racers {
		x := releaser(p.both()[i%2], mta)
		wg.Go(func() {
			for n := range messages {
				_, err := x.Release(t.Context(), quarantine.Order{ID: ID((n + i*19) % messages)})
				switch {
				case err == nil:
					won[i]++
				case !errors.Is(err, quarantine.ErrReleased) && !errors.Is(err, quarantine.ErrUnsure):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range won {
		sum += n
	}
	if n, most := mta.count(); sum != messages || n != messages || most != 1 {
		t.Errorf("%d won, %d were sent, one %d times; want %d", sum, n, most, messages)
	}
	for _, s := range p.both() {
		if rows, err := s.Find(t.Context(), quarantine.Filter{State: quarantine.Released}); err != nil || len(rows) != messages {
			t.Errorf("%d are released, %v", len(rows), err)
		}
	}
}

// Dying is a store whose process ends after the MTA has taken the message.
type Dying struct {
	quarantine.Store
	changes int
}

// ErrDead is what Dying answers from then on.
var ErrDead = errors.New("the process is gone")

// Change changes an entry once.
func (d *Dying) Change(ctx context.Context, id string, change func(*quarantine.Entry) error) error {
	if d.changes++; d.changes > 1 {
		return ErrDead
	}
	return d.Store.Change(ctx, id, change)
}

// testCutShort: a process that ends between sending and writing that down leaves a message that
// no other process sends once more, and that does not expire.
func testCutShort(t *testing.T, p pair) {
	Keep(t, p.here, Record(1))
	mta := &sink{}
	if _, err := releaser(&Dying{Store: p.here}, mta).Release(t.Context(), quarantine.Order{ID: ID(1)}); !errors.Is(err, ErrDead) {
		t.Fatal(err)
	}
	for _, s := range p.both() {
		if _, err := releaser(s, mta).Release(t.Context(), quarantine.Order{ID: ID(1)}); !errors.Is(err, quarantine.ErrUnsure) {
			t.Error(err)
		}
	}
	if n, _ := mta.count(); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if _, err := releaser(p.there, mta).Release(t.Context(), quarantine.Order{ID: ID(1), Again: true}); !errors.Is(err, quarantine.ErrUnsure) {
		t.Errorf("it may be under way, and is sent again: %v", err)
	}
	if n, err := quarantine.Round(t.Context(), p.there, quarantine.Retention{Keep: time.Hour, Size: 1},
		now.Add(1000*time.Hour)); n != 0 || err != nil {
		t.Errorf("%d expired, %v", n, err)
	}
	err := quarantine.Pass(t.Context(), p.there, quarantine.Passage{ID: ID(1), To: []string{"ben@example.com"}, Time: now, Host: "there"})
	if e := entry(t, p.here, 1); err != nil || e.State != quarantine.Released {
		t.Errorf("it came past: %+v, %v", e, err)
	}
	if _, err := releaser(p.here, mta).Release(t.Context(), quarantine.Order{ID: ID(1)}); !errors.Is(err, quarantine.ErrReleased) {
		t.Error(err)
	}
}

// testEach: of many who ask for their copies at once each gets one.
func testEach(t *testing.T, p pair) {
	to := []string{"ann@example.com", "ben@example.com", "cleo@example.com"}
	Keep(t, p.here, Record(1, to...))
	mta := &sink{}
	var wg sync.WaitGroup
	for n := range 12 {
		x := releaser(p.both()[n%2], mta)
		wg.Go(func() {
			_, err := x.Release(t.Context(), quarantine.Order{ID: ID(1), To: to[n%3 : n%3+1], Each: true})
			if err != nil && !errors.Is(err, quarantine.ErrReleased) && !errors.Is(err, quarantine.ErrUnsure) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, most := mta.count(); n != 3 || most != 1 || entry(t, p.there, 1).State != quarantine.Released {
		t.Errorf("%d copies, one %d times, %+v", n, most, entry(t, p.there, 1))
	}
}

// school is scorers that count their lessons.
type school struct {
	mu      sync.Mutex
	lessons int
}

// Largest returns the size of the largest message.
func (s *school) Largest() int64 { return 1 << 20 }

// Teach counts a lesson.
func (s *school) Teach(context.Context, scorer.Lesson, scan.Envelope, scan.Content) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lessons++
	return nil
}

// testLearned: scorers are told once, from whichever host.
func testLearned(t *testing.T, p pair) {
	r := Record(1)
	r.Findings[0] = policy.RecordFinding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/spamassassin", Score: 6}
	Keep(t, p.here, r)
	s := &school{}
	var wg sync.WaitGroup
	for n := range 8 {
		x := releaser(p.both()[n%2], &sink{})
		x.Teacher = s
		wg.Go(func() {
			err := x.Teach(t.Context(), ID(1), quarantine.Spam)
			if err != nil && !errors.Is(err, quarantine.ErrTaught) && !errors.Is(err, quarantine.ErrBeingTaught) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if e := entry(t, p.there, 1); s.lessons != 1 || e.Learned() != quarantine.Spam {
		t.Errorf("%d lessons, %+v", s.lessons, e)
	}
}
