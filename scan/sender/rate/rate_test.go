package rate

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
	mu   sync.Mutex
	full map[Key]time.Time
	err  error
}

func (t *table) Take(_ context.Context, k Key, b Bucket, now time.Time) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	full := t.full[k]
	if full.Before(now) {
		full = now
	}
	if full.Add(b.Every).After(now.Add(b.Size)) {
		return false, t.err
	}
	t.full[k] = full.Add(b.Every)
	return true, t.err
}

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// limit lets two pass at once, and then one in half an hour.
func limit(by By) Limit {
	return Limit{Name: "by-" + string(by), By: by, Recipients: 2, Per: units.Duration(time.Hour)}
}

func scanner(by ...By) (*Scanner, *table) {
	c := DefaultConfig()
	for _, b := range by {
		c.Limits = append(c.Limits, limit(b))
	}
	t := &table{full: map[Key]time.Time{}}
	return New(c, With{Store: t}), t
}

func mail(client, sender, user, to string) scan.Envelope {
	return scan.Envelope{
		Client: netip.AddrPortFrom(netip.MustParseAddr(client), 25), Sender: sender, AuthUser: user,
		Recipients: []string{"before@example.net", to}, Received: start,
	}
}

func ask(t *testing.T, s *Scanner, e scan.Envelope) string {
	t.Helper()
	got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, e)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, scantest.Message(""), got, Catalogue()...)
	var names []string
	for _, f := range got {
		if f.Recipient != e.Recipients[len(e.Recipients)-1] {
			t.Errorf("the finding is about %q: %v", f.Recipient, got)
		}
		names = append(names, strings.TrimPrefix(f.Rule, "rate/over/by-"))
	}
	return strings.Join(names, " ")
}

func TestWhoIsCounted(t *testing.T) {
	first := mail("192.0.2.1", "a@example.com", "joe", "x@example.net")
	for _, test := range []struct {
		name string
		then scan.Envelope
		want string // limits that the third one is over
	}{
		{"the same", first, "client sender user recipient"},
		{"another client", mail("192.0.2.2", "a@example.com", "joe", "x@example.net"), "sender user recipient"},
		{"the same client in IPv6", mail("::ffff:192.0.2.1", "b@example.com", "ann", "y@example.net"), "client"},
		{"another sender", mail("192.0.2.1", "b@example.com", "joe", "x@example.net"), "client user recipient"},
		{"in capitals", mail("192.0.2.9", "A@Example.COM", "Joe", "X@Example.NET"), "sender recipient"},
		{"the null sender", mail("192.0.2.9", "", "", "y@example.net"), ""},
		{"nobody logged in", mail("192.0.2.1", "a@example.com", "", "y@example.net"), "client sender"},
		{"another recipient", mail("192.0.2.1", "a@example.com", "joe", "y@example.net"), "client sender user"},
	} {
		s, _ := scanner(Client, Sender, User, Recipient)
		for range 2 {
			if got := ask(t, s, first); got != "" {
				t.Errorf("%s: over %s at once", test.name, got)
			}
		}
		if got := ask(t, s, test.then); got != test.want {
			t.Errorf("%s: over %q, want %q", test.name, got, test.want)
		}
	}
}

func TestNetworksOfIPv6(t *testing.T) {
	s, _ := scanner(Client)
	for i, client := range []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "2001:db8::3"} {
		if got, want := ask(t, s, mail(client, "", "", "x@example.com")), map[bool]string{true: "client"}[i == 3]; got != want {
			t.Errorf("%s: %q, want %q", client, got, want)
		}
	}
}

func TestTimeGivesTokensBack(t *testing.T) {
	s, _ := scanner(User)
	e := mail("192.0.2.1", "a@example.com", "joe", "x@example.net")
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {0, ""}, {0, "user"}, {29 * time.Minute, "user"}, {30 * time.Minute, ""}, {30 * time.Minute, "user"}, {24 * time.Hour, ""}, {24 * time.Hour, ""}, {24 * time.Hour, "user"}} {
		e.Received = start.Add(step.after)
		if got := ask(t, s, e); got != step.want {
			t.Errorf("after %v: %q, want %q", step.after, got, step.want)
		}
	}
}

func TestOnlyRecipientsCount(t *testing.T) {
	s, table := scanner(User, Client)
	e := mail("192.0.2.1", "a@example.com", "joe", "x@example.net")
	for _, stage := range []scan.Stage{scan.StageConnect, scan.StageHelo, scan.StageMail, scan.StageMessage} {
		if _, err := s.ScanEnvelope(t.Context(), stage, e); err != nil {
			t.Error(err)
		}
	}
	ask(t, s, scan.Envelope{Recipients: []string{"x"}})
	if _, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, scan.Envelope{}); err != nil || len(table.full) > 0 {
		t.Errorf("%v, counted %v", err, table.full)
	}
}

func TestAStoreThatIsGone(t *testing.T) {
	s, table := scanner(User)
	table.err = errors.New("disk I/O error")
	for range 5 {
		got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, mail("192.0.2.1", "a", "joe", "b"))
		if !errors.Is(err, table.err) || len(got) > 0 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// TestAway: while the store of all hosts cannot be used, each counts its part, and says so.
func TestAway(t *testing.T) {
	c := DefaultConfig()
	c.Limits = []Limit{{Name: "many", By: User, Recipients: 4, Per: units.Duration(time.Hour)}, {Name: "one", By: Recipient, Recipients: 1, Per: units.Duration(time.Hour)}}
	shared, own := &table{full: map[Key]time.Time{}}, &table{full: map[Key]time.Time{}}
	s := New(c, With{Store: shared, Local: own, Hosts: 2})
	shared.err = errors.New("no route to host")
	for i, want := range []string{"rate/local", "rate/local", "rate/over/many rate/local"} {
		got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, mail("192.0.2.1", "a", "joe", fmt.Sprint(i)))
		var names []string
		for _, f := range got {
			names = append(names, f.Rule)
		}
		if strings.Join(names, " ") != want || err != nil {
			t.Errorf("recipient %d: %q, %v; want %q", i, names, err, want)
		}
	}
	own.err = errors.New("disk I/O error")
	got, err := s.ScanEnvelope(t.Context(), scan.StageRcpt, mail("192.0.2.1", "a", "ann", "b"))
	if !errors.Is(err, own.err) || !errors.Is(err, shared.err) || len(got) > 0 {
		t.Errorf("neither counts: %v, %v", got, err)
	}
	shared.err, own.err = nil, nil
	if got := ask(t, s, mail("192.0.2.1", "a", "joe", "c")); got != "" {
		t.Errorf("the store is back: %q", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	s, _ := scanner(User)
	over := make(chan string, 50)
	var wg sync.WaitGroup
	for range cap(over) {
		wg.Go(func() { over <- ask(t, s, mail("192.0.2.1", "a", "joe", "b")) })
	}
	wg.Wait()
	close(over)
	passed := 0
	for o := range over {
		if o == "" {
			passed++
		}
	}
	if passed != 2 {
		t.Errorf("%d passed", passed)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add("a@example.com", "joe", "b@example.net")
	f.Add("\x00\xff", strings.Repeat("u", 70_000), "")
	f.Fuzz(func(t *testing.T, sender, user, to string) {
		s, _ := scanner(Client, Sender, User, Recipient)
		for range 3 {
			ask(t, s, mail("192.0.2.1", sender, user, to))
		}
	})
}

func TestContract(t *testing.T) {
	s, _ := scanner(Client)
	scantest.Run(t, s, Catalogue()...)
}

func TestCheck(t *testing.T) {
	good := DefaultConfig()
	good.Limits = []Limit{limit(User), limit(Client)}
	if err := errors.Join(DefaultConfig().Check(), good.Check()); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"file":       func(c *Config) { c.File = "rate.db" },
		"entries":    func(c *Config) { c.Entries = 0 },
		"twice":      func(c *Config) { c.Limits = append(c.Limits, limit(User)) },
		"name":       func(c *Config) { c.Limits[0].Name = "a*" },
		"no name":    func(c *Config) { c.Limits[0].Name = "" },
		"by":         func(c *Config) { c.Limits[0].By = "" },
		"recipients": func(c *Config) { c.Limits[0].Recipients = 0 },
		"per":        func(c *Config) { c.Limits[0].Per = 0 },
	} {
		c := good
		c.Limits = append([]Limit(nil), good.Limits...)
		if change(&c); c.Check() == nil {
			t.Errorf("%s: %+v is fine", name, c)
		}
	}
	if b := new(By); b.UnmarshalText([]byte("user")) != nil || *b != User || b.UnmarshalText([]byte("users")) == nil {
		t.Error("the words are not read")
	}
}

var _ scan.EnvelopeScanner = (*Scanner)(nil)
