package lists

import (
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

var root = people.Maker{Name: "root", Level: people.OfHost, Terms: people.DefaultTerms()}

// usual are the terms as they are shipped.
var usual = Terms{Lists: people.DefaultTerms()}

// warnings are those of a book.
type warnings struct {
	mu   sync.Mutex
	list []string
}

func (w *warnings) add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, err.Error())
}

func open(t testing.TB) (*people.Store, *Book, *warnings) {
	path := filepath.Join(t.TempDir(), "people.db")
	w := &warnings{}
	s, b := people.New(path), New(people.New(path), Options{Warn: w.add})
	t.Cleanup(func() { s.Close(); b.Close() })
	return s, b, w
}

func add(t testing.TB, s *people.Store, e people.Entry) people.Entry {
	t.Helper()
	made, err := s.Add(t.Context(), root, e)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func read(t testing.TB, b *Book) policy.Lists {
	t.Helper()
	if err := b.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := b.Lists(usual)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestBook follows entries as they are made, changed and removed by another process, and holds
// both ways of looking them up to each other.
func TestBook(t *testing.T) {
	s, b, w := open(t)
	if l := read(t, b); l != nil {
		t.Errorf("no file, and lists %v", l)
	}
	if _, err := os.Stat(s.Place()); err == nil {
		t.Error("reading has made a file")
	}
	kept := add(t, s, people.Entry{Owner: "bob@example.com", Act: people.Allow, Pattern: "ann@example.net", Authenticated: true, Expires: time.Now().Add(time.Hour)})
	gone := add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "192.0.2.0/24"})
	direct := NewDirect(people.New(s.Place()), w.add)
	defer direct.Close()
	look := func(step string, owner, pattern string, proved bool, want string) {
		t.Helper()
		asked, err := direct.Lists(usual)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []policy.Lists{read(t, b), asked} {
			e, ok := l.Entry(owner, pattern, proved)
			got := ""
			if ok {
				got = map[bool]string{true: "block", false: "allow"}[e.Block]
			}
			if got != want || ok && (e.Owner != owner || e.Pattern != pattern || e.Authenticated != proved || e.ID == 0) {
				t.Errorf("%s: %T: %q, %+v; want %q", step, l, got, e, want)
			}
		}
	}
	look("made", "bob@example.com", "ann@example.net", true, "allow")
	look("made", "bob@example.com", "ann@example.net", false, "")
	look("made", "amy@example.com", "ann@example.net", true, "")
	look("made", people.Host, "192.0.2.0/24", false, "block")
	l := read(t, b)
	if e, _ := l.Entry("bob@example.com", "ann@example.net", true); !e.Expires.Equal(kept.Expires) {
		t.Errorf("%v, want %v", e.Expires, kept.Expires)
	}
	if o := l.Owned("bob@example.com"); !o.Senders || !o.AllowsProved || o.BlocksProved || o.Lengths != (policy.Lengths{}) {
		t.Errorf("%+v", o)
	}
	if o := l.Owned(people.Host); o.Senders || o.Lengths == (policy.Lengths{}) {
		t.Errorf("%+v", o)
	}
	add(t, s, people.Entry{Owner: "bob@example.com", Act: people.Block, Pattern: "ann@example.net", Authenticated: true})
	look("changed", "bob@example.com", "ann@example.net", true, "block")
	if _, err := s.Remove(t.Context(), people.Host, gone.ID); err != nil {
		t.Fatal(err)
	}
	look("removed", people.Host, "192.0.2.0/24", false, "")
	if o := read(t, b).Owned(people.Host); o != (policy.Owned{}) {
		t.Errorf("%+v", o)
	}
	if n, at := b.Entries(); n != 1 || time.Since(at) > time.Minute {
		t.Errorf("%d entries, read %v", n, at)
	}
	if e, ok := l.Entry(people.Host, "192.0.2.0/24", false); !ok || !e.Block {
		t.Error("lists that a decision holds have changed")
	}
	if l.Firm(true) != true || l.Firm(false) != false || strings.Join(l.Owners("Bob@Sub.Example.com"), " ") != "bob@sub.example.com sub.example.com .example.com .com host" {
		t.Errorf("%v", l.Owners("Bob@Sub.Example.com"))
	}
	if len(w.list) > 0 {
		t.Error(w.list)
	}
}

// TestUnreadable keeps what was read while the file cannot be, says so once, and goes on when it
// can again.
func TestUnreadable(t *testing.T) {
	s, b, w := open(t)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "ann@example.net"})
	read(t, b)
	s.Close()
	aside := s.Place() + ".aside"
	for name, spoil := range map[string]func() error{
		"taken away": func() error { return nil },
		"garbage":    func() error { return os.WriteFile(s.Place(), []byte(strings.Repeat("garbage ", 1000)), 0o600) },
		"a folder":   func() error { return os.Mkdir(s.Place(), 0o700) },
	} {
		w.list = nil
		if err := b.Close(); err != nil { // with what is not in the file itself yet
			t.Fatal(err)
		}
		if err := os.Rename(s.Place(), aside); err != nil {
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := b.Read(t.Context()); err == nil || b.Failure() == nil {
				t.Errorf("%s: it was read", name)
			}
		}
		l, err := b.Lists(usual)
		if err != nil || l == nil {
			t.Fatalf("%s: %v, %v", name, l, err)
		}
		if e, ok := l.Entry(people.Host, "ann@example.net", false); !ok || !e.Block {
			t.Errorf("%s: the entry does not count any more", name)
		}
		if len(w.list) != 1 || !strings.Contains(w.list[0], "the 1 entries that were read before stay in force") {
			t.Errorf("%s: %q", name, w.list)
		}
		fresh := New(people.New(s.Place()), Options{Warn: func(error) {}})
		fresh.Read(t.Context())
		if l, err := fresh.Lists(usual); (err == nil) != (name == "taken away") || l != nil {
			t.Errorf("%s: at the start: %v, %v", name, l, err)
		}
		fresh.Close()
		if name != "taken away" {
			if _, err := NewDirect(people.New(s.Place()), func(error) {}).Lists(usual); err == nil {
				t.Errorf("%s: asked directly, no error", name)
			}
		}
		os.RemoveAll(s.Place())
		if err := os.Rename(aside, s.Place()); err != nil {
			t.Fatal(err)
		}
		read(t, b)
		if len(w.list) != 2 || !strings.Contains(w.list[1], "can be read again") || b.Failure() != nil {
			t.Errorf("%s: %q", name, w.list)
		}
	}
}

// TestLimits follows the limits that people set, within the bounds that count now.
func TestLimits(t *testing.T) {
	s, b, w := open(t)
	direct := NewDirect(people.New(s.Place()), w.add)
	defer direct.Close()
	bounds := people.Bounds{Least: 4, Most: 12}
	set := func(address string, score float64, is bool) {
		t.Helper()
		if err := s.SetLimit(t.Context(), bounds, people.Limit{Address: address, Score: score, Set: is}); err != nil {
			t.Fatal(err)
		}
	}
	by := usual
	by.Score, by.Main = bounds, func(address string) string {
		return map[string]string{"a.smith@example.com": "ann@example.com", "ann@example.com": "ann@example.com"}[strings.ToLower(address)]
	}
	look := func(step, recipient, want string) {
		t.Helper()
		if err := b.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, ask := range []func(Terms) (policy.Lists, error){b.Lists, direct.Lists} {
			l, err := ask(by)
			got := ""
			if l != nil {
				if one, ok := l.Limit(recipient); ok {
					got = fmt.Sprint(one.Owner, " ", one.Score)
				}
			}
			if got != want || err != nil {
				t.Errorf("%s: %s: %q, %v; want %q", step, recipient, got, err, want)
			}
		}
	}
	set("ann@example.com", 6.5, true)
	set("bob@example.com", 11, true)
	look("set", "ann@example.com", "ann@example.com 6.5")
	look("set", "A.Smith@example.com", "ann@example.com 6.5")
	look("set", "Bob@Example.com", "bob@example.com 11")
	look("set", "no address", "")
	by.Score = people.Bounds{Least: 7, Most: 9}
	look("drawn closer", "ann@example.com", "ann@example.com 7")
	look("drawn closer", "bob@example.com", "bob@example.com 9")
	by.Score = people.Bounds{}
	look("switched off", "ann@example.com", "")
	by.Score = bounds
	set("ann@example.com", 8, true)
	set("bob@example.com", 0, false)
	look("changed", "ann@example.com", "ann@example.com 8")
	look("taken back", "bob@example.com", "")
	set("ann@example.com", 0, false)
	look("all taken back", "ann@example.com", "")
	if l, err := b.Lists(by); l != nil || err != nil {
		t.Errorf("there is nothing, and lists %v, %v", l, err)
	}
	for _, bad := range []people.Limit{{Address: "ann@example.com", Score: 3.9, Set: true}, {Address: "ann@example.com", Score: 12.01, Set: true}} {
		if err := s.SetLimit(t.Context(), bounds, bad); err == nil {
			t.Errorf("%+v is kept", bad)
		}
	}
}

// TestOwners has entries of a person count for all its addresses, after those of the address that mail is for.
func TestOwners(t *testing.T) {
	s, b, _ := open(t)
	add(t, s, people.Entry{Owner: "ann@example.com", Act: people.Block, Pattern: "spam@example.net"})
	if err := b.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	by := usual
	by.Main = func(address string) string {
		return map[string]string{"a.smith@example.org": "ann@example.com", "ann@example.com": "ann@example.com"}[address]
	}
	l, err := b.Lists(by)
	if err != nil {
		t.Fatal(err)
	}
	for recipient, want := range map[string]string{
		"a.smith@example.org": "a.smith@example.org ann@example.com example.org .org host", "ann@example.com": "ann@example.com example.com .com host",
		"sales@example.com": "sales@example.com example.com .com host", "": "host",
	} {
		if got := strings.Join(l.Owners(recipient), " "); got != want {
			t.Errorf("%q: %s, want %s", recipient, got, want)
		}
	}
}

// TestReadersAndWriters looks things up while others change the lists.
func TestReadersAndWriters(t *testing.T) {
	s, b, _ := open(t)
	fixed := add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "fixed@example.net"})
	read(t, b)
	var all sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				l, err := b.Lists(usual)
				if err != nil {
					t.Error(err)
					return
				}
				if e, ok := l.Entry(people.Host, "fixed@example.net", false); !ok || e.ID != fixed.ID {
					t.Error("an entry that nobody touches is gone")
					return
				}
				l.Owned(people.Host)
			}
		})
	}
	for i := range 100 {
		e := add(t, s, people.Entry{Owner: people.Host, Act: people.Allow, Pattern: fmt.Sprintf("u%d@example.net", i%10)})
		if i%3 == 0 {
			if _, err := s.Remove(t.Context(), people.Host, e.ID); err != nil {
				t.Error(err)
			}
		}
		read(t, b)
	}
	close(done)
	all.Wait()
}

// many yields that many entries: of a thousand recipients, and every tenth a network.
func many(n int) iter.Seq2[people.Entry, error] {
	return func(yield func(people.Entry, error) bool) {
		for i := range n {
			e := people.Entry{Owner: fmt.Sprintf("user%d@example.com", i%1000), Act: people.Block, Pattern: fmt.Sprintf("sender%d@domain%d.example", i, i%5000)}
			if i%10 == 0 {
				e.Pattern = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32).String()
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// fill takes entries over without a file.
func fill(n int) *Snapshot {
	d := newDraft(newSnapshot())
	for e := range many(n) {
		d.Take(e)
	}
	return d.Snapshot
}

// TestMemory holds an entry to its price.
func TestMemory(t *testing.T) {
	const n = 50_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := fill(n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.0f bytes for each of %d entries", each, s.Len())
	if each > 120 || s.Len() != n {
		t.Errorf("%.0f bytes for each of %d entries", each, s.Len())
	}
	runtime.KeepAlive(s)
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1, 1_000, 1_000_000} {
		s := fill(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				s.Entry("user7@example.com", "sender7@domain7.example", false)
			}
		})
	}
}

func BenchmarkChange(b *testing.B) {
	s := fill(1_000_000)
	for b.Loop() {
		d := newDraft(s)
		d.Begin(false)
		d.Take(people.Entry{Owner: "user7@example.com", Act: people.Block, Pattern: "one@more.example"})
		s = d.Snapshot
	}
}
