package origin

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/format/entity"
)

func header(text string) entity.Header {
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(text + "\r\n"))
	return p.Close().Root.Header
}

// What MTAs write, each in its own way.
func TestHops(t *testing.T) {
	for field, want := range map[string]Hop{
		"from mail.example (mail.example [192.0.2.1])\r\n\tby mx.example (Postfix) with ESMTP id 1; now":                          {"mail.example", netip.MustParseAddr("192.0.2.1")},
		"from [192.0.2.9] (unknown [192.0.2.1]) by mx.example; now":                                                               {"192.0.2.9", netip.MustParseAddr("192.0.2.1")},
		"from mail.example (localhost [IPv6:2001:db8::1]) by mx.example; now":                                                     {"mail.example", netip.MustParseAddr("2001:db8::1")},
		"from mail.example ([192.0.2.1]:4711 helo=x) by mx.example with esmtp (Exim 4)\r\n\t(envelope-from <a@[192.0.2.2]>); now": {"mail.example", netip.MustParseAddr("192.0.2.1")},
		"from mail.example (HELO mail.example) ([::ffff:192.0.2.1])\r\n by mx.example; now":                                       {"mail.example", netip.MustParseAddr("192.0.2.1")},
		"from [IPv6:2001:db8::2] by mx.example; now":                                                                              {"IPv6:2001:db8::2", netip.MustParseAddr("2001:db8::2")},
		"from mail.example (by [192.0.2.1]) by mx.example ([192.0.2.2]); now":                                                     {"mail.example", netip.MustParseAddr("192.0.2.1")},
		"from mail.example by mx.example ([192.0.2.2]); now":                                                                      {Helo: "mail.example"},
		"by mx.example with local; now":                                                                                           {},
		"from":                                                                                                                    {},
		"from x [nonsense] by y":                                                                                                  {Helo: "x"},
		"from x [192.0.2.1 by y":                                                                                                  {Helo: "x"},
	} {
		hops := Hops(header("Received: " + field + "\r\n"))
		if len(hops) != 1 || hops[0] != want {
			t.Errorf("%s: %+v, want %+v", field, hops, want)
		}
	}
	if n := len(Hops(header(strings.Repeat("Received: from x ([192.0.2.1]) by y\r\n", 500)))); n != maxHops {
		t.Errorf("%d hops are read", n)
	}
}

// The client chooses its HELO, the answer of its ident server, its certificate's
// name and often its reverse name; none of them makes it somebody else.
func TestHopIsNotWhatTheClientSays(t *testing.T) {
	real := netip.MustParseAddr("203.0.113.5")
	for field, want := range map[string]netip.Addr{
		"from [203.0.113.5] (helo=[192.168.1.1])\r\n\tby relay with esmtp (Exim 4.96)":                                                 real,
		"from [203.0.113.5] (helo=[192.168.1.1] ident=root)\r\n\tby relay with esmtp":                                                  real,
		"from [203.0.113.5]:4711 (helo=[192.168.1.1])\r\n\tby relay with esmtp":                                                        real,
		"from [203.0.113.5] (port=4711 helo=[192.168.1.1]) by relay":                                                                   real,
		"from [203.0.113.5] (ident=[192.168.1.1]) by relay":                                                                            real,
		"from mail.example ([203.0.113.5] helo=[192.168.1.1]) by relay":                                                                real,
		"from mail.example ([203.0.113.5]:4711 helo=[192.168.1.1] ident=[10.0.0.1]) by relay":                                          real,
		"from unknown (HELO [192.168.1.1]) (203.0.113.5)\r\n  by relay with SMTP":                                                      real,
		"from unknown (HELO 192.168.1.1) (203.0.113.5) by relay with SMTP":                                                             real,
		"from mail.example (HELO [192.168.1.1]) (root@203.0.113.5) by relay":                                                           real,
		"from unknown (EHLO [192.168.1.1]) (192.168.1.1@203.0.113.5) by relay":                                                         real,
		"from [192.168.1.1] (unknown [203.0.113.5]) by relay (Postfix)":                                                                real,
		"from [192.168.1.1] ([203.0.113.5]) by relay":                                                                                  real,
		"from [203.0.113.5] (HELO [192.168.1.1]) by relay (CommuniGate Pro)":                                                           real,
		"from [203.0.113.5] (account [192.168.1.1] HELO [192.168.1.1]) by relay (CommuniGate Pro)":                                     real,
		"from x (IDENT:[192.168.1.1]@mail.example [203.0.113.5]) by relay":                                                             real,
		"from x (mail.example [203.0.113.5] (may be forged)) by relay":                                                                 real,
		"from x (mail.example. [203.0.113.5]) by relay":                                                                                real,
		"from x (203.0.113.5) by relay (10.1.2.3) with Microsoft SMTP Server":                                                          real,
		"from x ([203.0.113.5:4711]) by relay":                                                                                         real,
		"from x (unknown [203.0.113.5]) (using TLSv1.3)\r\n\t(Client CN \"[192.168.1.1]\", Issuer \"x\" (not verified))\r\n\tby relay": real,
		"from x (unknown [203.0.113.5]) (No client certificate [192.168.1.1]) by relay":                                                real,
		"from x (unknown [203.0.113.5]) (Authenticated sender: [192.168.1.1]) by relay":                                                real,
		"from x (unknown [203.0.113.5])\r\n\t(authenticated bits=0) by relay":                                                          real,
		// Two addresses where the MTA writes its own: one of them may be the client's.
		"from [203.0.113.5] (helo=x ident=a) (unknown [192.168.1.1]) by relay":       {},
		"from mail.example ([203.0.113.5] ident=a) (unknown [192.168.1.1]) by relay": {},
		"from x [192.168.1.1] (unknown [203.0.113.5]) by relay":                      {},
		"from x (a [192.168.1.1]) (unknown [203.0.113.5]) by relay":                  {},
		"from unknown (HELO x) (192.168.1.1) (203.0.113.5) by relay":                 {},
		"from x (HELO [192.168.1.1]) by relay":                                       {},
		"from x (helo=[192.168.1.1]) by relay":                                       {},
		"from x (envelope-from <a@[192.168.1.1]>) by relay":                          {},
		"from x (unknown [192.168.1.1]evil) by relay":                                {},
		"from x (unknown [203.0.113.5], [192.168.1.1]) by relay":                     real,
	} {
		if got := Hops(header("Received: " + field + "\r\n"))[0].Addr; got != want {
			t.Errorf("%s: %v, want %v", field, got, want)
		}
	}
}

func TestAuthors(t *testing.T) {
	for text, want := range map[string]string{
		"From: Joe <joe@Example.ORG>\r\n":                  "example.org",
		"From: =?utf-8?q?J=C3=B6?= <joe@example.org.>\r\n": "example.org",
		"From: \"x@bank.example\" <joe@example.org>\r\n":   "example.org",
		"From: joe@example.org (x@bank.example)\r\n":       "example.org",
		"From: (x@bank.example) joe@example.org\r\n":       "bank.example example.org",
		"From: a@example.org, b@example.org\r\n":           "example.org",
		"From: a@example.org, b@example.com\r\n":           "example.org example.com",
		"From: a@example.org\r\nFrom: b@example.com\r\n":   "example.org example.com",
		"From: <a@example.org> <b@example.com>\r\n":        "example.org example.com",
		"From: joe@example.org x@bank.example\r\n":         "example.org bank.example",
		"From: undisclosed\r\n":                            "",
		"Subject: x\r\n":                                   "",
		"From: \"unterminated <joe@example.org>\r\n":       "example.org",
	} {
		if got := strings.Join(Authors(header(text)), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		_, err := Author(header(text))
		if n := len(strings.Fields(want)); (n == 1) != (err == nil) || (n > 1) != errors.Is(err, ErrTwoAuthors) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.0.2.1": true, "2001:db8::1": true, "::ffff:192.0.2.1": true,
		"10.0.0.1": false, "127.0.0.1": false, "::1": false, "fe80::1": false, "fd00::1": false, "100.64.0.1": false, "169.254.1.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:10.0.0.1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("nobody is public")
	}
}

// FuzzHeader reads whatever a header holds: addresses have no zone, domains no
// upper case, and there are never too many.
func FuzzHeader(f *testing.F) {
	f.Add("Received: from x (y [192.0.2.1%1]) by z\r\nFrom: \"a\" <b@c>, d@\r\n")
	f.Add("Received: from [IPv6:::1]\r\nFrom: =?x?q?a@b?= @c@d (e@f)\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		h := header(text)
		for _, hop := range Hops(h) {
			if hop.Addr.Zone() != "" || hop.Addr.Is4In6() {
				t.Errorf("%+v", hop)
			}
		}
		authors := Authors(h)
		for _, a := range authors {
			if a == "" || strings.ToLower(a) != a {
				t.Errorf("%q", a)
			}
		}
		if len(authors) > maxAuthors {
			t.Errorf("%d authors", len(authors))
		}
	})
}
