package people

import (
	"errors"
	"path/filepath"
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
