package markup

import (
	"slices"
	"strings"
	"testing"
)

var urlTests = []struct {
	in   string
	want URL
}{
	{"http://www.Example.COM/a?b#c", URL{Scheme: "http", Host: "www.example.com", Rest: "/a?b#c", Written: "www.Example.COM"}},
	{" \thtt\np://x.test\x01", URL{Scheme: "http", Host: "x.test", Written: "x.test"}},
	{"http:\\\\x.test\\a", URL{Scheme: "http", Host: "x.test", Rest: "\\a", Written: "x.test"}},
	{"http:x.test", URL{Scheme: "http", Host: "x.test", Written: "x.test"}},
	{"https:////x.test:443/", URL{Scheme: "https", Host: "x.test", Rest: "/", Written: "x.test"}},
	{"http://x.test:8080", URL{Scheme: "http", Host: "x.test", Port: "8080", Written: "x.test"}},
	{"//x.test/a", URL{Host: "x.test", Rest: "/a", Written: "x.test"}},
	{"http://bank.com@evil.test", URL{Scheme: "http", User: "bank.com", Login: true, Host: "evil.test", Written: "evil.test"}},
	{"http://user:p%40w@evil.test", URL{Scheme: "http", User: "user:p@w", Login: true, Host: "evil.test", Written: "evil.test"}},
	{"http://bank.com\\@evil.test", URL{Scheme: "http", Host: "bank.com", Rest: "\\@evil.test", Written: "bank.com"}},
	{"http://3221225985/", URL{Scheme: "http", Host: "192.0.2.1", Numeric: true, Rest: "/", Written: "3221225985"}},
	{"http://0xC0000201", URL{Scheme: "http", Host: "192.0.2.1", Numeric: true, Written: "0xC0000201"}},
	{"http://0300.0.0x2.1", URL{Scheme: "http", Host: "192.0.2.1", Numeric: true, Written: "0300.0.0x2.1"}},
	{"http://192.0.513", URL{Scheme: "http", Host: "192.0.2.1", Numeric: true, Written: "192.0.513"}},
	{"http://[2001:db8::1]:80/", URL{Scheme: "http", Host: "2001:db8::1", Numeric: true, Rest: "/", Written: "[2001:db8::1]"}},
	{"http://[::ffff:192.0.2.1]", URL{Scheme: "http", Host: "192.0.2.1", Numeric: true, Written: "[::ffff:192.0.2.1]"}},
	{"http://1.2.3.4.5", URL{Scheme: "http", Host: "1.2.3.4.5", Written: "1.2.3.4.5"}},
	{"http://256.1.1.1", URL{Scheme: "http", Host: "256.1.1.1", Written: "256.1.1.1"}},
	{"http://ex%61mple.com", URL{Scheme: "http", Host: "example.com", Written: "ex%61mple.com"}},
	{"http://ｅｘａｍｐｌｅ。com.", URL{Scheme: "http", Host: "example.com", Written: "ｅｘａｍｐｌｅ。com."}},
	{"http://exam\u00adple.com", URL{Scheme: "http", Host: "example.com", Written: "exam\u00adple.com"}},
	{"http://münchen.de", URL{Scheme: "http", Host: "xn--mnchen-3ya.de", Written: "münchen.de"}},
	{"http://", URL{Scheme: "http"}},
	{"javascript:alert(1)", URL{Scheme: "javascript", Rest: "alert(1)"}},
	{"JaVa\tScript:x", URL{Scheme: "javascript", Rest: "x"}},
	{"tel:+1.800.555.1234", URL{Scheme: "tel", Rest: "+1.800.555.1234"}},
	{"page.html", URL{Rest: "page.html"}},
	{"#top", URL{Rest: "#top"}},
	{"mailto:Eve@Example.com?subject=x", URL{Scheme: "mailto", User: "Eve", Host: "example.com", Written: "Example.com", Rest: "Eve@Example.com?subject=x"}},
	{"mailto:Eve%20<eve@example.com>,bob@example.org", URL{Scheme: "mailto", User: "eve", Host: "example.com", Written: "example.com", Rest: "Eve%20<eve@example.com>,bob@example.org"}},
	{"mailto:", URL{Scheme: "mailto"}},
	{"", URL{}},
}

func TestParseURL(t *testing.T) {
	for _, tt := range urlTests {
		if got := ParseURL(tt.in); got != tt.want {
			t.Errorf("%q is %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct{ base, href, want string }{
		{"", "a", "a"},
		{"http://x.test/b/c", "a", "http://x.test/b/a"},
		{"http://x.test", "a", "http://x.test/a"},
		{"http://x.test", "//y.test/a", "http://y.test/a"},
		{"http://x.test", "\\\\y.test\\a", "http://y.test/a"},
		{"http://x.test", "http://y.test", "http://y.test"},
		{"http://x.test", "javascript:x", "javascript:x"},
		{"http://x.test/", "%zz", "http://x.test/%zz"},
		{"nothing", "a", "a"},
		{"mailto:a", "b", "b"},
	} {
		if got := Resolve(tt.base, tt.href); got != tt.want {
			t.Errorf("%q at %q is %q, want %q", tt.href, tt.base, got, tt.want)
		}
	}
}

func TestRegistrable(t *testing.T) {
	for host, want := range map[string]string{
		"www.bank.com": "bank.com", "a.b.example.co.uk": "example.co.uk", "www.nasty.co.jp": "nasty.co.jp", "co.jp": "co.jp",
		"a.evil.test": "evil.test", "192.0.2.1": "192.0.2.1", "": "", "localhost": "localhost", "me.github.io": "me.github.io",
	} {
		if got := Registrable(host); got != want {
			t.Errorf("%s is registered as %q, want %q", host, got, want)
		}
	}
}

var claimTests = []struct {
	text string
	want []string
}{
	{"Click here", nil},
	{"http://www.bank.com/", []string{"www.bank.com"}},
	{"“http://www.bank.com”.", []string{"www.bank.com"}},
	{"Visit Bank.com", []string{"bank.com"}},
	{"See www.bank.com, our site", []string{"www.bank.com"}},
	{"bank.de/login", []string{"bank.de"}},
	{"Node.js at nodejs.org", []string{"nodejs.org"}},
	{"asp.net", []string{"asp.net"}},
	{"w w w . b a n k . c o m", []string{"www.bank.com"}},
	{"bank\u200b.\u00adcom", []string{"bank.com"}},
	{"pаypal.com", []string{"xn--pypal-4ve.com"}},
	{"bob@example.com", nil},
	{"version 1.2.3 of report.pdf, e.g. 10.30", nil},
	{"http://192.0.2.1/x", []string{"192.0.2.1"}},
	{"192.0.2.1", nil},
	{"https://", nil},
	{"bank.com | shop.de", []string{"bank.com", "shop.de"}},
	{strings.Repeat("long text ", 30) + "bank.com", nil},
	{strings.Repeat("long text ", 30) + "www.bank.com", []string{"www.bank.com"}},
}

func TestHostname(t *testing.T) {
	for domain, want := range map[string]string{
		"Example.ORG.": "example.org", "_sel.example.org": "_sel.example.org", "bücher.example": "xn--bcher-kva.example",
		"example.org/.example.net": "", "example.org?.example.net": "", "example.org#x": "", `example.org\x`: "", "example.org:25": "",
		"a@example.org": "", "example%2eorg": "", "exam ple.org": "", "192.0.2.1": "", "": "", "example.org\x00.example.net": "",
	} {
		if got := Hostname(domain); got != want {
			t.Errorf("%q is %q, not %q", domain, got, want)
		}
	}
}

func TestClaims(t *testing.T) {
	for _, tt := range claimTests {
		var got []string
		for _, u := range Claims(tt.text) {
			got = append(got, u.Host)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q claims %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"bob@example.com": "bob@example.com", "Bob <Bob@Example.com>": "bob@example.com", "mailto:a@example.com": "a@example.com", "Bob": "", "a@b": "", "http://a@example.com": "",
	} {
		if got := strings.Join(Addresses(text), " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestLookalike(t *testing.T) {
	for _, tt := range []struct {
		host, as string
		ok       bool
	}{
		{"paypal.com", "paypal.com", false},
		{"xn--pypal-4ve.com", "paypal.com", true},               // one Cyrillic letter
		{"xn--80ak6aa92e.com", "apple.com", true},               // all Cyrillic
		{"xn--e1afmkfd.xn--p1ai", "пример.рф", false},           // Russian
		{"xn--mnchen-3ya.de", "münchen.de", false},              // German
		{"xn--caf-dma.fr", "café.fr", false},                    // French
		{"www.xn--80aswg.xn--p1ai", "www.сайт.рф", false},       // Russian under a Russian suffix
		{"xn--fiqs8s.cn", "中国.cn", false},                       // Chinese
		{"xn--ggle-0nda.com", "google.com", true},               // Cyrillic о twice
		{"xn--hxajbheg2az3al.gr", "παράδειγμα.gr", false},       // Greek
		{"xn--maana-pta.com", "mañana.com", false},              // Spanish
		{"xn--" + strings.Repeat("a", 100) + ".com", "", false}, // nonsense
		{"xn--80ab4aa2g.xn--80asehdb", "", false},               // Russian
	} {
		as, ok := Lookalike(tt.host)
		if ok != tt.ok || ok && as != tt.as {
			t.Errorf("%s (%s) looks like %q, %v", tt.host, Shown(tt.host), as, ok)
		}
	}
}

var redirectors = []Redirector{
	ParseRedirector("safelinks.protection.outlook.com?url"), ParseRedirector("google.*/url?q"), ParseRedirector("urldefense.proofpoint.com/v2/url?u"),
	ParseRedirector("urldefense.com/v3/"),
}

func TestUnwrap(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.bank.com%2F&data=x", "www.bank.com"},
		{"https://www.google.com/url?sa=t&q=http://evil.test/", "evil.test"},
		{"https://www.google.co.uk/url?q=http://evil.test/", "evil.test"},
		{"https://www.google.evil.test/url?q=http://bank.com/", "www.google.evil.test"},
		{"https://www.google.com/search?q=http://evil.test/", "www.google.com"},
		{"https://urldefense.proofpoint.com/v2/url?u=https-3A__www.bank.com_a-2Db&d=x", "www.bank.com"},
		{"https://urldefense.com/v3/__https://www.bank.com/a__;!!x", "www.bank.com"},
		{"https://www.google.com/url?q=https://x.safelinks.protection.outlook.com/%3Furl=http%253A//evil.test", "evil.test"},
		{"https://www.google.com/url?q=/relative", "www.google.com"},
		{"http://evil.test/?url=http://bank.com", "evil.test"},
	} {
		if got := Unwrap(ParseURL(tt.in), redirectors); got.Host != tt.want {
			t.Errorf("%s leads to %s, want %s", tt.in, got.Host, tt.want)
		}
	}
	if u := Unwrap(ParseURL("https://google.com/url?q=javascript:x"), redirectors); !u.Active() {
		t.Errorf("a script behind a redirector is %+v", u)
	}
}

// FuzzURL checks that a host is one that can be compared, and that reading it
// again gives the same.
func FuzzURL(f *testing.F) {
	for _, tt := range urlTests {
		f.Add(tt.in, "http://x.test/")
	}
	for _, tt := range claimTests {
		f.Add(tt.text, "")
	}
	f.Fuzz(func(t *testing.T, in, base string) {
		u := Unwrap(ParseURL(Resolve(base, in)), redirectors)
		if u.Web() && plausible(u.Host) && !u.Numeric {
			if again := ParseURL("//" + u.Host); again.Host != u.Host {
				t.Errorf("%q has the host %q, which is read as %q", in, u.Host, again.Host)
			}
		}
		Lookalike(u.Host)
		Registrable(u.Host)
		for _, c := range Claims(in) {
			if c.Host == "" {
				t.Errorf("%q claims nothing: %+v", in, c)
			}
		}
		for _, a := range Addresses(in) {
			if !strings.Contains(a, "@") {
				t.Errorf("%q names %q", in, a)
			}
		}
	})
}
