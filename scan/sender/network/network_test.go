package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/scantest"
)

func scanner(t *testing.T) *Scanner {
	t.Helper()
	table, _, err := listing.Read(strings.NewReader("192.0.2.0/24\n2001:db8::/32\n"), listing.Syntax{Kind: listing.Networks, Format: listing.Plain})
	if err != nil {
		t.Fatal(err)
	}
	return New([]List{
		{Name: "drop", Score: 4, Table: func() *listing.Table { return table }},
		{Name: "never", Table: func() *listing.Table { return nil }},
	}, func(e scan.Envelope) bool { return e.AuthUser != "" })
}

func TestContract(t *testing.T) { scantest.Run(t, scanner(t), Catalogue()...) }

func TestClients(t *testing.T) {
	s := scanner(t)
	for _, test := range []struct {
		client, user string
		stage        scan.Stage
		want         string
	}{
		{"192.0.2.9", "", scan.StageMail, "feed/client/drop feed/failed/never"},
		{"::ffff:192.0.2.9", "", scan.StageMail, "feed/client/drop feed/failed/never"},
		{"2001:db8::1", "", scan.StageMail, "feed/client/drop feed/failed/never"},
		{"198.51.100.1", "", scan.StageMail, "feed/failed/never"},
		{"192.0.2.9", "joe", scan.StageMail, ""},
		{"192.0.2.9", "", scan.StageConnect, ""},
		{"", "", scan.StageMail, ""},
	} {
		e := scan.Envelope{AuthUser: test.user}
		if test.client != "" {
			e.Client = netip.AddrPortFrom(netip.MustParseAddr(test.client), 25)
		}
		found, err := s.ScanEnvelope(t.Context(), test.stage, e)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, f := range found {
			rules = append(rules, f.Rule)
		}
		if got := strings.Join(rules, " "); got != test.want {
			t.Errorf("%s at %v: %q, want %q", test.client, test.stage, got, test.want)
		}
	}
}
