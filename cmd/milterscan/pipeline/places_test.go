package pipeline

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/geo/geotest"
)

// TestPlaces has rules go by where clients are: those that connect, and those that are before a
// relay. The record says it, too.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"c.mmdb": geotest.Database(geotest.Rows{"192.0.2.0/24": geotest.Country("FR"), "198.51.100.0/24": geotest.Country("FR")}, time.Now()),
		"a.mmdb": geotest.Database(geotest.Rows{"203.0.113.0/24": geotest.ASN(64496, "Example\x1b[2J")}, time.Now()),
		"milterscan.toml": []byte(strings.ReplaceAll(`local.relays = ["198.51.100.0/24"]
[geo]
country = "DIR/c.mmdb"
asn = "DIR/a.mmdb"
[[rule]]
name = "country"
country = ["fr"]
action = "reject"
[[rule]]
name = "network"
asn = [64496]
action = "tempfail"
`, "DIR", dir)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "milterscan.toml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, test := range []struct{ client, header, action, country, line string }{
		{"192.0.2.1", "", "reject", "FR", `"country":"FR"`},
		{"203.0.113.9", "", "tempfail", "", `"asn":64496,"as_name":"Example\u001b[2J"`},
		{"198.51.100.1", "", "deliver", "", `"client":"198.51.100.1`},
		{"198.51.100.1", "Received: from x (x [192.0.2.7]) by r.example; now\r\n", "reject", "FR", `"country":"FR"`},
		{"10.0.0.1", "", "deliver", "", `"client":"10.0.0.1`},
	} {
		client := netip.AddrPortFrom(netip.MustParseAddr(test.client), 25)
		env := scan.Envelope{Client: client, Sender: "a@example.org", Recipients: []string{"b@example.com"}}
		r, err := p.ScanReader(t.Context(), strings.NewReader(test.header+"Subject: s\r\n\r\ntext\r\n"), env)
		if err != nil {
			t.Fatal(err)
		}
		rec := r.Record()
		if rec.Action != test.action || rec.Country != test.country || !strings.Contains(string(rec.Line()), test.line) {
			t.Errorf("%s: %s %q\n%s", test.client, rec.Action, rec.Country, rec.Line())
		}
		r.Close()
	}
	os.Remove(filepath.Join(dir, "a.mmdb"))
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "geo.asn") {
		t.Errorf("%v", err)
	}
}
