package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/skeleton"
	"github.com/milterscan/milterscan/scan/units"
)

// known returns a directory that knows rows of one source or several, without reading any.
func known(sources ...[]Row) *Directory {
	d := New(Options{})
	d.delimiter = "+"
	for i, rows := range sources {
		s := &source{Source: Source{Name: fmt.Sprintf("s%d", i+1)}}
		var c collection
		for _, r := range rows {
			if err := c.collect("row", r); err != nil {
				panic(err)
			}
		}
		s.rows, _ = c.done()
		d.sources = append(d.sources, s)
	}
	d.assemble()
	return d
}

// ids returns the persons of a list by their main addresses.
func ids(list []Person) string {
	var all []string
	for _, p := range list {
		all = append(all, p.ID)
	}
	return strings.Join(all, " ")
}

// TestWho: an address is its person's however it is written, and one that two want is nobody's
// by mistake.
func TestWho(t *testing.T) {
	d := known([]Row{
		{Address: "ann@example.com", Name: "Ann", Aliases: []string{"a.smith@example.com", "info@example.com", "bob@example.com", "loop2@example.com"}},
		{Address: "bob@example.com", Aliases: []string{"info@example.com", "bob@example.com", "ann@example.com"}, Delegates: []string{"a.smith@example.com", "bob@example.com", "eve@else.example"}},
		{Address: "cy@example.com", Aliases: []string{"@catch.example"}, Delegates: []string{"bob@example.com"}},
		{Address: "@open.example"},
		{Address: "Dee@Bücher.example", Aliases: []string{"@two.example"}},
		{Address: "ed@example.com", Aliases: []string{"@two.example"}},
		{Address: "ed+list@example.com", Name: "A list"},
	})
	for address, want := range map[string]string{
		"ann@example.com": "ann@example.com", "<ANN@EXAMPLE.COM>": "ann@example.com", "a.smith@example.com": "ann@example.com", "ann+news@example.com": "ann@example.com",
		"a.smith+x+y@example.com": "ann@example.com", "info@example.com": "info@example.com", "info+x@example.com": "info@example.com", "bob@example.com": "bob@example.com",
		"any@catch.example": "cy@example.com", "any@open.example": "", "any@two.example": "", "ed+list@example.com": "ed+list@example.com", "ed+other@example.com": "ed@example.com",
		"dee@xn--bcher-kva.example": "dee@xn--bcher-kva.example", "DEE@BÜCHER.example": "dee@xn--bcher-kva.example",
		"fay@example.com": "", "ann": "", "": "", "@example.com": "", "@catch.example": "", "+x@example.com": "", "ann@sub.example.com": "", "loop2@example.com": "ann@example.com",
	} {
		if p, ok := d.Who(address); p.ID != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", address, p.ID, ok, want)
		}
	}
	for address, want := range map[string]string{
		"ann@example.com": "ann@example.com bob@example.com info@example.com", "a.smith@example.com": "ann@example.com bob@example.com info@example.com",
		"bob@example.com": "bob@example.com cy@example.com info@example.com", "cy@example.com": "cy@example.com", "eve@else.example": "bob@example.com",
		"info@example.com": "info@example.com", "eve@example.com": "", "": "",
	} {
		if got := ids(d.Acting(address)); got != want {
			t.Errorf("%q may act for %q, want %q", address, got, want)
		}
	}
	if n, named := d.Conflicts(); n != 2 || !strings.Contains(strings.Join(named, "\n"), "bob@example.com is a main address and an alias of ann@example.com") {
		t.Errorf("conflicts: %d, %q", n, named)
	}
}

// TestSeveralSources: what they say adds up; where they differ the first holds, and that is said.
func TestSeveralSources(t *testing.T) {
	d := known(
		[]Row{{Address: "ann@example.com", Name: "Ann", Groups: []string{"Finance"}}},
		[]Row{{Address: "ANN@example.com", Name: "Anna", Language: "de-DE", Groups: []string{"CN=Finance,OU=Groups,DC=example,DC=com", "cn=Sales\\, East,dc=example"}, Aliases: []string{"anna@example.com"}}},
		[]Row{{Address: "ann@example.com", Language: "fr"}, {Address: "ben@example.com", Groups: []string{"sales, east"}}},
	)
	p, _ := d.Who("anna@example.com")
	if p.Name != "Ann" || p.Language != "de" || strings.Join(p.Groups, "|") != "finance|sales, east" || p.ID != "ann@example.com" {
		t.Errorf("got %+v", p)
	}
	_, named := d.Conflicts()
	for _, want := range []string{`called "Ann" in s1 and "Anna" in s2`, `read "de" in s2 and "fr" in s3`, `"finance" is 2 groups`} {
		if !strings.Contains(strings.Join(named, "\n"), want) {
			t.Errorf("%q is not among the conflicts: %q", want, named)
		}
	}
	for _, c := range []struct {
		group, address string
		want           bool
	}{
		{"finance", "ann@example.com", true}, {"FINANCE", "anna+x@example.com", true}, {"cn=finance,ou=groups,dc=example,dc=com", "ann@example.com", true},
		{"cn=finance,dc=other", "ann@example.com", false}, {"finance", "ben@example.com", false}, {"sales, east", "ben@example.com", true}, {"sales, east", "ann@example.com", true},
		{"", "ann@example.com", false}, {"finance", "", false}, {"finance", "eve@example.com", false},
	} {
		if got := d.Group(c.group, c.address); got != c.want {
			t.Errorf("%q in %q: %v", c.address, c.group, got)
		}
	}
	if !d.HasGroup("Finance") || d.HasGroup("nobody") {
		t.Error("a group that is there is not known, or one that is not is")
	}
}

// TestKnown: an address is unknown only where a source has all addresses of its domain, and has been
// loaded lately.
func TestKnown(t *testing.T) {
	d := known([]Row{{Address: "ann@example.com"}, {Address: "@open.example"}, {Address: "ben@other.example"}}, []Row{{Address: "cy@example.com"}})
	a, b := d.sources[0], d.sources[1]
	for _, s := range d.sources {
		s.Fresh = units.Duration(time.Minute)
	}
	a.Domains, b.Domains = []policy.Domain{"example.com", "open.example", ".example.org"}, []policy.Domain{"example.com"}
	at := func(s *source, ago time.Duration) { s.since.Store(time.Now().Add(-ago).UnixNano()) }
	check := func(about, address string, wantKnown, wantSure bool) {
		t.Helper()
		if is, sure := d.Known(address); is != wantKnown || sure != wantSure {
			t.Errorf("%s: %q is known: %v, sure: %v", about, address, is, sure)
		}
	}
	check("before any load", "ann@example.com", true, true)
	check("before any load", "eve@example.com", false, false)
	at(a, 0)
	check("one of two has loaded", "eve@example.com", false, false)
	at(b, 0)
	check("both have", "eve@example.com", false, true)
	check("both have", "ann+x@example.com", true, true)
	check("both have", "eve+ann@example.com", false, true)
	check("takes any address", "eve@open.example", true, true)
	check("of a domain that nobody has all of", "eve@other.example", false, false)
	check("of a subdomain", "eve@a.example.org", false, true)
	check("above the subdomains", "eve@example.org", false, false)
	check("no address", "eve", false, false)
	at(a, 2*time.Minute)
	check("one is old", "eve@example.com", false, false)
	check("one is old", "ann@example.com", true, true)
}

// TestDamagedLoads: what looks like a mistake leaves the last good load in force.
func TestDamagedLoads(t *testing.T) {
	s := csvSource(t, "")
	var told []error
	d := New(Options{Tell: func(s State) { told = append(told, s.Err) }})
	d.Use([]Source{s}, "")
	write := func(n int) {
		t.Helper()
		text := "address\n"
		for i := range n {
			text += fmt.Sprintf("p%d@example.com\n", i)
		}
		if err := os.WriteFile(s.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.Load(t.Context())
	}
	knows := func(n int) {
		t.Helper()
		if _, got := d.Size(); got != n {
			t.Errorf("%d addresses are known, want %d", got, n)
		}
	}
	if d.Ready() {
		t.Error("ready before the first load")
	}
	write(100)
	knows(100)
	if !d.Ready() {
		t.Error("not ready after a load")
	}
	write(0)
	knows(100)
	write(60)
	knows(60)
	write(20)
	knows(60)
	write(21)
	knows(21)
	write(5)
	knows(21)
	write(1)
	knows(21)
	write(1)
	knows(1)
	os.Remove(s.File)
	d.Load(t.Context())
	d.Load(t.Context())
	knows(1)
	if _, sure := d.Known("p9@example.com"); sure {
		t.Error("sure of a domain that no source has all of")
	}
	var errs []string
	for _, e := range told {
		errs = append(errs, fmt.Sprint(e != nil))
	}
	if got := strings.Join(errs, " "); got != "true false true false true false true" {
		t.Errorf("told of failures: %s; want once when it fails, and once when it does so no more", got)
	}
}

// TestRestart: what was loaded last is in force after a restart while the source does not answer, and
// nothing that another source has left.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := csvSource(t, "address,name,aliases,groups,language,delegates\nann@example.com,Ann,a@example.com,it,de,bob@example.com\n@open.example\n")
	s.Domains = []policy.Domain{"example.com"}
	first := New(Options{Dir: dir, Keep: true})
	first.Use([]Source{s}, "")
	first.Load(t.Context())
	before, _ := first.Who("a@example.com")
	os.Remove(s.File)

	again := New(Options{Dir: dir})
	again.Use([]Source{s}, "")
	again.Load(t.Context())
	if p, ok := again.Who("a@example.com"); !ok || fmt.Sprint(p) != fmt.Sprint(before) {
		t.Errorf("got %+v, want %+v", p, before)
	}
	state := again.States()[0]
	if state.Err == nil || !state.Restored || time.Since(state.Loaded) > time.Minute || state.Addresses != 3 || !again.Ready() {
		t.Errorf("the state is %+v", state)
	}
	if known, sure := again.Known("eve@example.com"); known || sure {
		t.Errorf("known: %v, sure: %v, and nothing was loaded", known, sure)
	}

	other := s
	other.File += ".other"
	d := New(Options{Dir: dir})
	d.Use([]Source{other}, "")
	if _, ok := d.Who("a@example.com"); ok || d.Ready() {
		t.Error("the load of another source is in force")
	}
	every := s
	every.Every = units.Duration(time.Hour)
	d.Use([]Source{every}, "")
	if _, ok := d.Who("a@example.com"); !ok {
		t.Error("the load is not in force, and only how often it is done is another")
	}

	file := filepath.Join(dir, s.fileName())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others can read it", info.Mode(), err)
	}
	for cut := range len(text) {
		if err := os.WriteFile(file, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		d := New(Options{Dir: dir})
		d.Use([]Source{s}, "")
		if whole := cut >= len(text)-1; d.Ready() != whole {
			t.Fatalf("of %d bytes %d were left: ready is %v, %q", len(text), cut, d.Ready(), d.States()[0].Problems)
		}
	}
}

// TestReload: sources that stay keep what they have loaded, and those that go are forgotten.
func TestReload(t *testing.T) {
	a, b := csvSource(t, "address\nann@example.com\n"), csvSource(t, "address\nben@example.com\n")
	b.Name = "other"
	d := loaded(t, a)
	os.Remove(a.File)
	d.Use([]Source{a, b}, "+")
	d.Load(t.Context())
	if _, ok := d.Who("ann@example.com"); !ok {
		t.Error("a source that stays is forgotten")
	}
	if _, ok := d.Who("ben@example.com"); !ok {
		t.Error("a source that comes is not loaded")
	}
	d.Use([]Source{b}, "")
	if _, ok := d.Who("ann@example.com"); ok {
		t.Error("a source that is gone is in force")
	}
	if _, ok := d.Who("ben+x@example.com"); ok {
		t.Error("the delimiter is still in force")
	}
}

// TestRun: sources are loaded at once and when they change, and Run ends with its context.
func TestRun(t *testing.T) {
	s := csvSource(t, "address\nann@example.com\n")
	d := New(Options{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	until := func(address string) {
		t.Helper()
		for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
			if _, ok := d.Who(address); ok {
				return
			}
		}
		t.Fatalf("%s is not known", address)
	}
	d.Use([]Source{s}, "")
	until("ann@example.com")
	if err := os.WriteFile(s.File, []byte("address\nann@example.com\nben@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until("ben@example.com")
	stop()
	<-done
}

// TestNothing: a directory without sources knows nobody, and is sure of nothing.
func TestNothing(t *testing.T) {
	d := New(Options{})
	_, who := d.Who("ann@example.com")
	is, sure := d.Known("ann@example.com")
	if who || is || sure || d.Acting("ann@example.com") != nil || d.Group("it", "ann@example.com") || !d.Ready() {
		t.Error("a directory without sources knows somebody")
	}
}

// slow is a source that takes longer than it may.
type slow struct{}

func (slow) read(ctx context.Context, take taker) error {
	<-ctx.Done()
	return errors.Join(ctx.Err(), take("row", Row{Address: "ann@example.com"}))
}

// endless is a source without an end.
type endless struct{}

func (endless) read(_ context.Context, take taker) error {
	for i := 0; ; i++ {
		if err := take("row", Row{Address: fmt.Sprintf("p%d@example.com", i)}); err != nil {
			return err
		}
	}
}

// TestBounds: no source takes more time or memory than it may.
func TestBounds(t *testing.T) {
	for want, from := range map[string]reader{"not loaded within 1s": slow{}, "more than 1000000 addresses": endless{}} {
		s := &source{Source: Source{Timeout: units.Duration(time.Second)}, from: from}
		if want != "not loaded within 1s" {
			s.Timeout = units.Duration(time.Minute)
		}
		if _, rows, err := s.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), want) || rows != nil {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestCalled: persons are found by their names, and those who share one have all their addresses.
func TestCalled(t *testing.T) {
	d := known([]Row{
		{Address: "jane@example.com", Name: "Dr. Jane Doe", Aliases: []string{"jane@home.example"}},
		{Address: "j2@example.com", Name: "DOE, Jane", Aliases: []string{"@jane.example"}},
		{Address: "a@example.com", Name: "A"},
		{Address: "team@example.com", Name: "Team"},
		{Address: "x@example.com"},
	})
	for _, row := range []struct {
		name, address string
		ok, own       bool
	}{
		{"Jane Doe", "x@evil.test", true, false},
		{"Jane Doe", "no address", true, false},
		{"Jane Doe", "JANE@home.example", true, true},
		{"Jane Doe", "any@jane.example", true, true},
		{"Jane Doe", "j2+x@example.com", true, true},
		{"Jane Doe", "a@example.com", true, false},
		{"A", "x@evil.test", false, false},
		{"Team", "x@evil.test", false, false},
		{"", "x@evil.test", false, false},
	} {
		p, ok, own := d.Called(skeleton.Names(row.name), row.address)
		if ok != row.ok || own != row.own || ok != (p.ID != "") {
			t.Errorf("%s <%s> is called as %q, %v, %v", row.name, row.address, p.ID, ok, own)
		}
	}
	if _, ok, _ := new(Directory).Called(skeleton.Names("Jane Doe"), ""); ok {
		t.Error("an empty directory knows somebody")
	}
}
