package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// BenchmarkMine looks for mail of one person, of whom much is kept, and finds nothing: -records=50000 for the
// figures in docs.
func BenchmarkMine(b *testing.B) {
	x := NewIndex(filepath.Join(b.TempDir(), "index.db"), func(err error) { b.Error(err) })
	defer x.Close()
	rows := make([]quarantine.Row, *many)
	for n := range rows {
		to := fmt.Sprintf("user%d@example.com", n%2*(n%500))
		rows[n] = quarantine.Row{
			ID: fmt.Sprintf("%016x", n), Time: now.Add(time.Duration(n) * time.Second), Class: "suspicious", State: quarantine.Kept, Action: "quarantine",
			Sender: fmt.Sprintf("sender%d@domain%d.example.net", n%100, n%5000), From: "A Shop <news@shop.example>", Recipients: []string{to},
			Subject: fmt.Sprintf("Offer %d, only today, and cheaper than ever", n), Client: "192.0.2.1", QueueID: fmt.Sprintf("4F%08X", n),
			MessageID: fmt.Sprintf("%d.abcdef@mail.example.net", n), Reason: "spam/score", Size: 20_000, Stored: 9000, KeptAt: now, Waiting: []string{to},
		}
	}
	if err := x.Replace(b.Context(), rows, now); err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]quarantine.Filter{
		"no-such-sender": {Waiting: []string{"user0@example.com"}, Sender: "nobody@nowhere.example", Limit: 51},
		"no-such-word":   {Waiting: []string{"user0@example.com"}, Subject: "gone fishing", Limit: 51},
		"two-addresses":  {Waiting: []string{"user0@example.com", "user1@example.com"}, Subject: "gone fishing", Limit: 51},
		"newest":         {Waiting: []string{"user0@example.com"}, Limit: 51},
		"whole-host":     {Subject: "gone fishing", Limit: 51},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := x.Find(b.Context(), f); err != nil || (name == "newest") != (len(got) > 0) {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
