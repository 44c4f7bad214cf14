package integration

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// digestRules keep mail of one sender, and let people see to it by links in digests.
const digestRules = `
[local]
domains = ["test.local"]
[people]
file = "%[1]s/people.db"
[people.digest]
enabled = true
[console]
listen = ["unix:%[1]s/console"]
file = "%[1]s/console.db"
url = "http://console.test"
[[rule]]
name = "blocked"
from = ["list:blocked"]
action = "reject"
[[rule]]
name = "keep it"
from = ["shop@example.org"]
action = "quarantine"
`

// ourLinks are the links in a digest, after the words before them.
var ourLinks = regexp.MustCompile(`(Look|Release|Block the sender): http://console\.test(/link/[A-Za-z0-9_-]+)`)

// A person gets a digest through the MTA; a link checker opens all its links, twice, and nothing happens; the person has one
// message delivered, once, and blocks its sender, who is refused at RCPT from then on.
func TestDigest(t *testing.T) {
	needServers(t)
	dir := t.TempDir() // which is to outlive the daemon
	h := newHouse(t, "")
	h.milter.Configure(t, h.vault(dir, h.mta.SMTP())+fmt.Sprintf(digestRules, dir))
	h.milter.Stop()
	h.milter.Start(t)
	m := servers.Mail{From: "shop@example.org", To: []string{"user@test.local"}, Data: sample.Plain("https://offers.example/ for you", "Buy.")}
	wantReply(t, "what is kept", h.send(m), 250)
	if out, status := h.milter.Run(t, "digest send", "--for", "user@test.local"); status != 0 || !strings.Contains(out, "sent: 1") {
		t.Fatalf("digest send: status %d, %s", status, out)
	}
	digest := h.mta.Mailbox().One(t)
	text := unfolded(string(digest.Mail))
	if digest.Recipient != "user@test.local" || !strings.Contains(text, "https[:]//offers[.]example/ for you") || strings.Contains(text, "X-Milterscan") {
		t.Fatalf("to %s:\n%s", digest.Recipient, text)
	}
	links := map[string]string{}
	for _, l := range ourLinks.FindAllStringSubmatch(text, -1) {
		links[l[1]] = l[2]
	}
	if len(links) != 3 {
		t.Fatalf("links %v in\n%s", links, text)
	}
	h.mta.Mailbox().Clear()
	v := visit(t, filepath.Join(dir, "console"))
	for range 2 {
		for _, path := range links {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r, err := http.NewRequestWithContext(t.Context(), method, "http://console.test"+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := v.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("%s: %s", method, answer.Status)
				}
			}
		}
	}
	if rows := h.list(t); len(rows) != 1 || rows[0].State != "kept" || h.mta.Mailbox().Count() != 0 {
		t.Fatalf("a link checker changed something: %+v, %d mails", rows, h.mta.Mailbox().Count())
	}
	if page, _ := v.post(links["Release"], "confirm", "release"); !strings.Contains(page, "The message is on its way") {
		t.Fatalf("%s", page)
	}
	if got := h.mta.Mailbox().One(t); got.Recipient != "user@test.local" || !strings.Contains(string(got.Mail), "\nBuy.") {
		t.Errorf("to %s:\n%s", got.Recipient, got.Mail)
	}
	if page, _ := v.post(links["Release"], "confirm", "release"); !strings.Contains(page, "This was done already") {
		t.Errorf("%s", page)
	}
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 1 {
		t.Errorf("it arrived %d times", n)
	}
	if page, _ := v.post(links["Block the sender"], "confirm", "block"); !strings.Contains(page, "The sender is blocked") {
		t.Fatalf("%s", page)
	}
	servers.Await(t, "the sender to be refused", func() bool { return h.send(m).Code == 550 })
	if out, status := h.milter.Run(t, "digest status"); status != 0 || !strings.Contains(out, "people who have got one: 1") {
		t.Errorf("status %d, %s", status, out)
	}
}
