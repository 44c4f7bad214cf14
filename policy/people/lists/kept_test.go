package lists

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// shared returns a book that keeps its lists in a file, as one of a database does.
func shared(t *testing.T, s *people.Store, kept string) (*Book, *warnings) {
	t.Helper()
	w := &warnings{}
	b := New(people.New(s.Place()), Options{Warn: w.add, Shared: kept})
	t.Cleanup(func() { b.Close() })
	return b, w
}

// TestKept starts without the database: what was last read is in force until the database is back, which is then read
// whole.
func TestKept(t *testing.T) {
	s, _, _ := open(t)
	kept := filepath.Join(t.TempDir(), "sub", "lists")
	one := add(t, s, people.Entry{Owner: "bob@example.com", Act: people.Block, Pattern: "ann@example.net", Expires: time.Now().Add(time.Hour)})
	add(t, s, people.Entry{Owner: "bob@example.com", Act: people.Allow, Pattern: "@example.net", Authenticated: true})
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "192.0.2.0/24"})
	gone := add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "2001:db8::/32"})
	bounds := people.Bounds{Least: 4, Most: 12}
	if err := s.SetLimit(t.Context(), bounds, people.Limit{Address: "bob@example.com", Score: 7.25, Set: true}); err != nil {
		t.Fatal(err)
	}
	first, _ := shared(t, s, kept)
	if err := first.Keep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); err == nil {
		t.Error("lists that were never read are kept")
	}
	before := read(t, first)
	for range 2 {
		if err := first.Keep(); err != nil {
			t.Fatal(err)
		}
	}
	aside := s.Place() + ".aside"
	if err := errors.Join(s.Close(), os.Rename(s.Place(), aside), os.Mkdir(s.Place(), 0o700)); err != nil {
		t.Fatal(err)
	}
	next, w := shared(t, s, kept)
	if err := next.Read(t.Context()); err == nil {
		t.Error("what is not there can be read")
	}
	if len(w.list) != 1 || !strings.Contains(w.list[0], "the 4 entries of ") || !strings.Contains(w.list[0], kept) {
		t.Errorf("%q", w.list)
	}
	by := usual
	by.Score = bounds
	l, err := next.Lists(by)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		owner, pattern string
		proved         bool
	}{{"bob@example.com", "ann@example.net", false}, {"bob@example.com", "@example.net", true}, {people.Host, "192.0.2.0/24", false}, {people.Host, "eve@example.net", false}} {
		got, ok := l.Entry(e.owner, e.pattern, e.proved)
		want, is := before.Entry(e.owner, e.pattern, e.proved)
		if got != want || ok != is {
			t.Errorf("%v: %+v, %t; want %+v", e, got, ok, want)
		}
	}
	if e, _ := l.Entry("bob@example.com", "ann@example.net", false); e.ID != one.ID || !e.Expires.Equal(one.Expires) {
		t.Errorf("%+v", e)
	}
	for _, owner := range []string{people.Host, "bob@example.com", "eve@example.com"} {
		if got, want := l.Owned(owner), before.Owned(owner); got != want {
			t.Errorf("%s: %+v, want %+v", owner, got, want)
		}
	}
	if got, ok := l.Limit("bob@example.com"); !ok || got.Score != 7.25 {
		t.Errorf("%+v", got)
	}
	n, at := next.Entries()
	if n != 4 || at.IsZero() || time.Since(at) > time.Hour {
		t.Errorf("%d entries of %v", n, at)
	}
	if err := errors.Join(os.Remove(s.Place()), os.Rename(aside, s.Place())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), people.Host, gone.ID); err != nil {
		t.Fatal(err)
	}
	if l := read(t, next); l.Owned(people.Host).Lengths == (policy.Lengths{}) {
		t.Error("a network is lost")
	}
	if n, _ := next.Entries(); n != 3 || next.Failure() != nil {
		t.Errorf("%d entries, %v", n, next.Failure())
	}
}

// TestKeptHanging: a start whose time is over while the database hangs has the lists that were last read, too.
func TestKeptHanging(t *testing.T) {
	s, _, _ := open(t)
	kept := filepath.Join(t.TempDir(), "lists")
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "ann@example.net"})
	over, end := context.WithCancel(t.Context())
	end()
	without, w := shared(t, s, kept)
	err := without.Read(over)
	if l, none := without.Lists(usual); err == nil || none == nil || l != nil || none.Error() != errUnread.Error() {
		t.Errorf("without the file: %v, %v, %v", l, none, err)
	}
	read(t, without)
	if err := without.Keep(); err != nil {
		t.Fatal(err)
	}
	next, _ := shared(t, s, kept)
	if err := next.Read(over); err == nil {
		t.Error("it can be read when the time is over")
	}
	l, err := next.Lists(usual)
	if err != nil || l == nil {
		t.Fatalf("%v, %v", l, err)
	}
	if _, ok := l.Entry(people.Host, "ann@example.net", false); !ok || len(w.list) > 0 {
		t.Errorf("the entry is there: %t; %q", ok, w.list)
	}
}

// TestKeptDamaged: no byte of the file can be another without that being noticed; and it may be cut anywhere.
func TestKeptDamaged(t *testing.T) {
	var whole bytes.Buffer
	if err := fill(20).write(&whole); err != nil {
		t.Fatal(err)
	}
	if s, err := readSnapshot(bytes.NewReader(whole.Bytes()), int64(whole.Len())); err != nil || s.Len() != 20 {
		t.Fatal(err)
	}
	for i := range whole.Len() {
		text := bytes.Clone(whole.Bytes())
		text[i] ^= 0x40
		if _, err := readSnapshot(bytes.NewReader(text), int64(len(text))); err == nil {
			t.Errorf("byte %d is another, and nothing is said", i)
		}
		if _, err := readSnapshot(bytes.NewReader(text[:i]), int64(i)); err == nil {
			t.Errorf("it ends at %d, and nothing is said", i)
		}
	}
	s, _, _ := open(t)
	kept := filepath.Join(t.TempDir(), "lists")
	if err := errors.Join(os.WriteFile(kept, whole.Bytes()[:whole.Len()-1], 0o600), os.Mkdir(s.Place(), 0o700)); err != nil {
		t.Fatal(err)
	}
	b, w := shared(t, s, kept)
	b.Read(t.Context())
	if l, err := b.Lists(usual); err == nil || l != nil || len(w.list) != 1 || !strings.Contains(w.list[0], "cannot be used: it is damaged") {
		t.Errorf("%v, %v, %q", l, err, w.list)
	}
}

// TestSaidOnce: each connection to a database that hangs fails in other words, and one line in the log is enough.
func TestSaidOnce(t *testing.T) {
	s, _, _ := open(t)
	b, w := shared(t, s, filepath.Join(t.TempDir(), "lists"))
	read(t, b)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "a@example.net"})
	read(t, b)
	aside := s.Place() + ".aside"
	if err := errors.Join(s.Close(), os.Rename(s.Place(), aside)); err != nil {
		t.Fatal(err)
	}
	first := b.Read(t.Context())
	if err := os.Mkdir(s.Place(), 0o700); err != nil {
		t.Fatal(err)
	}
	second := b.Read(t.Context())
	if first == nil || second == nil || first.Error() == second.Error() || len(w.list) != 1 {
		t.Errorf("%v, %v, %q", first, second, w.list)
	}
	if err := errors.Join(os.Remove(s.Place()), os.Rename(aside, s.Place())); err != nil {
		t.Fatal(err)
	}
	read(t, b)
	if len(w.list) != 2 {
		t.Errorf("%q", w.list)
	}
}

// FuzzReadSnapshot reads what others have written into the file.
func FuzzReadSnapshot(f *testing.F) {
	var whole bytes.Buffer
	if err := fill(3).write(&whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte(keptTitle))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := readSnapshot(bytes.NewReader(text), int64(len(text))); err == nil {
			s.Entry(people.Host, "ann@example.net", false)
		}
	})
}

// TestFollow: a book of a database asks it by itself now and then, and at once when it hears of a change.
func TestFollow(t *testing.T) {
	s, own, _ := open(t)
	b, _ := shared(t, s, filepath.Join(t.TempDir(), "lists"))
	now := time.Now()
	step := func(what string, after time.Duration, book *Book, want int) {
		t.Helper()
		now = now.Add(after)
		book.Follow(t.Context(), now)
		if n, _ := book.Entries(); n != want {
			t.Errorf("%s: %d entries, want %d", what, n, want)
		}
	}
	step("nothing", 0, b, 0)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "a@example.net"})
	step("soon after", Poll/2, b, 0)
	step("in time", Poll/2, b, 1)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "b@example.net"})
	b.Changed()
	step("told", Every, b, 2)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "c@example.net"})
	step("told before", Every, b, 2)
	step("the clock is set back", -time.Hour, b, 3)
	step("of a file", 0, own, 3)
	add(t, s, people.Entry{Owner: people.Host, Act: people.Block, Pattern: "d@example.net"})
	step("of a file, soon after", Every, own, 4)
}
