package relay

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

var zone = dnstest.Zone{
	"good.example":           {"MX 10 mail.good.example"},
	"mail.good.example":      {"192.0.2.1", "2001:db8::1"},
	"old.example":            {"192.0.2.1"},
	"six.example":            {"2001:db8::1"},
	"null.example":           {"MX 0 ."},
	"empty.example":          {},
	"down.example":           {dnstest.Failing},
	"slow.example":           {dnstest.Timeout},
	"dead.example":           {dnstest.Unreachable},
	"xn--bcher-kva.example":  {"MX 10 mail.good.example"},
	"1.2.0.192.in-addr.arpa": {"PTR other.example", "PTR mail.good.example"},
	"2.2.0.192.in-addr.arpa": {"PTR mail.good.example"},
	"3.2.0.192.in-addr.arpa": {"PTR gone.example"},
	"5.2.0.192.in-addr.arpa": {dnstest.Failing},
	dns.ReverseName(netip.MustParseAddr("2001:db8::1")): {"PTR mail.good.example"},
}

func scanner(c Config) *Scanner {
	return New(c, With{
		Resolver:  zone,
		Questions: 100,
		Trusted:   func(e scan.Envelope) bool { return e.AuthUser != "" },
		Local:     func(d string) bool { return d == "example.com" || strings.HasSuffix(d, ".example.com") },
	})
}

func at(addr, helo, sender string) scan.Envelope {
	return scan.Envelope{Client: netip.AddrPortFrom(netip.MustParseAddr(addr), 25), Helo: helo, Sender: sender}
}

func rules(found []scan.Finding) string {
	var names []string
	for _, f := range found {
		names = append(names, strings.TrimPrefix(f.Rule, "relay/"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestSenderDomain(t *testing.T) {
	for sender, want := range map[string]string{
		"a@good.example": "", "a@GOOD.Example.": "", "a@old.example": "", "a@six.example": "", "": "", "a": "", "a@[192.0.2.1]": "",
		"a@gone.example.com": "", "a@bücher.example": "",
		"a@gone.example": "sender-domain", "a@empty.example": "sender-domain", "a@two..dots": "sender-domain", `"x@good.example"@gone.example`: "sender-domain",
		"a@null.example": "null-mx",
		"a@down.example": "sender-unverified", "a@slow.example": "sender-unverified",
	} {
		found, err := scanner(Config{SenderDomain: On}).ScanEnvelope(t.Context(), scan.StageMail, at("192.0.2.9", "x", sender))
		if got := rules(found); got != want || err != nil {
			t.Errorf("<%s>: %q, want %q (%v, %v)", sender, got, want, found, err)
		}
	}
	found, err := scanner(Config{SenderDomain: On}).ScanEnvelope(t.Context(), scan.StageMail, at("192.0.2.9", "x", "a@dead.example"))
	if len(found) > 0 || !errors.Is(err, dns.ErrUnreachable) {
		t.Errorf("no resolver at all is held against the sender: %v, %v", found, err)
	}
}

func TestHelo(t *testing.T) {
	for helo, want := range map[string]string{
		"mail.good.example": "", "mail.good.example.": "", "[192.0.2.1]": "", "_x-1.example": "", "bücher.example": "",
		"laptop": "helo-unqualified", "192.0.2.1": "helo-malformed", "": "helo-malformed", "a b": "helo-malformed", "[192.0.2.1": "helo-malformed", "[x]": "helo-malformed", "a..b": "helo-malformed",
		"mx.example.com": "helo-forged", "EXAMPLE.com": "helo-forged", "[192.0.2.2]": "helo-forged",
	} {
		found, err := scanner(Config{Helo: true}).ScanEnvelope(t.Context(), scan.StageMail, at("192.0.2.1", helo, ""))
		if got := rules(found); got != want || err != nil {
			t.Errorf("HELO %s: %q, want %q (%v)", helo, got, want, err)
		}
	}
	if found := scanner(Config{Helo: true}).checkHelo(at("2001:db8::1", "[IPv6:2001:db8::1]", "")); len(found) > 0 {
		t.Errorf("an IPv6 literal: %v", found)
	}
}

func TestReverse(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "", "2001:db8::1": "", "::ffff:192.0.2.1": "", "10.0.0.1": "", "127.0.0.1": "",
		"192.0.2.2": "forged-reverse-dns", "192.0.2.3": "forged-reverse-dns", "192.0.2.4": "no-reverse-dns",
	} {
		found, err := scanner(Config{ReverseDNS: true}).ScanEnvelope(t.Context(), scan.StageMail, at(addr, "x", ""))
		if got := rules(found); got != want || err != nil {
			t.Errorf("%s: %q, want %q (%v)", addr, got, want, err)
		}
	}
	if found, err := scanner(Config{ReverseDNS: true}).ScanEnvelope(t.Context(), scan.StageMail, at("192.0.2.5", "x", "")); len(found) > 0 || err == nil {
		t.Errorf("no answer: %v, %v", found, err)
	}
}

func TestOurPeopleAreNotLookedAt(t *testing.T) {
	e := at("192.0.2.2", "laptop", "a@good.example")
	e.AuthUser = "joe"
	found, err := scanner(Config{SenderDomain: On, Helo: true, ReverseDNS: true, Connections: 1}).ScanEnvelope(t.Context(), scan.StageMail, e)
	if len(found) > 0 || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

func TestConnections(t *testing.T) {
	s := scanner(Config{Connections: 2})
	var end []context.CancelFunc
	connect := func(addr string) string {
		ctx, cancel := context.WithCancel(t.Context())
		end = append(end, cancel)
		found, _ := s.ScanEnvelope(ctx, scan.StageConnect, at(addr, "", ""))
		return rules(found)
	}
	for _, addr := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		if got := connect(addr); got != "" {
			t.Errorf("fewer than the limit: %q", got)
		}
	}
	if got := connect("192.0.2.1"); got != "connections" {
		t.Errorf("one more: %q", got)
	}
	for _, cancel := range end {
		cancel()
	}
	for left := 1; left > 0; runtime.Gosched() { // what follows a cancel runs beside it
		s.open.mu.Lock()
		left = len(s.open.by)
		s.open.mu.Unlock()
	}
}

func TestContract(t *testing.T) {
	scantest.Run(t, scanner(Config{SenderDomain: On, Helo: true, ReverseDNS: true}), Catalogue()...)
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil || DefaultConfig().Enabled() {
		t.Error(err)
	}
	for _, c := range []Config{{Connections: -1}, {Scores: map[string]float64{"helo": 1}}} {
		if c.Check() == nil {
			t.Errorf("%+v is fine", c)
		}
	}
}

var _ scan.EnvelopeScanner = (*Scanner)(nil)
