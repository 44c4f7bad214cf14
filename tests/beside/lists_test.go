package beside

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/sender/geo/geotest"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// Entries of the lists that all filters have.
const (
	listedHost   = "harvest-host.com"
	listedPage   = "http://harvest-pages.com/bad/minutes"
	listedClient = "192.0.2.77"
	words        = "the seventh seal of the harvest"
)

// listedFile is a file whose hash is on a list.
var listedFile = sample.Noise("minutes.bin", 2000, 7)

const yaraRule = "rule Harvest { strings: $a = \"" + words + "\" condition: $a }\n"

// ownLists are the same lists, as each filter has them.
type ownLists struct {
	dir          string
	server       string // where milterscan fetches them
	rspamd       string // its multimap.conf
	spamAssassin string // in its local.cf
}

// newLists writes the lists, and serves them for milterscan.
func newLists(t *testing.T, dir string) ownLists {
	t.Helper()
	sum := sha256.Sum256(listedFile.Content)
	for name, line := range map[string]string{
		"hosts": listedHost, "pages": listedPage, "networks": listedClient, "files": hex.EncodeToString(sum[:]),
		"pages.rspamd": `/^https?:\/\/harvest-pages\.com\/bad\/minutes/i`,
		"listed.hsb":   fmt.Sprintf("%x:%d:Listed-File:73", sum, len(listedFile.Content)), "rules.yar": strings.TrimSpace(yaraRule),
	} {
		write(t, filepath.Join(dir, name), line+"\n")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	for name, rows := range map[string]geotest.Rows{
		"country.mmdb": {"192.0.2.88/32": geotest.Country("AQ"), "192.0.2.0/26": geotest.Country("DE")},
		"asn.mmdb":     {"192.0.2.89/32": geotest.ASN(64500, "Harvest Hosting"), "192.0.2.0/26": geotest.ASN(64501, "Sender")},
	} {
		write(t, filepath.Join(dir, name), string(geotest.Database(rows, time.Now())))
	}
	return ownLists{dir: dir, server: server.URL,
		rspamd: fmt.Sprintf("LISTED_HOST { type = \"url\"; map = \"%[1]s/hosts\"; score = 4; }\n"+
			"LISTED_PAGE { type = \"url\"; filter = \"full\"; map = \"%[1]s/pages.rspamd\"; regexp = true; score = 4; }\n"+
			"LISTED_CLIENT { type = \"ip\"; map = \"%[1]s/networks\"; score = 4; }\n", dir),
		spamAssassin: "enlist_uri_host (LISTED) " + listedHost + "\nheader LISTED_HOST eval:check_uri_host_listed('LISTED')\n" +
			"uri LISTED_PAGE m{^https?://harvest-pages\\.com/bad/minutes}i\n" +
			"header LISTED_CLIENT X-Spam-Relays-External =~ /^\\[ ip=192\\.0\\.2\\.77 /\n"}
}

// teach gives clamd the hash and the rule.
func (l ownLists) teach(t *testing.T, c *servers.Clamd) {
	t.Helper()
	c.Stop()
	for _, name := range []string{"listed.hsb", "rules.yar"} {
		if out, err := exec.Command("cp", filepath.Join(l.dir, name), c.Database()).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	c.Start(t)
}

// milterscan returns the keys at the beginning of a configuration that asks scorers and goes by lists.
func (l ownLists) milterscan(rspamd, spamd string) string {
	return fmt.Sprintf("feed_dir = %q\n\n[spam.rspamd]\naddress = [%q]\n\n[spam.spamassassin]\naddress = [\"tcp:%s\"]\n\n"+
		"[geo]\ncountry = \"%[4]s/country.mmdb\"\nasn = \"%[4]s/asn.mmdb\"\n", filepath.Join(l.dir, "feeds"), rspamd, spamd, l.dir)
}

// entries returns the lists, an engine and rules as they are at the end of a configuration.
func (l ownLists) entries() string {
	var b strings.Builder
	for _, f := range []struct{ name, kind string }{{"hosts", "hosts"}, {"pages", "urls"}, {"files", "hashes"}, {"networks", "networks"}} {
		fmt.Fprintf(&b, "\n[[feed]]\nname = %q\nurl = \"%s/%[1]s\"\nkind = %[3]q\n", f.name, l.server, f.kind)
	}
	fmt.Fprintf(&b, "\n[[virus]]\nname = \"yara\"\ntype = \"yara\"\nrules = [\"%s/rules.yar\"]\n", l.dir)
	b.WriteString("\n[[rule]]\nname = \"from the Antarctic\"\ncountry = [\"AQ\"]\naction = \"reject\"\n" +
		"\n[[rule]]\nname = \"from Harvest Hosting\"\nasn = [64500]\naction = \"reject\"\n" +
		"\n[[rule]]\nname = \"spam\"\nwhen = [\"spam/rspamd >= 100\", \"spam/spamassassin >= 100\"]\naction = \"reject\"\n") // or they are not asked
	return b.String()
}

// fetch has milterscan fetch its lists.
func (l ownLists) fetch(t *testing.T, config string) {
	t.Helper()
	if out, err := exec.Command(servers.Binary(t), "feed", "update", "-c", config).CombinedOutput(); err != nil {
		t.Fatalf("feed update: %v\n%s", err, out)
	}
}

// published returns mails with addresses that are on lists.
func published() point {
	honest := connected(arrived(plain(ann, "", text)))
	linking := func(name, address string) trick {
		return trick{name: name, with: connected(arrived(plain(ann, "", text+"See "+address+" for more.\r\n"))), less: honest}
	}
	enclosed := func(f sample.File) letter {
		return connected(arrived(enclosing(subject, "plain", text, f, "attachment")))
	}
	other := sample.Noise(listedFile.Name, 2000, 8)
	harvest := sample.File{Name: "minutes.bin", Type: "application/octet-stream", Content: []byte("\x01\x02" + words + "\x03")}
	elsewhere := honest
	elsewhere.client = listedClient
	return point{
		title: "Lists that others publish", only: `(?i)^feed/|listed|harvest|clam_virus|^virus/`,
		about: "Each filter has the same lists of one host, one page, one hash, one address and one YARA rule, in its own way: milterscan as feeds and with " +
			"Debian's `yara`, rspamd as maps, which compare whole hosts here, SpamAssassin as rules of its own, clamd as signatures. rspamd has the answers of clamd, too. Beside it: the same mail without.",
		tricks: []trick{
			linking("a host below a listed one", "http://www."+listedHost+"/minutes"),
			linking("a listed page, with a query", listedPage+"?id=7"),
			linking("the listed page, by https and in capitals", "HTTPS://Harvest-Pages.COM/bad/minutes"),
			{name: "a file by its hash", with: enclosed(listedFile), less: enclosed(other)},
			{name: "the file in a ZIP", with: enclosed(sample.Zip("a.zip", listedFile)), less: enclosed(sample.Zip("a.zip", other))},
			{name: "a listed client", with: elsewhere, less: honest},
			{name: "what a YARA rule is about", with: enclosed(harvest), less: enclosed(other)},
			{name: "that in a ZIP in a ZIP", with: enclosed(sample.Zip("a.zip", sample.Zip("b.zip", harvest))), less: enclosed(sample.Zip("a.zip", other))},
		},
	}
}

// places returns mails of clients about which databases know something.
func places() point {
	honest := connected(arrived(plain(ann, "", text)))
	from := func(name, client string) trick {
		with := honest
		with.client = client
		return trick{name: name, with: with, less: honest}
	}
	return point{
		title: "Where clients are", only: `^rule: from|(?i)country|relaycountry|^asn`,
		about: "milterscan has two databases in the form of MaxMind, and rules by country and network (`country`, `asn`); they can go by the time of day as well (`hours`). rspamd asks a service " +
			"by DNS for this, which nobody answers here. SpamAssassin takes a module of Perl that its package does not bring.",
		tricks: []trick{from("a country", "192.0.2.88"), from("a network", "192.0.2.89")},
	}
}
