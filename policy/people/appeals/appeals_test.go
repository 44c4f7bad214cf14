package appeals

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/token"
)

var (
	key    = []byte(strings.Repeat("k", 32))
	client = netip.MustParseAddr("192.0.2.7")
)

// desk returns one with room for ten messages of 100 bytes.
func desk(now *time.Time) *Desk {
	d := New(func() ([]byte, error) { return key, nil }, func(error) {})
	d.now = func() time.Time { return *now }
	d.Use(Settings{URL: "https://mx.example.com/", Client: 5, Sender: 4, Recipient: 3, Size: 1000})
	d.Waiting(0)
	return d
}

func message(n int) policy.Appeal {
	return policy.Appeal{ID: fmt.Sprintf("06h08cfwgrgb%04d", n), Client: client, Sender: fmt.Sprint("s", n, "@example.net"), Recipients: []string{fmt.Sprint("r", n, "@example.com")}, Size: 100}
}

func TestLink(t *testing.T) {
	now := time.Now()
	link, back := desk(&now).Offer(message(1))
	text, ok := strings.CutPrefix(link, "https://mx.example.com/a/")
	if id, err := token.ReadShort(key, text, token.AppealLink); !ok || id != message(1).ID || err != nil || back == nil {
		t.Errorf("%q: %q, %v", link, id, err)
	}
}

// TestLimits: how many links of a hundred offers each limit lets through.
func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *policy.Appeal, n int)
		want   int
	}{
		"one client":              {func(*policy.Appeal, int) {}, 5},
		"one network of IPv6":     {func(a *policy.Appeal, n int) { a.Client = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n)) }, 5},
		"a client as IPv6 has it": {func(a *policy.Appeal, n int) { a.Client = netip.MustParseAddr("::ffff:192.0.2.7") }, 5},
		"no client":               {func(a *policy.Appeal, n int) { a.Client = netip.Addr{} }, 5},
		"one sender": {func(a *policy.Appeal, n int) {
			a.Client, a.Sender = netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), []string{"s@example.net", "S@Example.net"}[n%2]
		}, 4},
		"the null sender": {func(a *policy.Appeal, n int) {
			a.Client, a.Sender = netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), ""
		}, 4},
		"one recipient": {func(a *policy.Appeal, n int) {
			a.Client, a.Recipients = netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), []string{fmt.Sprint("r", n, "@example.com"), []string{"boss@example.com", "<Boss@EXAMPLE.com>"}[n%2]}
		}, 3},
		"room on the disk": {func(a *policy.Appeal, n int) { a.Client = netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}) }, 10},
	} {
		now := time.Now()
		d, n := desk(&now), 0
		for i := range 100 {
			a := message(i)
			c.change(&a, i)
			if link, _ := d.Offer(a); link != "" {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%s: %d links, want %d", name, n, c.want)
		}
	}
}

// TestTakenBack: a link that was not given counts for nothing, and a day later there are more.
func TestTakenBack(t *testing.T) {
	now := time.Now()
	d := desk(&now)
	for i := range 20 {
		link, back := d.Offer(message(i))
		if link == "" {
			t.Fatalf("none after %d that were taken back", i)
		}
		back()
	}
	for i := range 5 {
		d.Offer(message(i))
	}
	if link, _ := d.Offer(message(9)); link != "" {
		t.Error("a sixth link")
	}
	now = now.Add(24*time.Hour + time.Second)
	if link, _ := d.Offer(message(9)); link == "" {
		t.Error("no link a day later")
	}
}

// TestNoLinks: none while it is not known how much waits, without an address, and without a key.
func TestNoLinks(t *testing.T) {
	now := time.Now()
	var warned error
	fresh := New(func() ([]byte, error) { return key, nil }, func(error) {})
	fresh.Use(Settings{URL: "https://mx.example.com", Client: 5, Sender: 5, Recipient: 5, Size: 1000})
	keyless := New(func() ([]byte, error) { return nil, errors.New("no key") }, func(err error) { warned = err })
	full, nowhere := desk(&now), desk(&now)
	full.Waiting(901)
	nowhere.Use(Settings{Client: 5, Sender: 5, Recipient: 5, Size: 1000})
	for name, d := range map[string]*Desk{"not counted": fresh, "no key": keyless, "full": full, "no address": nowhere} {
		if link, _ := d.Offer(message(1)); link != "" {
			t.Errorf("%s: %q", name, link)
		}
	}
	if warned == nil {
		t.Error("nobody hears that there is no key")
	}
	full.Waiting(900)
	if link, _ := full.Offer(message(1)); link == "" {
		t.Error("no link, and there is room again")
	}
}
