package policy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

func TestAddressPatterns(t *testing.T) {
	tests := []struct {
		pattern  string
		yes, not []string
	}{
		{"user@example.com", []string{"USER@Example.COM", "<user@example.com>", "user@example.com."}, []string{"xuser@example.com", "user@sub.example.com", ""}},
		{"@example.com", []string{"a@example.com", `"a@b"@example.com`}, []string{"a@sub.example.com", "a@notexample.com", "example.com", ""}},
		{"*@example.com", []string{"a@example.com"}, []string{"a@example.org"}},
		{".example.com", []string{"a@x.example.com", "a@y.x.example.com"}, []string{"a@example.com", "a@xexample.com"}},
		{"*-bounce@.example.com", []string{"l-bounce@x.example.com"}, []string{"l-bounce@example.com", "l@x.example.com"}},
		{"postmaster@*", []string{"postmaster@example.org", "Postmaster"}, []string{"postmaste@example.org", ""}},
		{"@*", []string{"a@example.org"}, []string{""}},
		{"*", []string{"a@example.org", ""}, nil},
		{"<>", []string{"", "<>"}, []string{"a@b", "<a@b>"}},
	}
	for _, test := range tests {
		p := pattern(test.pattern)
		list := compileAddresses([]AddressPattern{pattern("nobody@nowhere.example"), p})
		for _, a := range test.yes {
			if !list.match(splitAddress(a)) {
				t.Errorf("%q does not match %q", test.pattern, a)
			}
		}
		for _, a := range test.not {
			if list.match(splitAddress(a)) {
				t.Errorf("%q matches %q", test.pattern, a)
			}
		}
		if again := pattern(p.String()); again != p {
			t.Errorf("%q is written as %q", test.pattern, p)
		}
	}
	for _, bad := range []string{"", "example.com", "@", ".", "a@", "a@exam ple.com", "a@*.example.com", "a@<b>"} {
		if _, err := ParseAddressPattern(bad); err == nil {
			t.Errorf("%q is taken for a pattern", bad)
		}
	}
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/24": "192.0.2.0/24", "192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8::/32": "2001:db8::/32",
		"192.0.2.1/24": "", "192.0.2": "", "localhost": "", "fe80::1%eth0": "",
	} {
		var n Network
		err := n.UnmarshalText([]byte(text))
		if (err == nil) != (want != "") || err == nil && n.String() != want {
			t.Errorf("%q is read as %v (%v), want %q", text, n, err, want)
		}
	}
}

func TestConditionText(t *testing.T) {
	for _, text := range []string{"infected", "note", "attachment/*", "virus/Win.*-1", "score >= 5", "score < -2.5", "score >= own 6", "score < own -0.5", "spam/rspamd >= 8", "spam/* < -1.5"} {
		var c Condition
		if err := c.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if c.String() != text {
			t.Errorf("%q is written as %q", text, c)
		}
	}
	for _, bad := range []string{"", "infectd", "attachment", "/x", "x/", "score", "score 5", "score >= NaN", "score > inf", "score = 5", "a/b c", "score >= own", "score >= own x", "score own 5", "score >= own NaN", "spam/rspamd >= x", "spam/rspamd = 8", "spam/rspamd > NaN", "infected >= 5", "spam/ > 1", "spam/rspamd >= own 5"} {
		var c Condition
		if err := c.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken for the condition %v", bad, c)
		}
	}
}

func TestCanMatch(t *testing.T) {
	catalogue := []scan.Rule{{Name: "virus/*", Kind: scan.Infected}, {Name: "attachment/name", Kind: scan.Forbidden}}
	for c, want := range map[Condition]bool{
		Named("virus/Eicar*"): true, Named("*/name"): true, Named("attachment/nam?"): true, Named("attachment/names"): false,
		Named("attachments/*"): false, OfKind(scan.Infected): true, OfKind(scan.Note): false, {compare: ">", limit: 1}: true,
	} {
		if got := c.CanMatch(catalogue); got != want {
			t.Errorf("%v: can match = %v", c, got)
		}
	}
}

func TestDirectionText(t *testing.T) {
	var d Directions
	for _, s := range []string{"inbound", "internal"} {
		if err := d.UnmarshalText([]byte(s)); err != nil {
			t.Error(err)
		}
	}
	if d != Inbound|Internal || d.String() != "inbound internal" {
		t.Errorf("read as %v", d)
	}
	if err := d.UnmarshalText([]byte("incoming")); err == nil {
		t.Error("incoming is taken for a direction")
	}
}

// FuzzGlob compares with a regular expression, and makes sure that no name can
// be made to match slowly.
func FuzzGlob(f *testing.F) {
	f.Add("*.exe", "a.exe")
	f.Add("a?c*", "abcd")
	f.Add(strings.Repeat("*a", 30), strings.Repeat("a", 60)+"b")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 100 || len(s) > 1000 {
			return
		}
		var re strings.Builder
		for _, c := range []byte(pattern) {
			switch c {
			case '*':
				re.WriteString("[^\xff]*")
			case '?':
				re.WriteString("[^\xff]")
			default:
				re.WriteString(regexp.QuoteMeta(string(rune(c))))
			}
		}
		latin := func(s string) string {
			r := make([]rune, len(s))
			for i := range len(s) {
				r[i] = rune(s[i])
			}
			return string(r)
		}
		want := regexp.MustCompile(`(?s)\A(?:` + strings.ReplaceAll(re.String(), "[^\xff]", ".") + `)\z`).MatchString(latin(s))
		if got := matchGlob(pattern, s); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, s, got, want)
		}
	})
}

// FuzzPrintable: whatever a name holds, what goes out is one short line of
// printable ASCII.
func FuzzPrintable(f *testing.F) {
	f.Add("a\r\n550 b", 60)
	f.Add("ünïcode  \x00", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(0, min(limit, 1000))
		got := printable(s, limit)
		if len(got) > limit || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) || got != strings.TrimSpace(got) {
			t.Errorf("%q becomes %q", s, got)
		}
		if again := printable(got, limit); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}
