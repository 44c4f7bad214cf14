package historytest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Typical returns an ordinary mail: delivered, with nothing found; every tenth was
// refused.
func Typical(n int, at time.Time) policy.Record {
	user := fmt.Sprintf("user%d@example.com", n%1000)
	r := policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("%016x", n), Time: at, Generation: 1, Stage: "message",
		QueueID: fmt.Sprintf("4F%08X", n), MessageID: fmt.Sprintf("%d.abcdef@mail%d.example.net", n, n%5000),
		Client: "192.0.2.1", ClientName: "mail.example.net", Helo: "mail.example.net",
		Sender: fmt.Sprintf("sender%d@domain%d.example.net", n%100, n%5000), Recipients: To("deliver", user),
		Subject: "An ordinary subject of some length", Size: 20_000, Action: "deliver", Complete: true, Took: 3e6,
		Scanners: []policy.ScannerTime{{Scanner: "virus/hashes", Took: 1e5}, {Scanner: "virus/clamd", Took: 2e6},
			{Scanner: "attachment", Took: 1e5}, {Scanner: "content", Took: 1e5}},
		Verdicts: []policy.RecordVerdict{{Recipients: []string{user}, Action: "deliver", Because: -1}},
	}
	if n%10 == 0 {
		rule := policy.RecordRule{Name: "default/program"}
		r.Action, r.Reply = "reject", "the reply of a rule, as long as such are"
		r.Findings = []policy.RecordFinding{{Kind: 4, Scanner: "attachment", Rule: "attachment/name",
			Part: "2", Name: "a.exe", Detail: "\"a.exe\" matches exe"}}
		r.Verdicts[0] = policy.RecordVerdict{Recipients: r.Addresses(), Action: "reject", Rule: &rule,
			Matches: []policy.RecordMatch{{Rule: rule, Does: "reject", Decides: true}}}
		r.Alternatives = []policy.Alternative{{Findings: []int{0}, Then: "deliver"}}
	}
	return r
}

// Natural returns a mail of many: one of 5,000 sender domains, one of 1,000 users, its own
// subject, and one of 65,536 clients; every tenth was refused.
func Natural(n int, at time.Time) policy.Record {
	r := Typical(n, at)
	rnd := rand.New(rand.NewPCG(7, uint64(n)))
	r.Subject = fmt.Sprintf("%s%s %d from %s%s %x", anyOf(rnd, "", "", "Re: ", "Fwd: "),
		anyOf(rnd, "Invoice", "Order", "Your ticket", "Meeting notes", "Rechnung", "Newsletter"), rnd.IntN(1e6),
		anyOf(rnd, "Acme ", "Globex ", "Initech ", ""), anyOf(rnd, "Berlin", "Paris", "Madrid", "Wien"), rnd.Uint32())
	r.Client = fmt.Sprintf("198.51.%d.%d", rnd.IntN(256), rnd.IntN(256))
	r.ClientName = fmt.Sprintf("mail.host%d.example.net", rnd.IntN(20_000))
	r.Size = int64(1000 + rnd.IntN(1_000_000))
	if n%20 == 7 {
		r.MessageID = "same@list.example.net"
	}
	if n%100_000 == 10 {
		r.Findings = append(r.Findings, policy.RecordFinding{Rule: "virus/rare"})
		r.Scanners[1].Error = "timeout"
	}
	return r
}

// Searches are filters of every field, combinations, and filters that nothing is like or
// nearly everything. The records are those of Natural.
var Searches = []struct {
	Name   string
	Filter history.Filter
}{
	{"nothing-asked", history.Filter{}},
	{"sender", history.Filter{Sender: "sender7@domain7.example.net"}},
	{"sender-domain", history.Filter{Sender: "@domain4711.example.net"}},
	{"sender-subdomains-all", history.Filter{Sender: ".example.net"}},
	{"sender-glob", history.Filter{Sender: "*er77@*11.example.net"}},
	{"sender-part", history.Filter{Sender: "der99@domain49"}},
	{"sender-none", history.Filter{Sender: "nobody@example.org"}},
	{"recipient", history.Filter{Recipient: "user17@example.com"}},
	{"recipient-domain-all", history.Filter{Recipient: "@example.com"}},
	{"recipient-none", history.Filter{Recipient: "nobody@example.org"}},
	{"recipient-refused", history.Filter{Recipient: "user17@example.com", Action: "reject"}},
	{"subject-word", history.Filter{Subject: "invoice"}},
	{"subject-rare", history.Filter{Subject: "invoice 4711 from"}},
	{"subject-one", history.Filter{Subject: "order 777777 "}},
	{"subject-part", history.Filter{Subject: "oice 471"}},
	{"subject-glob", history.Filter{Subject: "re: *4711*berlin"}},
	{"subject-letter", history.Filter{Subject: "e"}},
	{"subject-none", history.Filter{Subject: "no such words anywhere"}},
	{"subject-words-not-together", history.Filter{Subject: "from meeting"}},
	{"message-id", history.Filter{MessageID: "<777.abcdef@mail777.example.net>"}},
	{"message-id-common", history.Filter{MessageID: "same@list.example.net"}},
	{"message-id-none", history.Filter{MessageID: "none@example.net"}},
	{"queue-id", history.Filter{QueueID: "4F00000777"}},
	{"client", history.Filter{Client: "198.51.7.7"}},
	{"client-network", history.Filter{Client: "198.51.7.0/24"}},
	{"client-network-none", history.Filter{Client: "203.0.113.0/24"}},
	{"client-network-v6-none", history.Filter{Client: "2001:db8::/32"}},
	{"client-name", history.Filter{Client: "*host77.example.net"}},
	{"rule", history.Filter{Rule: "default/program"}},
	{"rule-none", history.Filter{Rule: "no-such-rule"}},
	{"finding", history.Filter{Finding: "attachment/*"}},
	{"finding-rare", history.Filter{Finding: "virus/rare"}},
	{"reason", history.Filter{Reason: "virus/*"}},
	{"engine", history.Filter{Engine: "virus/clamd"}},
	{"engine-failed", history.Filter{Engine: "virus/clamd", Did: history.DidFail}},
	{"action", history.Filter{Action: "reject"}},
	{"action-none", history.Filter{Action: "hold"}},
	{"size", history.Filter{Larger: 20_000, Smaller: 20_050}},
	{"size-none", history.Filter{Larger: 1 << 30}},
	{"domains", history.Filter{Domains: []string{"domain4711.example.net"}}},
	{"day", history.Filter{Since: Now.Add(48 * time.Hour), Before: Now.Add(72 * time.Hour)}},
	{"combined-few", history.Filter{Sender: "@domain4711.example.net", Subject: "invoice", Action: "reject"}},
	{"combined-many-none", history.Filter{Sender: ".example.net", Recipient: "@example.com", Subject: "e",
		Finding: "virus/rare", Action: "deliver"}},
	{"combined-many-all", history.Filter{Sender: ".example.net", Recipient: "@example.com", Subject: "e",
		Engine: "virus", Larger: 1}},
	{"combined-halves-none", history.Filter{Sender: "sender1*", Recipient: "user2*", Subject: "invoice",
		Client: "198.51.0.0/16", Larger: 900_000}},
	{"fts-syntax", history.Filter{Subject: `" OR subject:* NEAR(a b) --`}},
}
