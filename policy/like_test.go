package policy

import (
	"strings"
	"testing"
)

// TestLikeAddress has filters agree with rules wherever a pattern is one of rules.
func TestLikeAddress(t *testing.T) {
	addresses := []string{"alice@partner.example", "Alice@Partner.Example", "bob@partner.example", "bob@mail.partner.example", "alice@example.com", "", "postmaster", "a.b@c.example", `"a@b"@example.com`}
	for _, pattern := range []string{"@partner.example", "*@partner.example", "alice@partner.example", "ALICE@partner.example", "a*@partner.example", ".partner.example", "postmaster@*", "alice@*", "*", "<>"} {
		p, err := ParseAddressPattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		list := compileAddresses([]AddressPattern{p})
		for _, a := range addresses {
			if got, want := LikeAddress(pattern, a), list.match(splitAddress(a)); got != want {
				t.Errorf("%q and %q: filters say %v, rules say %v", pattern, a, got, want)
			}
		}
	}
	for _, c := range []struct {
		pattern, address string
		want             bool
	}{
		{"", "", true}, {"", "alice@example.com", true}, {"alice", "alice@example.com", true}, {"ALICE", "alice@example.com", true}, {"example.com", "alice@example.com", true},
		{"alice", "bob@example.com", false}, {"*alice*", "malice@example.com", true}, {"*@ex*.com", "alice@example.com", true}, {"*@ex*.com", "alice@example.net", false},
		{"<alice@example.com>", "alice@example.com", true}, {"<>", "alice@example.com", false}, {"alice@", "alice@example.com", true}, {" alice ", "alice@example.com", true},
		{"@partner.example", "*@partner.example", true},
	} {
		if got := LikeAddress(c.pattern, c.address); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.address, got)
		}
	}
}

func TestLikeText(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "x", true}, {"eicar", "The EICAR test", true}, {"virus/*", "virus/clamav", true}, {"virus/*", "my virus/clamav", false}, {"virus", "virus/clamav", true},
		{"really?", "Really? Yes", true}, {"really?", "really", false}, {"a@b", "to a@b.example", true}, {"*x?z*", "1 xyz", true}, {"ÄRGER", "viel ärger", true}, {"no", "yes", false},
	} {
		if got := LikeText(c.pattern, c.text); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.text, got)
		}
	}
}

func TestLikeClient(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{"192.0.2.1", true}, {"::ffff:192.0.2.1", true}, {"192.0.2.10", false}, {"192.0.2.0/24", true}, {"192.0.2.77/24", true}, {"198.51.100.0/24", false},
		{"192.0.2.", true}, {"mx.example.net", true}, {"*.example.net", true}, {"example", true}, {"example.org", false}, {"2001:db8::/32", false},
	} {
		if got := LikeClient(c.pattern, "192.0.2.1", "mx.example.net"); got != c.want {
			t.Errorf("%q: %v", c.pattern, got)
		}
	}
}

// TestRegularExpressionIsNamed says what is wrong with one in place of an address.
func TestRegularExpressionIsNamed(t *testing.T) {
	for _, text := range []string{"/^boss@.*/", "/@example\\.com$/"} {
		if _, err := ParseAddressPattern(text); err == nil || !strings.Contains(err.Error(), "is a regular expression") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
