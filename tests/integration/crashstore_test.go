package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/sample"
)

// fate is where one mail is in the end.
type fate struct {
	accepted  bool // the client heard 250
	infected  bool
	delivered int
	kept      int
}

// Milterscan is killed again and again at random moments while mail passes, half
// of it infected. Every mail is then delivered, or in the quarantine, or still
// its client's; and one that its client still has may be in the quarantine as
// well, but not delivered.
func TestKillNineUnderLoad(t *testing.T) {
	needServers(t)
	rounds := 15
	if long() {
		rounds = 200
	}
	h := newHouseAsking(t, (&fakes.Clamd{}).Start(t, "unix"))
	dir := filepath.Join(t.TempDir(), "var")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.milter.Configure(t, h.vault(dir, h.mta.SMTP()))
	h.milter.Stop()
	h.milter.Start(t)
	fates := h.underFire(t, rounds)
	h.mta.Settle(t)
	h.collect(t, fates)
	delivered, kept, client, twice := 0, 0, 0, 0
	for mark, f := range fates {
		switch {
		case f.delivered > 0:
			delivered++
		case f.kept > 0 && f.accepted:
			kept++
		default:
			client++
		}
		if f.kept > 0 && !f.accepted || f.kept+f.delivered > 1 {
			twice++
		}
		if f.accepted && f.infected && f.kept == 0 || f.accepted && !f.infected && f.delivered != 1 || !f.accepted && f.delivered > 0 || f.infected && f.delivered > 0 {
			t.Errorf("%s: %+v", mark, *f)
		}
	}
	if delivered+kept+client != len(fates) || kept == 0 || delivered == 0 || client == 0 {
		t.Errorf("%d mails", len(fates))
	}
	t.Logf("killed %d times; of %d mails %d were delivered, %d are kept, %d are still their clients'; %d are in the quarantine and with their clients",
		rounds, len(fates), delivered, kept, client, twice)
}

// underFire sends mail over several connections while milterscan is killed and
// started again.
func (h *house) underFire(t *testing.T, rounds int) map[string]*fate {
	fates := map[string]*fate{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for c := range 6 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				mark := fmt.Sprintf("%d-%d.", c, n)
				f := &fate{infected: n%2 == 0}
				m := clean(mark)
				if f.infected {
					m = letter(sample.Attached("clean "+mark, sample.EicarFile()))
				}
				r := h.send(m)
				f.accepted = r.Code == 250
				if r.Refused() {
					t.Errorf("%s: the client heard %v", mark, r)
				}
				mu.Lock()
				fates[mark] = f
				mu.Unlock()
				if !f.accepted {
					time.Sleep(10 * time.Millisecond) // as clients wait, only sooner
				}
			}
		})
	}
	for range rounds {
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		h.milter.Kill()
		h.milter.Start(t)
	}
	time.Sleep(200 * time.Millisecond)
	close(stop)
	wg.Wait()
	return fates
}

// collect counts where every mail is.
func (h *house) collect(t *testing.T, fates map[string]*fate) {
	t.Helper()
	for _, d := range h.mta.Mailbox().All() {
		if f := fates[markOf(d)]; f != nil {
			f.delivered++
		}
	}
	out, status := h.milter.Run(t, "quarantine reindex")
	if status != 0 {
		t.Fatalf("reindex: status %d, %s", status, out)
	}
	if out, status = h.milter.Run(t, "quarantine list", "--limit", "0", "--json"); status != 0 {
		t.Fatalf("list: status %d, %s", status, out)
	}
	for line := range strings.Lines(out) {
		var row struct{ Subject string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		mark := strings.TrimPrefix(row.Subject, "clean ")
		if f := fates[mark]; f != nil {
			f.kept++
		} else {
			t.Errorf("%q is in the quarantine, and nobody has sent it", mark)
		}
	}
}
