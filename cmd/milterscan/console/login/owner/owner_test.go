package owner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/token"
)

// folk has Ann with an alias, for whom Pa acts, and Dan, whose address looks like one of Ann's.
const folk = "address,name,aliases,groups,language,delegates\n" +
	"ann@example.com,Ann,a.smith@example.com; ann@example.org,,de,pa@example.com\n" +
	"pa@example.com,Pa,,,,\n" +
	"ann+x@example.com,Dan,,,,\n"

// newOwners returns owners of addresses in example.com, by a table of people where there is one.
func newOwners(t *testing.T, table string) (*Owners, *config.Config) {
	t.Helper()
	c := config.Default()
	c.Local.Domains = []policy.Domain{"example.com"}
	c.People.Pages.Login = []string{"link"}
	d := directory.New(directory.Options{})
	if table != "" {
		file := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		s := directory.Source{}
		s.SetDefaults()
		s.Name, s.Type, s.File, s.Domains = "x", directory.CSV, file, c.Local.Domains
		c.People.Sources = []directory.Source{s}
		d.Use(c.People.Sources, c.People.Delimiter)
		d.Load(t.Context())
	}
	store := people.New(filepath.Join(t.TempDir(), "people.db"))
	o := New(Options{Config: func() *config.Config { return c }, Directory: d, Store: func() *people.Store { return store }, Log: zap.NewNop()})
	t.Cleanup(func() { store.Close() })
	t.Cleanup(o.Close)
	return o, c
}

// TestOf: what is proved is the address and what is listed for its person; an address that only looks like another's
// makes nobody that person.
func TestOf(t *testing.T) {
	for _, c := range []struct {
		table  string
		proved []string
		want   string
	}{
		{"", []string{" <Ann@Example.com>"}, "[ann@example.com]"},
		{"", []string{"ann+x@example.com"}, "[ann+x@example.com]"},
		{"", []string{"ann@example.org", "", "ann", "ann@example.com.example.org"}, "[]"},
		{"", []string{"b@example.com", "a@example.org", "a@example.com"}, "[b@example.com a@example.com]"},
		{folk, []string{"ann@example.com"}, "[ann@example.com]"},
		{folk, []string{"A.Smith@example.com"}, "[ann@example.com a.smith@example.com]"},
		{folk, []string{"ann+x@example.com"}, "[ann+x@example.com]"},
		{folk, []string{"nobody@example.com"}, "[]"},
	} {
		o, _ := newOwners(t, c.table)
		if got := fmt.Sprint(o.Of(c.proved)); got != c.want {
			t.Errorf("%q: %s; want %s", c.proved, got, c.want)
		}
	}
}

// TestComplete: a recipient is completed with what is its own at this moment, or is none any more.
func TestComplete(t *testing.T) {
	o, c := newOwners(t, folk)
	complete := func(addresses ...string) (login.Person, error) {
		return o.Complete(t.Context(), login.Person{Role: login.Recipient, Addresses: addresses})
	}
	ann, err := complete("ann@example.com")
	if err != nil || fmt.Sprint(ann.Addresses) != "[ann@example.com a.smith@example.com]" || ann.Language != "de" || len(ann.Classes) == 0 || len(ann.Releases) == 0 {
		t.Errorf("%+v, %v", ann, err)
	}
	for to, want := range map[string]bool{"ann@example.com": true, "Ann+News@example.com": true, "ann+x@example.com": false, "pa@example.com": false, "ann@example.org": false, "": false} {
		if ann.Owns(to) != want {
			t.Errorf("%q is Ann's: %v", to, !want)
		}
	}
	if pa, err := complete("pa@example.com"); err != nil || fmt.Sprint(pa.Addresses) != "[pa@example.com ann@example.com a.smith@example.com]" {
		t.Errorf("%+v, %v", pa, err)
	}
	if err := o.Store().SetSettings(t.Context(), "ann@example.com", func(s *people.Settings) { s.Language = "fr" }); err != nil {
		t.Fatal(err)
	}
	if ann, err := complete("ann@example.com"); err != nil || ann.Language != "fr" {
		t.Errorf("%+v, %v", ann, err)
	}
	for _, gone := range []string{"nobody@example.com", "a.smith@example.com", "ann@example.org"} {
		if _, err := complete(gone); !errors.Is(err, login.ErrNobody) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	desk := login.Person{Role: login.HelpDesk, Name: "desk"}
	for _, by := range []string{"ann@example.com", "gone@example.com", "zoe@example.org"} {
		if err := o.Store().Appoint(t.Context(), by, "ann+x@example.com", "root", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := complete("ann+x@example.com"); err != nil || fmt.Sprint(got.Addresses) != "[ann+x@example.com ann@example.com a.smith@example.com]" {
		t.Errorf("who was named a delegate here, also by one who is gone, and by another's: %v, %v", got.Addresses, err)
	}
	if err := o.Store().Dismiss(t.Context(), "ann@example.com", "ann+x@example.com"); err != nil {
		t.Fatal(err)
	}
	if got, err := complete("ann+x@example.com"); err != nil || fmt.Sprint(got.Addresses) != "[ann+x@example.com]" {
		t.Errorf("who is no delegate any more: %v, %v", got.Addresses, err)
	}
	dora := login.Person{Name: "dora", Role: login.Domain, Domains: []string{"example.com"}}
	if got, err := o.Complete(t.Context(), dora); err != nil || !got.May(login.Release) || got.May(login.ChangePeople) || got.May(login.SeeOverview) {
		t.Errorf("a domain administrator may %v, %v", got.Delegated, err)
	}
	c.People.DomainAdmins.May = []string{"messages"}
	if got, err := o.Complete(t.Context(), dora); err != nil || !got.May(login.SeeMessages) || got.May(login.SeeQuarantine) {
		t.Errorf("of whom the host takes all but one thing: %v, %v", got.Delegated, err)
	}
	if got, err := o.Complete(t.Context(), desk); err != nil || got.Name != "desk" || len(got.Addresses) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	c.People.Pages.Login = nil
	if _, err := complete("ann@example.com"); !errors.Is(err, login.ErrNobody) {
		t.Error("recipients are not let in:", err)
	}
}

// TestVerifyAsksForOursOnly: no password goes anywhere for an address that is none of ours, nor where no way is on.
func TestVerifyAsksForOursOnly(t *testing.T) {
	o, c := newOwners(t, folk)
	c.People.Pages.Login, c.People.Pages.IMAP = []string{"imap"}, "imaps:127.0.0.1:1"
	for _, name := range []string{"ann", "ann@example.org", "nobody@example.com", ""} {
		if _, err := o.Verify(t.Context(), name, "secret"); !errors.Is(err, accounts.ErrWrong) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestSpend: an address is sent three links at once and twelve in a day, whoever asks; and little is remembered.
func TestSpend(t *testing.T) {
	x, now := newLinks(), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	n := 0
	for minute := range 24 * 60 {
		for x.spend("ann@example.com", now.Add(time.Duration(minute)*time.Minute)) {
			if n++; minute < 15 && n > mostAtOnce {
				t.Fatal("more than at once")
			}
		}
	}
	if n != mostInDay || !x.spend("ben@example.com", now) || !x.spend("ann@example.com", now.Add(49*time.Hour)) {
		t.Errorf("%d in a day", n)
	}
	for i := range 3 * mostCounted {
		x.spend(fmt.Sprint(i, "@example.com"), now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(x.sent) > mostCounted {
		t.Errorf("%d addresses are remembered", len(x.sent))
	}
}

// TestCapabilities: what a configuration can leave to administrators of domains is what the console knows.
func TestCapabilities(t *testing.T) {
	if got, want := fmt.Sprint(login.Capabilities()), fmt.Sprint(config.Capabilities()); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestLinksAndClocks: a link to log in is good until its time is over, by a clock that may be some minutes apart from
// that of the host which has sent it; it is good once, for what it was made for and with the browser that has asked
// for it, and no change makes it another.
func TestLinksAndClocks(t *testing.T) {
	o, c := newOwners(t, folk)
	c.Quarantine.Dir = t.TempDir()
	key, err := token.KeyFile(c.Quarantine.LinkKey()).Make()
	if err != nil {
		t.Fatal(err)
	}
	link := func(change func(*token.Link)) string {
		l := token.Link{Purpose: token.LogInLink, Address: "ann@example.com", ID: mark("ann's"), Expires: time.Now().Add(linkLife), Nonce: token.NewNonce()}
		change(&l)
		return token.WriteLink(key, l)
	}
	ends := func(after time.Duration) func(*token.Link) {
		return func(l *token.Link) { l.Expires = time.Now().Add(after) }
	}
	whole := link(func(*token.Link) {})
	other := link(func(l *token.Link) { l.Address = "pa@example.com" })
	for _, c := range []struct {
		about, link, browser string
		want                 error
	}{
		{"of now", link(ends(linkLife)), "ann's", nil},
		{"of a host whose clock is 4 minutes ahead", link(ends(linkLife + 4*time.Minute)), "ann's", nil},
		{"at its end, of a host whose clock is 4 minutes late", link(ends(-4 * time.Minute)), "ann's", nil},
		{"of yesterday", link(ends(-24 * time.Hour)), "ann's", token.ErrExpired},
		{"at its end, of a host whose clock is 6 minutes late", link(ends(-6 * time.Minute)), "ann's", token.ErrExpired},
		{"with another browser", link(ends(linkLife)), "eve's", ErrBrowser},
		{"with none", link(ends(linkLife)), "", ErrBrowser},
		{"of a digest", link(func(l *token.Link) { l.Purpose = token.DigestLink }), "ann's", token.ErrNoLink},
		{"cut off", whole[:len(whole)-1], "ann's", token.ErrNoLink},
		{"longer", whole + "A", "ann's", token.ErrNoLink},
		{"with the end of another", whole[:len(whole)-8] + other[len(other)-8:], "ann's", token.ErrNoLink},
		{"of an address that is none of ours", link(func(l *token.Link) { l.Address = "ann@example.org" }), "ann's", token.ErrNoLink},
	} {
		own, err := o.Use(t.Context(), c.link, c.browser)
		if !errors.Is(err, c.want) || (err == nil) != (len(own) > 0) {
			t.Errorf("a link %s: %v, %v", c.about, own, err)
		}
		if c.want != nil {
			continue
		}
		if _, err := o.Use(t.Context(), c.link, c.browser); !errors.Is(err, ErrUsed) {
			t.Errorf("a link %s, again: %v", c.about, err)
		}
		if _, err := o.Read(t.Context(), c.link, c.browser); !errors.Is(err, ErrUsed) {
			t.Errorf("a link %s, looked at again: %v", c.about, err)
		}
	}
}
