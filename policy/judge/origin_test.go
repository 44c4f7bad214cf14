package judge

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
)

// witness reports whom it was asked about, before the message and with it.
type witness struct{}

func (witness) Name() string { return "spam" }

func (witness) ScanEnvelope(_ context.Context, s scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	return []scan.Finding{{Scanner: "spam", Rule: "spam/" + s.String(), Part: scan.WholeMessage, Detail: e.Client.Addr().String() + " " + e.Helo}}, nil
}

func (witness) Scan(_ context.Context, m *scan.Message) ([]scan.Finding, error) {
	return []scan.Finding{{Scanner: "spam", Rule: "spam/message", Part: scan.WholeMessage, Detail: m.Envelope.Client.Addr().String()}}, nil
}

func witnessed(t *testing.T, local policy.Local) *Judge {
	t.Helper()
	p, err := policy.New([]policy.Rule{{Scope: policy.Scope{Direction: policy.Relayed}, Outcome: policy.Outcome{Answer: policy.Reject}}}, local)
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Opener: unpack.NewOpener(unpack.Limits{Entity: entity.DefaultLimits(), Parts: 100, Nesting: 5}, archive.Formats(), spool.New(t.TempDir(), 1<<20, 1<<20)),
		Engine: scan.NewEngine(),
		Once:   scan.NewEngine(witness{}),
		Policy: p,
		Keeper: &keeper{},
		Time:   time.Minute,
		Relays: local.Relay,
	})
}

func TestTheClientBehindRelays(t *testing.T) {
	relays := []policy.Network{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("198.51.100.0/24")}}
	local := policy.Local{Domains: []policy.Domain{"ours.example"}, Networks: []policy.Network{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}, Relays: relays}
	j := witnessed(t, local)
	trail := "Received: from backup.example (backup.example [198.51.100.7])\r\n\tby mx with ESMTP; now\r\n" +
		"Received: from real.example (unknown [192.0.2.1]) by backup.example; now\r\n" +
		"Received: from liar.example (ours [127.0.0.1]) by real.example; now\r\n"
	for _, test := range []struct {
		name, client, header, to string
		want                     string
		answer                   policy.Answer
	}{
		{"no relay", "192.0.2.9", trail, "a@ours.example", "192.0.2.9 helo|192.0.2.9", policy.Deliver},
		{"no relay, to elsewhere", "192.0.2.9", trail, "a@other.example", "192.0.2.9 helo|192.0.2.9", policy.Reject},
		{"relay", "127.0.0.1", trail, "a@ours.example", "192.0.2.1 real.example|192.0.2.1", policy.Deliver},
		{"relay of ours, to elsewhere", "127.0.0.1", trail, "a@other.example", "192.0.2.1 real.example|192.0.2.1", policy.Deliver},
		{"relay that is not ours, to elsewhere", "198.51.100.9", trail, "a@other.example", "192.0.2.1 real.example|192.0.2.1", policy.Reject},
		{"the relay's own mail", "127.0.0.1", "", "a@other.example", "invalid IP |invalid IP", policy.Deliver},
		{"a trail that ends", "127.0.0.1", "Received: by backup.example; now\r\nReceived: from x ([192.0.2.1]) by y\r\n", "a@ours.example", "invalid IP |invalid IP", policy.Deliver},
		{"nothing but a literal", "127.0.0.1", "Received: from [IPv6:2001:db8::1] by y\r\n", "a@ours.example", "2001:db8::1 IPv6:2001:db8::1|2001:db8::1", policy.Deliver},
	} {
		in := received(j, test.header+mail)
		in.Envelope = scan.Envelope{Client: netip.AddrPortFrom(netip.MustParseAddr(test.client), 25), Helo: "helo", Recipients: []string{test.to}}
		in.Begun = []*scan.Pending{j.Begin(t.Context(), scan.StageMail, in.Envelope)}
		r := j.Examine(t.Context(), in)
		var asked []string
		for _, f := range r.Found {
			if f.Rule == "spam/mail" || f.Rule == "spam/message" {
				asked = append(asked, f.Detail)
			}
		}
		if got := strings.Join(asked, "|"); got != test.want || r.Decision.Answer != test.answer {
			t.Errorf("%s: asked about %q, want %q; %v, want %v", test.name, got, test.want, r.Decision.Answer, test.answer)
		}
		r.Close()
	}
}

// A message from a file has had no early stages: they are made up for.
func TestWithoutDialogue(t *testing.T) {
	j := witnessed(t, policy.Local{})
	r := j.Examine(t.Context(), received(j, mail))
	defer r.Close()
	if len(r.Found) != 4 || r.Found[0].Rule != "spam/connect" || r.Found[2].Rule != "spam/mail" {
		t.Errorf("%+v", r.Found)
	}
}
