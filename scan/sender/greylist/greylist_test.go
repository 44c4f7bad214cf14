package greylist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// table is a store in memory that can be out of order.
type table struct {
	mu      sync.Mutex
	entries map[Key]Entry
	saved   int
	err     error // of everything
	full    error // of what is to be written
}

func newTable() *table { return &table{entries: map[Key]Entry{}} }

func (t *table) Try(_ context.Context, try Try) (Answer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, write := try.Judge(Records{t.entries[try.Client], t.entries[try.Pair], t.entries[try.Pass]})
	return a, errors.Join(t.err, t.save(try.Client, write.Client), t.save(try.Pair, write.Pair))
}

func (t *table) Pass(_ context.Context, k Key, now time.Time, hold time.Duration) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Add(hold), errors.Join(t.err, t.save(k, Entry{First: now, Until: now.Add(hold)}))
}

func (t *table) save(k Key, e Entry) error {
	if e.First.IsZero() {
		return nil
	}
	if t.full != nil {
		return t.full
	}
	t.entries[k] = e
	t.saved++
	return nil
}

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// trusted are those who log in.
func trusted(e scan.Envelope) bool { return e.AuthUser != "" }

// mail is from a client, a sender and to a recipient, some time after the start.
func mail(client, sender, to string, after time.Duration) scan.Envelope {
	return scan.Envelope{
		Client: netip.AddrPortFrom(netip.MustParseAddr(client), 25), Sender: sender,
		Recipients: []string{"before@example.com", to}, Received: start.Add(after),
	}
}

// TestPass lets a sender through to one recipient at the next try, from any client, which is known from then on.
func TestPass(t *testing.T) {
	store := newTable()
	c := DefaultConfig()
	s := New(c, store, trusted)
	const ann, bob = "ann@example.net", "bob@example.com"
	steps := func(client, sender, to string, after time.Duration, want string) {
		t.Helper()
		if got := ask(t, s, mail(client, sender, to, after)); got != want {
			t.Errorf("%s from %s to %s after %v: %q, want %q", sender, client, to, after, got, want)
		}
	}
	steps("192.0.2.1", ann, bob, 0, "first-seen")
	if until, err := c.Pass(t.Context(), store, "Ann@Example.net", "BOB@example.com", start); err != nil || !until.Equal(start.Add(c.Window.Go())) {
		t.Error(until, err)
	}
	steps("192.0.2.1", ann, "amy@example.com", time.Second, "first-seen")
	steps("192.0.2.1", "eve@example.net", bob, time.Second, "first-seen")
	steps("192.0.2.1", ann, bob, time.Second, "")
	steps("198.51.100.1", ann, bob, time.Minute, "")
	steps("198.51.100.1", ann, bob, c.Window.Go()+time.Hour, "") // it is known by now
	steps("203.0.113.1", ann, bob, c.Window.Go()+time.Hour, "first-seen")
	store.full = errors.New("full")
	if _, err := c.Pass(t.Context(), store, ann, bob, start); err == nil {
		t.Error("a pass that cannot be kept is promised")
	}
}

// ask is what the scanner says at RCPT.
func ask(t *testing.T, s *Scanner, e scan.Envelope) string {
	t.Helper()
	got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, e)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, scantest.Message(""), got, Catalogue()...)
	if len(got) == 0 {
		return ""
	}
	if got[0].Recipient != e.Recipients[len(e.Recipients)-1] {
		t.Errorf("the finding is about %q: %v", got[0].Recipient, got)
	}
	return strings.TrimPrefix(got[0].Rule, "greylist/")
}

func config() Config {
	c := DefaultConfig()
	c.Delay, c.Window, c.Keep = units.Duration(5*time.Minute), units.Duration(2*time.Hour), units.Duration(100*time.Hour)
	return c
}

const (
	minute = time.Minute
	hour   = time.Hour
)

// Each story is told to one scanner, in order.
func TestStories(t *testing.T) {
	type step struct {
		client, sender, to string
		after              time.Duration
		want               string
	}
	again := func(after time.Duration, want string) step {
		return step{"192.0.2.1", "a@example.net", "b@example.com", after, want}
	}
	for name, story := range map[string][]step{
		"a server": {
			again(0, "first-seen"), again(minute, "too-early"), again(5*minute-time.Second, "too-early"),
			again(5*minute, "came-back"), again(6*minute, ""), again(90*hour, ""), again(180*hour, ""),
		},
		"too late":          {again(0, "first-seen"), again(2*hour+minute, "first-seen"), again(2*hour+6*minute, "came-back")},
		"forgotten":         {again(0, "first-seen"), again(6*minute, "came-back"), again(101*hour, "first-seen")},
		"the clock is back": {again(0, "first-seen"), again(-hour, "first-seen"), again(-hour+6*minute, "came-back")},
		"neighbours": {
			again(0, "first-seen"), {"192.0.2.200", "A@Example.Net", "B@example.COM", 6 * minute, "came-back"},
			{"192.0.3.1", "a@example.net", "b@example.com", 7 * minute, "first-seen"},
		},
		"IPv6": {
			{"2001:db8::1", "", "b@example.com", 0, "first-seen"}, {"2001:db8::ffff:1", "", "b@example.com", 6 * minute, "came-back"},
			{"2001:db8:0:1::1", "", "b@example.com", 6 * minute, "first-seen"},
		},
		"IPv4 in IPv6":      {again(0, "first-seen"), {"::ffff:192.0.2.9", "a@example.net", "b@example.com", 6 * minute, "came-back"}},
		"another sender":    {again(0, "first-seen"), {"192.0.2.1", "x@example.net", "b@example.com", 6 * minute, "first-seen"}},
		"another recipient": {again(0, "first-seen"), {"192.0.2.1", "a@example.net", "x@example.com", 6 * minute, "first-seen"}},
		"words run into each other": {
			{"192.0.2.1", "a", "bc@example.com", 0, "first-seen"}, {"192.0.2.1", "ab", "c@example.com", 6 * minute, "first-seen"},
		},
	} {
		s := New(config(), newTable(), trusted)
		for i, step := range story {
			if got := ask(t, s, mail(step.client, step.sender, step.to, step.after)); got != step.want {
				t.Errorf("%s, step %d: %q, want %q", name, i+1, got, step.want)
			}
		}
	}
}

// comeBack has a client send to n recipients, and come back for each.
func comeBack(t *testing.T, s *Scanner, n int) {
	t.Helper()
	for i := range n {
		to := fmt.Sprintf("user%d@example.com", i)
		first := ask(t, s, mail("192.0.2.1", "a@example.net", to, 0))
		second := ask(t, s, mail("192.0.2.1", "a@example.net", to, 6*minute))
		if first != "first-seen" || second != "came-back" {
			t.Fatalf("recipient %d: %s, %s", i, first, second)
		}
	}
}

func TestClientsThatComeBackAreAllowed(t *testing.T) {
	c := config()
	c.AutoAllow = 3
	s := New(c, newTable(), trusted)
	comeBack(t, s, 3)
	if got := ask(t, s, mail("192.0.2.77", "new@example.net", "new@example.com", 7*minute)); got != "" {
		t.Errorf("a neighbour of one that came back: %s", got)
	}
	if got := ask(t, s, mail("192.0.3.1", "new@example.net", "new@example.com", 7*minute)); got != "first-seen" {
		t.Errorf("another network: %q", got)
	}
	if got := ask(t, s, mail("192.0.2.1", "new@example.net", "late@example.com", 201*hour)); got != "first-seen" {
		t.Errorf("long after: %q", got)
	}
	c.AutoAllow = 0
	comeBack(t, New(c, newTable(), trusted), 20)
}

func TestOnlyStrangersAreAsked(t *testing.T) {
	tbl := newTable()
	s := New(config(), tbl, trusted)
	ours := mail("192.0.2.1", "a@example.com", "b@example.net", 0)
	ours.AuthUser = "joe"
	nobody := mail("192.0.2.1", "a@example.net", "b@example.com", 0)
	nobody.Client = netip.AddrPort{}
	for _, e := range []scan.Envelope{ours, nobody, {}} {
		if got := ask(t, s, e); got != "" {
			t.Errorf("%+v: %s", e, got)
		}
	}
	for stage := scan.StageConnect; stage <= scan.StageMessage; stage++ {
		if got, _ := s.ScanEnvelope(t.Context(), stage, mail("192.0.2.1", "", "b@example.com", 0)); (len(got) > 0) != (stage == scan.StageRcpt) {
			t.Errorf("at %v: %v", stage, got)
		}
	}
	if len(tbl.entries) != 1 {
		t.Errorf("%d entries", len(tbl.entries))
	}
}

func TestKnownSendersAreNotWrittenDownAgain(t *testing.T) {
	tbl := newTable()
	s := New(config(), tbl, trusted)
	comeBack(t, s, 1)
	before := tbl.saved
	for i := range 100 {
		ask(t, s, mail("192.0.2.1", "a@example.net", "user0@example.com", 6*minute+time.Duration(i)*time.Second))
	}
	if tbl.saved != before {
		t.Errorf("%d times", tbl.saved-before)
	}
}

func TestAStoreThatIsGone(t *testing.T) {
	tbl := newTable()
	tbl.err = errors.New("disk I/O error")
	got, err := New(config(), tbl, trusted).ScanEnvelope(t.Context(), scan.StageRcpt, mail("192.0.2.1", "", "b@example.com", 0))
	if !errors.Is(err, tbl.err) || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// Nobody is put off who could not be remembered: he never would get in.
func TestAStoreThatIsFull(t *testing.T) {
	tbl := newTable()
	s := New(config(), tbl, trusted)
	comeBack(t, s, 1)
	ask(t, s, mail("192.0.2.1", "", "waiting@example.com", 0))
	tbl.full = errors.New("no space left on device")
	for _, to := range []string{"new@example.com", "waiting@example.com"} {
		got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, mail("192.0.2.1", "", to, 6*minute))
		if !errors.Is(err, tbl.full) || len(got) > 0 {
			t.Errorf("%s: %v, %v", to, got, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	s := New(config(), newTable(), trusted)
	for _, round := range []struct {
		after time.Duration
		want  string
	}{{0, "first-seen"}, {6 * minute, "came-back"}, {7 * minute, ""}} {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				client := fmt.Sprintf("192.0.%d.1", i)
				if got := ask(t, s, mail(client, "a@example.net", "b@example.com", round.after)); got != round.want {
					t.Errorf("%s after %v: %q, want %q", client, round.after, got, round.want)
				}
			})
		}
		wg.Wait()
	}
}

// Whatever stands in an envelope, there is one finding or none.
func FuzzEnvelope(f *testing.F) {
	f.Add("a@example.net", "b@example.com", int64(0))
	f.Add("\x00\xff", strings.Repeat("x", 70_000), int64(1)<<62)
	f.Fuzz(func(t *testing.T, sender, to string, after int64) {
		s := New(config(), newTable(), trusted)
		for range 2 {
			ask(t, s, mail("192.0.2.1", sender, to, time.Duration(after)))
		}
	})
}

func TestContract(t *testing.T) {
	scantest.Run(t, New(config(), newTable(), trusted), Catalogue()...)
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil || DefaultConfig().Enabled {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"window":  func(c *Config) { c.Window = c.Delay },
		"keep":    func(c *Config) { c.Keep = c.Window - 1 },
		"allow":   func(c *Config) { c.AutoAllow = -1 },
		"ipv4":    func(c *Config) { c.IPv4 = 33 },
		"ipv6":    func(c *Config) { c.IPv6 = 0 },
		"scores":  func(c *Config) { c.MinScore, c.MaxScore = 5, 5 },
		"entries": func(c *Config) { c.Entries = 0 },
	} {
		c := DefaultConfig()
		if change(&c); c.Check() == nil {
			t.Errorf("%s: %+v is fine", name, c)
		}
	}
}

var _ scan.EnvelopeScanner = (*Scanner)(nil)
