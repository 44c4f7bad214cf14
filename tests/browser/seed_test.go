package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan"
)

// kind is a kind of mail that an office gets, and what becomes of it.
type kind struct {
	share                 int // of a thousand
	action, rule, finding string
	of                    scan.Kind
	subjects, senders     []string
	scanner               string
}

// kinds are the mail of an office.
var kinds = []kind{
	{share: 760, action: "deliver", subjects: []string{"Minutes of Tuesday", "Re: offer 2026-114", "Lunch?", "Your booking", "Draft of the contract", "Weekly report"},
		senders: []string{"joe@example.net", "office@partner.example", "news@shop.example", "carla@example.org"}},
	{share: 90, action: "reject", rule: "no programs", finding: "attachment/program", of: scan.Forbidden, scanner: "attachment",
		subjects: []string{"Update your browser", "The setup you wanted", "Scan_0042"}, senders: []string{"it@helpdesk.invalid", "scan@printer.invalid"}},
	{share: 60, action: "reject", rule: "default/infected", finding: "virus/Win.Trojan.Agent-123", of: scan.Infected, scanner: "virus/clamd",
		subjects: []string{"Invoice overdue", "DHL: your parcel"}, senders: []string{"dhl@parcels.invalid", "pay@overdue.invalid"}},
	{share: 50, action: "reject", rule: "default/phishing", finding: "content/misleading-link", of: scan.Suspicious, scanner: "content",
		subjects: []string{"Your mailbox is full", "Confirm your account"}, senders: []string{"admin@mailbox.invalid", "security@bank.invalid"}},
	{share: 25, action: "quarantine", rule: "macros are kept", finding: "attachment/macro-autorun", of: scan.Suspicious, scanner: "document",
		subjects: []string{"Offer", "Price list 2027"}, senders: []string{"sales@supplier.example"}},
	{share: 15, action: "tempfail", rule: "default/failed", finding: "virus/failed/clamd", of: scan.Failed, scanner: "virus/clamd",
		subjects: []string{"Newsletter"}, senders: []string{"news@shop.example"}},
}

// seed puts a history of some days into a file, the same one every time but for its
// times.
func seed(t testing.TB, file string, records int, days int) {
	t.Helper()
	h := store.NewHistory(file, func(err error) { t.Error(err) })
	defer h.Close()
	r := rand.New(rand.NewPCG(1, 2))
	step := time.Duration(days) * 24 * time.Hour / time.Duration(records)
	at := time.Now().Add(-time.Duration(days) * 24 * time.Hour)
	var list []policy.Record
	for n := range records {
		at = at.Add(step)
		if hour := at.Hour(); (hour < 7 || hour > 19) && r.IntN(3) > 0 { // at night there is little
			continue
		}
		list = append(list, remembered(r, n, at.Add(time.Duration(r.Int64N(int64(step)+1)))))
		if len(list) == 2000 || n == records-1 {
			if err := h.Append(context.Background(), list); err != nil {
				t.Fatal(err)
			}
			list = list[:0]
		}
	}
	if len(list) > 0 {
		if err := h.Append(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}
}

// people are those the office's mail is for.
var people = []string{"ann@example.com", "bob@example.com", "carl@example.com", "info@example.com", "dora@branch.example.com"}

// remembered is the record of one mail.
func remembered(r *rand.Rand, n int, at time.Time) policy.Record {
	k, dice := kinds[0], r.IntN(1000)
	for _, other := range kinds {
		if dice < other.share {
			k = other
			break
		}
		dice -= other.share
	}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	to := pick(people)
	millis := func(most int) policy.Millis {
		return policy.Millis(time.Duration(1+r.IntN(most*1000)) * time.Microsecond)
	}
	rec := policy.Record{
		Version: policy.RecordVersion, ID: fmt.Sprintf("06h%013d", n), Time: at.UTC().Truncate(time.Millisecond), Generation: 1, Stage: "message", Direction: "inbound",
		QueueID: fmt.Sprintf("4hX%06dzz", n), MessageID: fmt.Sprintf("%d.%d@mail.example.net", n, r.IntN(1e6)), Client: fmt.Sprintf("192.0.2.%d", 1+r.IntN(200)),
		ClientName: "mail.example.net", Helo: "mail.example.net", TLS: r.IntN(4) > 0, Sender: pick(k.senders), Subject: pick(k.subjects),
		Size: int64(2000 + r.IntN(80_000)), Action: k.action, Rule: k.rule, Complete: k.of != scan.Failed, Took: millis(60),
		Scanners: []policy.ScannerTime{{Scanner: "virus/clamd", Took: millis(40)}, {Scanner: "attachment", Took: millis(3)}, {Scanner: "document", Took: millis(20)}, {Scanner: "content", Took: millis(8)}},
		Findings: []policy.RecordFinding{},
	}
	verdict := policy.RecordVerdict{Recipients: []string{to}, Action: k.action, Because: -1}
	recipient := policy.RecordRecipient{Recipient: to, Action: k.action, Rule: k.rule}
	if k.rule != "" {
		rec.Findings = append(rec.Findings, policy.RecordFinding{Kind: k.of, Scanner: k.scanner, Rule: k.finding, Part: "2", Name: "invoice.pdf.exe", Detail: "an example", Score: 5})
		verdict.Rule, verdict.Because, verdict.Applied = &policy.RecordRule{Name: k.rule}, 0, []string{k.rule}
		recipient.Because = &rec.Findings[0]
		rec.Applied = verdict.Applied
		rec.Score = 5
	}
	if k.action == "reject" {
		rec.Reply = "550 5.7.1 Refused: " + k.finding
	}
	rec.Verdicts, rec.Recipients = []policy.RecordVerdict{verdict}, []policy.RecordRecipient{recipient}
	return rec
}
