package integration

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// open lets everybody send everywhere, as far as Postfix is asked: what refuses
// in these tests is milterscan.
const open = "mynetworks = 0.0.0.0/0, [::]/0\ninet_protocols = all"

// zones are the world of these tests.
func zones() map[string]string {
	return map[string]string{
		"example.org":              "@ MX 10 mail\nmail A 192.0.2.1\n@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n",
		"null.example":             "@ MX 0 .\n",
		"broken.example":           servers.Broken,
		"example":                  "nothing TXT \"here\"\n",
		"example.net":              "@ MX 10 mail\nmail A 192.0.2.1\n",
		"bl.test":                  "2.0.0.127 A 127.0.0.2\n66.2.0.192 A 127.0.0.2\n68.2.0.192 A 127.255.255.254\n1.0.0.10 A 127.0.0.2\n6.6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2 A 127.0.0.2\n",
		"white.test":               "2.0.0.127 A 127.0.0.2\n",
		"uri.test":                 "evil.example A 127.0.0.2\n",
		"2.0.192.in-addr.arpa":     "1 PTR mail.example.org.\n66 PTR mail.example.org.\n",
		"0.0.10.in-addr.arpa":      "",
		"8.b.d.0.1.0.0.2.ip6.arpa": "",
	}
}

// resolving returns the part of a configuration about DNS, whose servers have time also on a busy machine.
func resolving(addr string) string { return resolvingWithin(addr, "7s") }

func resolvingWithin(addr, timeout string) string {
	return fmt.Sprintf("[dns]\nservers = [%q]\ntimeout = %q\n\n", addr, timeout)
}

const ours = "[local]\ndomains = [\"test.local\"]\nnetworks = [\"127.0.0.0/8\"]\n\n"

// list is a [[spam.list]].
func list(name, zone, lookup string, score float64) string {
	return fmt.Sprintf("[[spam.list]]\nname = %q\nzone = %q\nlookup = %q\nanswers = [\"127.0.0.2\"]\nscore = %v\n\n", name, zone, lookup, score)
}

// as opens a session in which the server takes us for another client.
func (h *house) as(t *testing.T, attributes ...string) *servers.Client {
	t.Helper()
	c := servers.DialSMTP(t, h.mta.SMTP())
	t.Cleanup(c.Close)
	if len(attributes) > 0 {
		wantReply(t, "XCLIENT", c.Pretend(attributes...), 250)
	}
	return c
}

func TestRelayControl(t *testing.T) {
	needServers(t)
	dns := servers.StartKnot(t, zones())
	h := newHouse(t, ours+resolving(dns.Addr), open)
	for _, test := range []struct {
		what, client, from, to string
		code                   int
		words                  string
	}{
		{"no such domain", "192.0.2.9", "a@gone.example", "user@test.local", 550, "5.1.8"},
		{"name servers that fail", "192.0.2.9", "a@broken.example", "user@test.local", 451, "4.1.8"},
		{"null MX", "192.0.2.9", "a@null.example", "user@test.local", 550, "5.7.27"},
		{"null sender", "192.0.2.9", "", "user@test.local", 250, ""},
		{"a good sender", "192.0.2.9", "a@example.org", "user@test.local", 250, ""},
		{"unknown client, elsewhere", "192.0.2.9", "a@example.org", "user@example.net", 550, "5.7.1"},
		{"known client, elsewhere", "127.0.0.1", "a@example.org", "user@example.net", 250, ""},
		{"unknown client with our name, elsewhere", "192.0.2.9", "user@test.local", "user@example.net", 550, "5.7.1"},
	} {
		c := h.as(t, "ADDR="+test.client)
		wantReply(t, test.what, c.Envelope(servers.Mail{From: test.from, To: []string{test.to}}), test.code, test.words)
		c.Quit()
	}
	c := h.as(t, "ADDR=192.0.2.9", "LOGIN=joe")
	wantReply(t, "authenticated, elsewhere", c.Envelope(servers.Mail{From: "user@test.local", To: []string{"user@example.net"}}), 250)
}

// One recipient has a rule of his own; the other is refused in the same session,
// before the message.
func TestOneRecipientMayBeSentListedMail(t *testing.T) {
	needServers(t)
	dns := servers.StartKnot(t, zones())
	h := newHouse(t, resolving(dns.Addr)+list("bl", "bl.test", "client", 3)+
		"[[rule]]\nname = \"wants all\"\nto = [\"all@test.local\"]\naction = \"deliver\"\n\n"+
		"[[rule]]\nname = \"listed\"\nwhen = [\"spam/list/*\"]\naction = \"reject\"\nreply = \"550 5.7.1 Your host is listed.\"\n", open)
	c := h.as(t, "ADDR=192.0.2.66")
	wantReply(t, "MAIL", c.Cmd("MAIL FROM:<a@example.org>"), 250)
	wantReply(t, "the one with a rule", c.Cmd("RCPT TO:<all@test.local>"), 250)
	wantReply(t, "the other", c.Cmd("RCPT TO:<user@test.local>"), 550, "Your host is listed")
	wantReply(t, "the message", c.Data(clean("listed").Data), 250)
	if d := h.mta.Mailbox().One(t); d.Recipient != "all@test.local" {
		t.Errorf("delivered to %s", d.Recipient)
	}
}

func TestDNSLists(t *testing.T) {
	needServers(t)
	dns := servers.StartMoody(t, servers.Moods{Silent: "silent.test"}, servers.StartKnot(t, zones()).Addr)
	h := newHouse(t, resolvingWithin(dns.Addr, "500ms")+list("bl", "bl.test", "client", 3)+list("silent", "silent.test", "client", 5)+list("uri", "uri.test", "link", 2.5)+
		"[spam]\nscore_header = \"X-Score\"\n", open)
	for _, test := range []struct {
		client, text string
		want         []string // findings, apart from those of the silent list
		score        string
	}{
		{"192.0.2.1", "nothing", nil, ""},
		{"192.0.2.66", "nothing", []string{"spam/list/bl"}, "3.0 *** spam/list/bl=3"},
		{"IPV6:2001:db8::66", "nothing", []string{"spam/list/bl"}, "3.0 *** spam/list/bl=3"},
		{"192.0.2.66", "see http://www.evil.example/x", []string{"spam/list/bl", "spam/list/uri"}, "5.5 ***** spam/list/bl=3, spam/list/uri=2.5"},
		{"10.0.0.1", "nothing", nil, ""},
		{"192.0.2.68", "nothing", []string{"spam/failed/bl"}, ""},
		{"192.0.2.66", "nothing, and the list is off since it refused", []string{"spam/failed/bl"}, ""},
	} {
		h.mta.Mailbox().Clear()
		c := h.as(t, "ADDR="+test.client)
		wantReply(t, test.client, c.Send(letter(sample.Plain("test", test.text))), 250)
		c.Quit()
		d := headerOf(t, h.mta.Mailbox().One(t))
		var got []string
		for _, rule := range h.found(t) {
			if strings.HasPrefix(rule, "spam/") && rule != "spam/failed/silent" {
				got = append(got, rule)
			}
		}
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("%s: found %v, want %v", test.client, got, test.want)
		}
		if s := d.Get("X-Score"); s != test.score {
			t.Errorf("%s: scored %q, want %q", test.client, s, test.score)
		}
	}
}

// headerOf is the header of a delivered mail.
func headerOf(t *testing.T, d servers.Delivered) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(d.Mail))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

// found are the findings of the last message, once the log is quiet: it is written after the answer.
func (h *house) found(t *testing.T) []string {
	t.Helper()
	var lines []map[string]any
	quiet := 0
	servers.Await(t, "the log to be quiet after a message", func() bool {
		was := len(lines)
		if lines = h.milter.Lines(t, "message"); len(lines) == 0 || len(lines) != was {
			quiet = 0
		}
		quiet++
		return len(lines) > 0 && quiet > 40
	})
	var rules []string
	all, _ := lines[len(lines)-1]["findings"].([]any)
	for _, f := range all {
		rules = append(rules, f.(map[string]any)["rule"].(string))
	}
	return rules
}

// signed is a mail with a DKIM signature, and the record of its key.
func signed(t *testing.T, letter []byte, domain string) (out []byte, record string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, bytes.NewReader(letter), &dkim.SignOptions{Domain: domain, Selector: "sel", Signer: private}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), "sel._domainkey TXT \"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public) + "\"\n"
}

func TestAuthentication(t *testing.T) {
	needServers(t)
	z := zones()
	proved, key := signed(t, clean("signed").Data, "example.org")
	z["example.org"] += key
	dns := servers.StartKnot(t, z)
	h := newHouse(t, resolving(dns.Addr)+"[auth]\nspf = true\ndkim = true\ndmarc = true\nid = \"mx.test.local\"\n\n"+
		"[[rule]]\nname = \"forged\"\nwhen = [\"auth/dmarc-reject\"]\naction = \"reject\"\n", open)
	forged := "Authentication-Results: mx.test.local; dmarc=pass header.from=bank.example\r\nAuthentication-Results: other.example; spf=pass\r\n"
	for _, test := range []struct {
		what, client, from string
		data               []byte
		code               int
		want               string
	}{
		{"SPF", "192.0.2.1", "sender@example.org", clean("a").Data, 250, "mx.test.local; spf=pass smtp.mailfrom=sender@example.org; dkim=none; dmarc=pass header.from=example.org polrec.p=reject polrec.domain=example.org"},
		{"DKIM", "192.0.2.9", "list@example.net", proved, 250, "mx.test.local; spf=none smtp.mailfrom=list@example.net; dkim=pass header.d=example.org header.i=@example.org; dmarc=pass header.from=example.org polrec.p=reject polrec.domain=example.org"},
		{"neither", "192.0.2.9", "sender@example.org", clean("b").Data, 550, ""},
		{"forged results", "192.0.2.1", "sender@example.org", append([]byte(forged), clean("c").Data...), 250, "mx.test.local; spf=pass smtp.mailfrom=sender@example.org; dkim=none; dmarc=pass header.from=example.org polrec.p=reject polrec.domain=example.org"},
		{"no answer", "192.0.2.9", "sender@broken.example", bytes.ReplaceAll(clean("d").Data, []byte("example.org"), []byte("broken.example")), 250, "mx.test.local; spf=temperror smtp.mailfrom=sender@broken.example; dkim=none; dmarc=temperror header.from=broken.example"},
	} {
		h.mta.Mailbox().Clear()
		c := h.as(t, "ADDR="+test.client)
		wantReply(t, test.what, c.Send(servers.Mail{From: test.from, To: []string{"user@test.local"}, Data: test.data}), test.code)
		c.Quit()
		if test.code != 250 {
			continue
		}
		var results []string
		for _, r := range headerOf(t, h.mta.Mailbox().One(t))["Authentication-Results"] {
			if strings.HasPrefix(r, "mx.test.local") {
				results = append(results, r)
			} else if r != "other.example; spf=pass" {
				t.Errorf("%s: %q", test.what, r)
			}
		}
		if len(results) != 1 || results[0] != test.want {
			t.Errorf("%s: %q, want %q", test.what, results, test.want)
		}
	}
}

// Our own people are scored and not looked up; their viruses are refused.
func TestOutbound(t *testing.T) {
	needServers(t)
	dns := servers.StartKnot(t, zones())
	h := newHouse(t, ours+resolving(dns.Addr)+list("bl", "bl.test", "client", 3)+"[auth]\nspf = true\nid = \"mx.test.local\"\n\n"+
		"[[rule]]\nname = \"friends\"\nfrom = [\"@test.local\"]\ndirection = [\"inbound\"]\naction = \"deliver\"\n\n"+
		"[[rule]]\nname = \"offers\"\nwhen = [\"score >= 4\"]\ntag = \"{Spam?}\"\nheaders = { X-User = \"{user} {client}\" }\n\n"+
		"[[content.list]]\nname = \"offers\"\nwords = [\"viagra\"]\nscore = 5\n", open)
	c := h.as(t, "ADDR=192.0.2.66", "LOGIN=joe")
	m := servers.Mail{From: "joe@test.local", To: []string{"user@example.net"}, Data: sample.Plain("an offer", "Buy viagra.")}
	wantReply(t, "spam", c.Send(m), 250)
	d := headerOf(t, h.mta.Mailbox().One(t))
	if s := d.Get("Subject"); s != "{Spam?} an offer" {
		t.Errorf("the subject is %q", s)
	}
	if u := d.Get("X-User"); u != "joe 192.0.2.66" {
		t.Errorf("sent by %q", u)
	}
	if r := d.Get("Authentication-Results"); r != "mx.test.local; auth=pass smtp.auth=joe" {
		t.Errorf("the results are %q", r)
	}
	if got := h.found(t); slices.Contains(got, "spam/list/bl") {
		t.Errorf("our own people are looked up: %v", got)
	}
	h.milter.Says(t, `"user":"joe"`)
	m.Data = infected().Data
	wantReply(t, "virus", c.Send(m), 550, "virus")
}

// Mail that a program on this host has fetched is judged by whom that program
// got it from.
func TestFetchedMail(t *testing.T) {
	needServers(t)
	dns := servers.StartKnot(t, zones())
	h := newHouse(t, "[local]\ndomains = [\"test.local\"]\nnetworks = [\"127.0.0.0/8\"]\nrelays = [\"127.0.0.0/8\"]\n\n"+
		resolving(dns.Addr)+list("bl", "bl.test", "client", 3), open)
	for trail, want := range map[string]bool{
		"Received: from mail.example.org (mail.example.org [192.0.2.66])\r\n\tby pop.example.net; now\r\n":                                                                   true,
		"Received: from pop.example.net [127.0.0.1] by localhost; now\r\nReceived: from x (x [192.0.2.66]) by pop.example.net; now\r\n":                                      true,
		"Received: from good.example (good.example [192.0.2.1]) by pop.example.net; now\r\nReceived: from evil.example (evil.example [192.0.2.66]) by good.example; now\r\n": false,
		"": false,
	} {
		h.mta.Mailbox().Clear()
		wantReply(t, trail, h.send(letter(append([]byte(trail), clean("fetched").Data...))), 250)
		h.mta.Mailbox().One(t)
		if got := h.found(t); slices.Contains(got, "spam/list/bl") != want {
			t.Errorf("%q: found %v", trail, got)
		}
	}
}

// All resolvers are dead: every clean mail is delivered, and only the first wait.
func TestAllDNSDead(t *testing.T) {
	needServers(t)
	dns := servers.StartMoody(t, servers.Moods{}, "127.0.0.1:1")
	dns.Hush()
	config := list("bl", "bl.test", "client", 3) + list("rhs", "white.test", "sender", 3) + list("uri", "uri.test", "link", 2) +
		"[auth]\nspf = true\ndkim = true\ndmarc = true\n\n[relay]\nreverse_dns = true\n"
	for name, c := range map[string]string{"lists": resolving(dns.Addr) + config, "lists and relay control": ours + resolving(dns.Addr) + config} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, c, open)
			var took []time.Duration
			for i := range 100 {
				begun := time.Now()
				session := h.as(t, fmt.Sprintf("ADDR=192.0.2.%d", i))
				wantReply(t, "clean mail", session.Send(letter(sample.Plain("clean", "See http://example.org/."))), 250)
				session.Quit()
				took = append(took, time.Since(begun))
			}
			h.mta.Mailbox().Await(t, 100)
			slices.Sort(took)
			t.Logf("with no resolver that answers: p50 %v, p99 %v, the longest %v", took[50], took[98], took[99])
		})
	}
}
