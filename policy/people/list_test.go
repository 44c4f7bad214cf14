package people

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

func open(t testing.TB) *Store {
	s := New(filepath.Join(t.TempDir(), "people.db"))
	t.Cleanup(func() { s.Close() })
	return s
}

// root may make anything.
var root = Maker{Name: "root", Level: OfHost, Terms: DefaultTerms()}

func TestFoldPattern(t *testing.T) {
	for written, want := range map[string]string{
		"ann@example.com": "ann@example.com", "<Ann@EXAMPLE.com>": "ann@example.com", "ann@bücher.example": "ann@xn--bcher-kva.example",
		"@example.com": "@example.com", "example.com": "@example.com", "*@Example.com": "@example.com", "EXAMPLE.com.": "@example.com",
		".example.com": ".example.com", "*.example.com": ".example.com", "@.example.com": ".example.com", "@*.example.com": ".example.com", ".top": ".top",
		"192.0.2.0/24": "192.0.2.0/24", "192.0.2.1": "192.0.2.1/32", "2001:DB8::/32": "2001:db8::/32", "2001:db8::1": "2001:db8::1/128",
		"[2001:db8::1]": "2001:db8::1/128", "::ffff:192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.0/120": "192.0.2.0/24",
		"": "", "*": "", "<>": "", "@": "", ".": "", "ann": "", "@ann": "@ann", "boss*@example.com": "", "a?b@example.com": "", "0.0.0.0/0": "", "::/0": "", "192.0.2.1/24": "",
		"ann@exam ple.com": "", "/ann/": "", "file:x": "", `"a,b@c"@example.com`: `"a,b@c"@example.com`, "192.0.2.0/33": "", "10.0.0.0/7": "", "ann@example.com,bob@example.com": "",
	} {
		got, err := FoldPattern(written)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", written, got, err, want)
		}
		if again, err := FoldPattern(got); got != "" && (err != nil || again != got) {
			t.Errorf("%q: folded again %q, %v", got, again, err)
		}
	}
}

func TestFoldOwner(t *testing.T) {
	for written, want := range map[string]string{
		"host": Host, " Host ": Host, "ann@Example.com": "ann@example.com", "Example.com": "example.com", "@example.com": "example.com", ".Example.com": ".example.com",
		"*@example.com": "example.com", "": "", "*": "", "@host": "", "ann@": "", "192.0.2.0/24": "",
	} {
		if got, err := FoldOwner(written); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", written, got, err, want)
		}
	}
}

func TestLists(t *testing.T) {
	s := open(t)
	first, err := s.Add(t.Context(), root, Entry{Owner: "Bob@example.com", Act: Allow, Pattern: "Ann@Example.NET", Note: " a friend "})
	if err != nil || first.ID == 0 || first.Owner != "bob@example.com" || first.Pattern != "ann@example.net" || first.Note != "a friend" || first.Maker != "root" {
		t.Fatalf("%+v, %v", first, err)
	}
	changed, err := s.Add(t.Context(), root, Entry{Owner: "bob@example.com", Act: Block, Pattern: "ann@example.net"})
	if err != nil || changed.ID != first.ID {
		t.Errorf("%+v, %v", changed, err)
	}
	for _, e := range []Entry{
		{Owner: "bob@example.com", Act: Allow, Pattern: "ann@example.net", Authenticated: true},
		{Owner: "example.com", Act: Block, Pattern: "@example.org"}, {Owner: "sub.example.com", Act: Block, Pattern: "@example.org"},
		{Owner: Host, Act: Block, Pattern: "192.0.2.0/24", Expires: time.Now().Add(time.Hour)},
	} {
		if _, err := s.Add(t.Context(), root, e); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		filter Filter
		want   int
	}{
		{Filter{}, 5}, {Filter{Owners: []string{"bob@example.com"}}, 2}, {Filter{Owners: []string{}}, 0}, {Filter{Domains: []string{}}, 0},
		{Filter{Domains: []string{"example.com"}}, 3}, {Filter{Domains: []string{".example.com"}}, 1}, {Filter{Domains: []string{".example.com", "example.com"}}, 4},
		{Filter{Domains: []string{""}}, 0}, {Filter{Domains: []string{"ample.com"}}, 0}, {Filter{Act: Allow}, 1}, {Filter{Like: "EXAMPLE.ORG"}, 2}, {Filter{Like: "%"}, 0},
		{Filter{Limit: 2}, 2}, {Filter{Before: first.ID + 1}, 1}, {Filter{Owners: []string{Host}, Act: Block}, 1},
	} {
		if list, err := s.Entries(t.Context(), c.filter); err != nil || len(list) != c.want {
			t.Errorf("%+v: %d entries, %v; want %d", c.filter, len(list), err, c.want)
		}
	}
	if _, err := s.Remove(t.Context(), "eve@example.com", first.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("another's entry: %v", err)
	}
	if gone, err := s.Remove(t.Context(), "bob@example.com", first.ID); err != nil || gone.Act != Block {
		t.Errorf("%+v, %v", gone, err)
	}
	if _, err := s.Remove(t.Context(), "bob@example.com", first.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("twice: %v", err)
	}
	if n, err := s.RemoveAll(t.Context(), Filter{Domains: []string{"example.com"}}); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// TestWhoMayList holds recipients and administrators of domains to the terms of the host.
func TestWhoMayList(t *testing.T) {
	terms := DefaultTerms()
	terms.Recipients = Allowance{Allow: authenticated, Block: true, About: []string{"address"}, Entries: 2, Longest: units.Duration(48 * time.Hour)}
	terms.Domains = Allowance{Allow: noSender, Block: true, About: []string{"address", "domain", "network"}, Entries: 1}
	recipient, domain := Maker{"bob", OfRecipient, terms}, Maker{"dora", OfDomain, terms}
	none := Maker{"eve", OfRecipient, Terms{}}
	soon, late := time.Now().Add(time.Hour), time.Now().Add(49*time.Hour)
	for _, c := range []struct {
		by    Maker
		entry Entry
		want  string // in the error; "" if the entry is made
	}{
		{recipient, Entry{Owner: "bob@example.com", Act: Allow, Pattern: "ann@example.net", Expires: soon}, "DMARC or DKIM"},
		{recipient, Entry{Owner: "bob@example.com", Act: Allow, Pattern: "ann@example.net", Expires: soon, Authenticated: true}, ""},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "@example.net", Expires: soon}, `list a domain; you can list: "address"`},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "192.0.2.1", Expires: soon}, "list a network"},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "x@example.net", Expires: late}, "at most"},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "x@example.net"}, "at most"},
		{recipient, Entry{Owner: "example.com", Act: Block, Pattern: "x@example.net", Expires: soon}, "not yours"},
		{recipient, Entry{Owner: Host, Act: Block, Pattern: "x@example.net", Expires: soon}, "not yours"},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "x@example.net", Expires: soon}, ""},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "x@example.net", Expires: soon, Note: "again"}, ""},
		{recipient, Entry{Owner: "bob@example.com", Act: Block, Pattern: "y@example.net", Expires: soon}, "no more than 2"},
		{recipient, Entry{Owner: "amy@example.com", Act: Block, Pattern: "y@example.net", Expires: soon}, ""},
		{none, Entry{Owner: "eve@example.com", Act: Allow, Pattern: "y@example.net", Authenticated: true}, ""},
		{domain, Entry{Owner: Host, Act: Block, Pattern: "x@example.net"}, "not yours"},
		{domain, Entry{Owner: "example.com", Act: Allow, Pattern: "x@example.net", Authenticated: true}, "does not let you allow"},
		{domain, Entry{Owner: "example.com", Act: Block, Pattern: "192.0.2.0/24"}, ""},
		{domain, Entry{Owner: "example.com", Act: Block, Pattern: "x@example.net"}, "no more than 1"},
		{domain, Entry{Owner: "zoe@example.com", Act: Block, Pattern: "x@example.net"}, ""},
		{root, Entry{Owner: Host, Act: Allow, Pattern: "192.0.2.0/24"}, ""},
		{root, Entry{Owner: Host, Act: Allow, Pattern: "192.0.2.0/24", Authenticated: true}, "network"},
		{root, Entry{Owner: Host, Act: "drop", Pattern: "x@example.net"}, "write \"allow\""},
		{root, Entry{Owner: Host, Act: Allow, Pattern: ".top"}, "top-level"},
		{root, Entry{Owner: Host, Act: Block, Pattern: ".top"}, ""},
		{root, Entry{Owner: "bob@example.com", Act: Allow, Pattern: "bob@example.com"}, "owner's own"},
		{root, Entry{Owner: "bob@example.com", Act: Allow, Pattern: "@example.com"}, "owner's own"},
		{root, Entry{Owner: "example.com", Act: Allow, Pattern: "@example.com"}, "owner's own"},
		{root, Entry{Owner: "bob@example.com", Act: Allow, Pattern: "bob@example.com", Authenticated: true}, ""},
		{root, Entry{Owner: "bob@example.com", Act: Block, Pattern: "@example.com"}, ""},
		{root, Entry{Owner: Host, Act: Block, Pattern: "x@example.net", Expires: time.Now().Add(-time.Second)}, "expired"},
		{root, Entry{Owner: Host, Act: Block, Pattern: "x@example.net", Note: "a\nb"}, "note"},
		{root, Entry{Owner: Host, Act: Block, Pattern: "x@example.net", Note: strings.Repeat("x", 501)}, "note"},
	} {
		s := c.by.Name + ": " + string(c.entry.Act) + " " + c.entry.Pattern
		_, err := shared(t).Add(t.Context(), c.by, c.entry)
		var told *Error
		switch {
		case c.want == "" && c.by.Name == "eve":
			if err == nil {
				t.Errorf("%s: no terms, and yet it was made", s)
			}
		case (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &told) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", s, err, c.want)
		}
	}
}

var sharedStores = map[*testing.T]*Store{}

// shared returns the one store of a test.
func shared(t *testing.T) *Store {
	if sharedStores[t] == nil {
		sharedStores[t] = open(t)
	}
	return sharedStores[t]
}

// taken is a Taker that has what it was told.
type taken struct {
	all     bool
	entries map[string]Act
	limits  map[string]Limit
}

func (k *taken) Begin(all bool) {
	if k.all = all; all {
		k.entries, k.limits = map[string]Act{}, map[string]Limit{}
	}
}

func (k *taken) Take(e Entry)  { k.entries[k.key(e)] = e.Act }
func (k *taken) Drop(e Entry)  { delete(k.entries, k.key(e)) }
func (k *taken) Limit(l Limit) { k.limits[l.Address] = l }
func (k *taken) key(e Entry) string {
	return fmt.Sprint(e.Owner, " ", e.Pattern, " ", e.Authenticated)
}

// TestChanges has a reader follow what is changed, and holds what it has against all there is.
func TestChanges(t *testing.T) {
	s := open(t)
	reader := &taken{}
	var mark Mark
	follow := func(step string, all bool) {
		t.Helper()
		var err error
		if mark, err = s.ChangesSince(t.Context(), mark, reader); err != nil {
			t.Fatal(err)
		}
		list, err := s.Entries(t.Context(), Filter{})
		if err != nil || len(list) != len(reader.entries) || reader.all != all {
			t.Errorf("%s: %d entries, the reader has %v, all %v, %v", step, len(list), reader.entries, reader.all, err)
		}
		for _, e := range list {
			if reader.entries[reader.key(e)] != e.Act {
				t.Errorf("%s: the reader lacks %+v", step, e)
			}
		}
		if last, err := s.Mark(t.Context()); last != mark || err != nil {
			t.Errorf("%s: %v, %v, %v", step, last, mark, err)
		}
	}
	add := func(act Act, pattern string) Entry {
		t.Helper()
		e, err := s.Add(t.Context(), root, Entry{Owner: Host, Act: act, Pattern: pattern})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	follow("nothing", false)
	a := add(Allow, "a@example.net")
	follow("one", true)
	b := add(Allow, "b@example.net")
	add(Block, "a@example.net")
	follow("changed", false)
	if _, err := s.Remove(t.Context(), Host, a.ID); err != nil {
		t.Fatal(err)
	}
	follow("removed", false)
	if _, err := s.Remove(t.Context(), Host, b.ID); err != nil {
		t.Fatal(err)
	}
	add(Block, "b@example.net")
	follow("removed and made again", false)
	if n, err := s.Import(t.Context(), root, many(2*atOnce+5)); n != 2*atOnce+5 || err != nil {
		t.Fatal(n, err)
	}
	follow("many", false)
	if n, err := s.RemoveAll(t.Context(), Filter{Like: "many"}); n != 2*atOnce+5 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := s.ExpireEntries(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	follow("more than is remembered", true)
	mark.Change++
	follow("from before a backup was restored", true)
	mark.Lineage = "another"
	follow("another file", true)
}

// many yields that many entries.
func many(n int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for i := range n {
			if !yield(Entry{Owner: fmt.Sprintf("user%d@example.com", i%1000), Act: Block, Pattern: fmt.Sprintf("many%d@example.net", i)}, nil) {
				return
			}
		}
	}
}

func TestExpireEntries(t *testing.T) {
	s := open(t)
	for i, expires := range []time.Time{{}, time.Now().Add(time.Hour), time.Now().Add(3 * time.Hour)} {
		if _, err := s.Add(t.Context(), root, Entry{Owner: Host, Act: Block, Pattern: fmt.Sprintf("%d@example.net", i), Expires: expires}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.ExpireEntries(t.Context(), time.Now().Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	list, err := s.Entries(t.Context(), Filter{})
	if err != nil || len(list) != 2 || !slices.ContainsFunc(list, func(e Entry) bool { return e.Expires.IsZero() }) {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestImportStops makes what came before a bad entry, in slices, and says how many.
func TestImportStops(t *testing.T) {
	s := open(t)
	bad := errors.New("line 3")
	n, err := s.Import(t.Context(), root, func(yield func(Entry, error) bool) {
		if yield(Entry{Owner: Host, Act: Block, Pattern: "a@example.net"}, nil) {
			yield(Entry{}, bad)
		}
	})
	if n != 0 || !errors.Is(err, bad) {
		t.Errorf("%d, %v", n, err)
	}
	made := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	one := func(e Entry) iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) { yield(e, nil) }
	}
	e := Entry{Owner: "bob@example.com", Act: Block, Pattern: "a@example.net", Maker: "ann", Made: made}
	for _, by := range []Maker{root, {"dora", OfDomain, DefaultTerms()}} {
		if n, err := s.Import(t.Context(), by, one(e)); n != 1 || err != nil {
			t.Error(n, err)
		}
		list, err := s.Entries(t.Context(), Filter{})
		if err != nil || len(list) != 1 || (list[0].Maker == "ann" && list[0].Made.Equal(made)) != (by.Level == OfHost) {
			t.Errorf("%s: %+v, %v", by.Name, list, err)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		if n, err := open(b).Import(b.Context(), root, many(100_000)); err != nil {
			b.Fatal(n, err)
		}
	}
}
