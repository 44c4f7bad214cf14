package dnslist

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

// healthy are entries that every list of these tests has.
func healthy(zones ...string) dnstest.Zone {
	z := dnstest.Zone{}
	for _, zone := range zones {
		z["2.0.0.127."+zone] = []string{"127.0.0.2"}
	}
	return z
}

func (l List) named(name string) List { l.Name, l.Zone = name, name+".test"; return l }

// listing is a list of one kind with the usual answer.
func listing(name string, kind Lookup) List {
	var l List
	l.SetDefaults()
	l.Lookup = kind
	return l.named(name)
}

func scanner(r dns.Resolver, lists ...List) *Scanner {
	c := DefaultConfig()
	c.Lists = lists
	return New(c, With{
		Resolver:  r,
		Questions: 200,
		Trusted: func(e scan.Envelope) bool {
			return e.AuthUser != "" || e.Client.Addr() == netip.MustParseAddr("192.0.2.200")
		},
		Texts:      texts.New(texts.DefaultLimits(), texts.Shown),
		Signatures: dkim.New(r, 10),
	})
}

func from(addr string) scan.Envelope {
	return scan.Envelope{Client: netip.AddrPortFrom(netip.MustParseAddr(addr), 25), Helo: "mail.spammer.example", Sender: "joe@sender.example", Recipients: []string{"a@example.com"}}
}

func rules(found []scan.Finding) string {
	var names []string
	for _, f := range found {
		names = append(names, strings.TrimPrefix(f.Rule, "spam/"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestEnvelope(t *testing.T) {
	zone := healthy("bl.test", "other.test", "white.test")
	zone["66.2.0.192.bl.test"] = []string{"127.0.0.2", "TXT spam"}
	zone["67.2.0.192.bl.test"] = []string{"127.0.0.9"}
	zone["68.2.0.192.bl.test"] = []string{"127.0.0.2"}
	zone["68.2.0.192.white.test"] = []string{"127.0.0.2"}
	zone[dns.Reversed(netip.MustParseAddr("2001:db8::66"))+".bl.test"] = []string{"127.0.0.2"}
	zone["1.0.0.10.bl.test"] = []string{"127.0.0.2"}
	zone["sender.example.rhs.test"] = []string{"127.0.0.2"}
	zone["spammer.example.helo.test"] = []string{"127.0.0.2"}
	white := listing("white", Client)
	white.Allow = true
	s := scanner(zone, listing("bl", Client), listing("other", Client), white, listing("rhs", Sender), listing("helo", Helo))
	for _, test := range []struct {
		name string
		env  func(*scan.Envelope)
		want string
	}{
		{"192.0.2.66", nil, "list/bl list/helo list/rhs"},
		{"192.0.2.67", nil, "list/helo list/rhs"},
		{"192.0.2.68", nil, "allow/white"},
		{"2001:db8::66", nil, "list/bl list/helo list/rhs"},
		{"::ffff:192.0.2.66", func(e *scan.Envelope) { e.Sender, e.Helo = "", "[192.0.2.66]" }, "list/bl"},
		{"10.0.0.1", nil, "list/helo list/rhs"},
		{"192.0.2.66", func(e *scan.Envelope) { e.AuthUser = "joe" }, ""},
		{"192.0.2.200", nil, ""},
	} {
		e := from(test.name)
		if test.env != nil {
			test.env(&e)
		}
		if found, _ := s.ScanEnvelope(t.Context(), scan.StageConnect, e); len(found) > 0 {
			t.Errorf("%s at connect: %v", test.name, found)
		}
		found, err := s.ScanEnvelope(t.Context(), scan.StageMail, e)
		if got := rules(found); got != test.want || err != nil {
			t.Errorf("%s: %q, want %q (%v, %v)", test.name, got, test.want, found, err)
		}
	}
}

const letter = "Received: from relay.example (relay.example [192.0.2.77])\r\n\tby mx.example.com; now\r\n" +
	"Received: from [10.0.0.1] (helo=x) by relay.example\r\n" +
	"From: \"x@y.example\" <a@author.example>\r\nSubject: x\r\n\r\nlook at http://www.evil.example/a and http://3232235777/ or http://203.0.113.9/\r\n"

func TestMessage(t *testing.T) {
	zone := healthy("received.test")
	zone["77.2.0.192.received.test"] = []string{"127.0.0.2"}
	zone["author.example.from.test"] = []string{"127.0.0.2"}
	zone["evil.example.uri.test"] = []string{"127.0.0.2"}
	zone["9.113.0.203.uri.test"] = []string{"127.0.0.2"}
	s := scanner(zone, listing("received", Received), listing("from", From), listing("uri", Link), listing("dkim", DKIM))
	m := message(letter)
	found, err := s.Scan(t.Context(), m)
	if got := rules(found); got != "list/from list/received list/uri" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, f := range found {
		if f.Rule == "spam/list/uri" && (!strings.Contains(f.Detail, "evil.example (127.0.0.2)") || !strings.Contains(f.Detail, "203.0.113.9")) {
			t.Errorf("the detail is %q", f.Detail)
		}
		if f.Score != 1 {
			t.Errorf("%s scores %v: however many entries, a list counts once", f.Rule, f.Score)
		}
	}
}

func message(text string) *scan.Message {
	_, body, _ := strings.Cut(text, "\r\n\r\n")
	return scantest.Message(text, scan.Part{Parent: -1, Path: "1", Type: "text/plain", Sniffed: "text/plain", Content: scantest.Bytes([]byte(body))})
}

func TestAnswersThatDoNotCount(t *testing.T) {
	zone := healthy("bl.test")
	zone["1.2.0.192.bl.test"] = []string{"127.255.255.254"}
	zone["2.2.0.192.bl.test"] = []string{"198.51.100.1"}
	zone["3.2.0.192.bl.test"] = []string{dnstest.Failing}
	zone["4.2.0.192.bl.test"] = []string{dnstest.Timeout}
	zone["5.2.0.192.bl.test"] = []string{dnstest.Unreachable}
	for i := range 5 {
		s := scanner(zone, listing("bl", Client))
		found, err := s.ScanEnvelope(t.Context(), scan.StageMail, from(fmt.Sprintf("192.0.2.%d", i+1)))
		if rules(found) != "failed/bl" || err != nil || found[0].Kind != scan.Failed || found[0].Score != 0 {
			t.Errorf("192.0.2.%d: %+v, %v", i+1, found, err)
		}
	}
}

// A list that says yes to everybody, one that refuses, and one that is gone.
func TestBrokenListsAreOff(t *testing.T) {
	zone := dnstest.Zone{"*.world.test": {"127.0.0.2"}, "*.refuses.test": {"127.255.255.254"}, "66.2.0.192.gone.test": {"127.0.0.2"}}
	synctest.Test(t, func(t *testing.T) {
		asked := &dnstest.Recorder{Resolver: zone}
		s := scanner(asked, listing("world", Client), listing("refuses", Client), listing("gone", Client))
		found, _ := s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.66"))
		if got := rules(found); got != "failed/refuses failed/world list/gone" {
			t.Errorf("at first: %q", got)
		}
		before := len(asked.Asked())
		found, _ = s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.67"))
		if got, n := rules(found), len(asked.Asked())-before; got != "failed/refuses failed/world" || n != 1 {
			t.Errorf("then: %q with %d questions", got, n)
		}
		time.Sleep(probeIll)
		s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.68"))
		synctest.Wait()
		found, _ = s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.66"))
		if got := rules(found); got != "failed/gone failed/refuses failed/world" {
			t.Errorf("after a second probe: %q", got)
		}
		zone["2.0.0.127.gone.test"] = []string{"127.0.0.2"}
		time.Sleep(probeIll)
		s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.68"))
		synctest.Wait()
		found, _ = s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.66"))
		if got := rules(found); got != "failed/refuses failed/world list/gone" {
			t.Errorf("when it is back: %q", got)
		}
	})
}

// A list that says nothing costs the first messages their time, and no others.
func TestSilentListIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := healthy("bl.test")
		zone["*.silent.test"] = []string{dnstest.Silent}
		s := scanner(zone, listing("bl", Client), listing("silent", Client))
		for range patience {
			found, _ := s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.1"))
			if got := rules(found); got != "failed/silent" {
				t.Errorf("%q", got)
			}
		}
		begun := time.Now()
		s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.2"))
		if took := time.Since(begun); took > 0 {
			t.Errorf("a list that is off takes %v", took)
		}
		time.Sleep(2 * probeTime) // for the probe to end
	})
}

func TestManyLinks(t *testing.T) {
	var b strings.Builder
	b.WriteString("Subject: x\r\n\r\n")
	for i := range 500 {
		fmt.Fprintf(&b, "http://host%d.example/\r\n", i)
	}
	asked := &dnstest.Recorder{Resolver: dnstest.Zone{}}
	found, err := scanner(asked, listing("uri", Link)).Scan(t.Context(), message(b.String()))
	if n := len(asked.Asked()); rules(found) != "many-names" || err != nil || n > maxSubjects+5 {
		t.Errorf("%v, %v after %d questions", found, err, n)
	}
}

func TestAnswers(t *testing.T) {
	for text, in := range map[string]string{
		"127.0.0.2": "127.0.0.2", "127.0.0.4 - 127.0.0.7": "127.0.0.5", "127.0.1.0/24": "127.0.1.255", "bits:0.0.0.24": "127.0.0.8",
	} {
		var a, again Answers
		if err := a.UnmarshalText([]byte(text)); err != nil || !a.has(netip.MustParseAddr(in)) || a.has(netip.MustParseAddr("127.0.0.3")) || a.has(netip.MustParseAddr("::1")) {
			t.Errorf("%q: %v, %v", text, a, err)
		}
		if err := again.UnmarshalText([]byte(a.String())); err != nil || again != a {
			t.Errorf("%q is written %q: %v", text, a, err)
		}
	}
	for _, text := range []string{"", "2", "127.0.0.9-127.0.0.2", "10.0.0.1", "126.0.0.0/7", "bits:127.0.0.1", "bits:0.0.0.0", "::1", "127.0.0.2/24"} {
		var a Answers
		if err := a.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, a)
		}
	}
}

func TestContract(t *testing.T) {
	scantest.Run(t, scanner(dnstest.Zone{}, listing("bl", Client), listing("uri", Link), listing("d", DKIM)), Catalogue()...)
}

var _ scan.EnvelopeScanner = (*Scanner)(nil)

func BenchmarkTwentyLists(b *testing.B) {
	zone := dnstest.Zone{}
	var lists []List
	for i := range 20 {
		lists = append(lists, listing(fmt.Sprintf("l%d", i), Client))
		zone["2.0.0.127."+lists[i].Zone] = []string{"127.0.0.2"}
	}
	s := scanner(zone, lists...)
	for b.Loop() {
		s.ScanEnvelope(context.Background(), scan.StageMail, from("192.0.2.1"))
	}
}
