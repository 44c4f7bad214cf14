package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// Whatever moment milterscan is killed at, a client that heard 250 has its mail
// delivered. One that heard anything else still has it, and tries again.
func TestKillNineAtEndOfMessage(t *testing.T) {
	h := newHouse(t, "")
	rounds := 12
	if long() {
		rounds = 50
	}
	accepted := map[string]bool{}
	for i := range rounds {
		mark := fmt.Sprintf("round %d.", i)
		if h.killAround(t, i%2 == 1, clean(mark)).Code == 250 {
			accepted[mark] = true
		}
		h.clamd.Resume()
		h.milter.Start(t)
	}
	t.Logf("%d of %d mails were accepted before the crash", len(accepted), rounds)
	h.postfix.Settle(t)
	h.wantDelivered(t, accepted)
}

// killAround kills milterscan when it has the whole message: while it waits for
// clamd, or as soon as it has decided. It returns what the client heard, which
// must be no refusal.
func (h *house) killAround(t *testing.T, decided bool, m servers.Mail) servers.Reply {
	t.Helper()
	lines := h.verdicts()
	idle := descriptors(t, h.milter.Pid())
	if !decided {
		h.clamd.Pause()
	}
	answer := h.sendLater(m)
	servers.Await(t, "milterscan to be at the end of the message", func() bool {
		if decided {
			return h.verdicts() > lines
		}
		return h.askingClamd(t, idle)
	})
	h.milter.Kill()
	r := <-answer
	if r.Refused() {
		t.Errorf("the client heard %v", r)
	}
	return r
}

// askingClamd reports whether milterscan has a connection to the MTA and one
// more.
func (h *house) askingClamd(t *testing.T, idle int) bool {
	return descriptors(t, h.milter.Pid()) >= idle+2
}

// verdicts is how many messages milterscan has logged.
func (h *house) verdicts() int { return strings.Count(h.milter.Output(), `"msg":"message"`) }

// wantDelivered checks that exactly these mails have arrived, each once.
func (h *house) wantDelivered(t *testing.T, marks map[string]bool) {
	t.Helper()
	got := map[string]int{}
	for _, d := range h.postfix.Inbox.All() {
		got[markOf(d)]++
	}
	for mark := range marks {
		if got[mark] != 1 {
			t.Errorf("the mail %q was accepted and arrived %d times", mark, got[mark])
		}
	}
	for _, mark := range slices.Sorted(maps.Keys(got)) {
		if !marks[mark] {
			t.Errorf("the mail %q was not accepted and arrived", mark)
		}
	}
}

// markOf is what clean was told to mark the mail with.
func markOf(d servers.Delivered) string {
	_, rest, _ := strings.Cut(string(d.Mail), "\nSubject: clean ")
	mark, _, _ := strings.Cut(rest, "\n")
	return mark
}

// traffic sends n clean mails over several connections at once, one after the
// other on each, and remembers which were accepted.
type traffic struct {
	sent atomic.Int64

	mu       sync.Mutex
	accepted map[string]bool
	others   []servers.Reply // what clients heard that was not 250
}

func (h *house) traffic(n, connections int, mail func(mark string) servers.Mail) *traffic {
	tr := &traffic{accepted: map[string]bool{}}
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for {
				i := tr.sent.Add(1)
				if i > int64(n) {
					return
				}
				mark := fmt.Sprintf("mail %d.", i)
				tr.note(mark, h.send(mail(mark)))
			}
		})
	}
	wg.Wait()
	return tr
}

func (tr *traffic) note(mark string, r servers.Reply) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if r.Code == 250 {
		tr.accepted[mark] = true
	} else {
		tr.others = append(tr.others, r)
	}
}

// Told to end while mail passes, milterscan finishes what it has begun; what
// comes later is deferred until it is back. Nothing is lost.
func TestTerminatedUnderLoad(t *testing.T) {
	h := newHouse(t, "")
	n, rounds := 150, 2
	if long() {
		n, rounds = 1000, 5
	}
	tr := make(chan *traffic)
	go func() { tr <- h.traffic(n, 8, clean) }()
	for range rounds {
		before := h.verdicts()
		servers.Await(t, "mail to pass", func() bool { return h.verdicts() >= before+20 })
		h.milter.Terminate()
		servers.Await(t, "milterscan to end", h.milter.Ended)
		h.milter.Start(t)
	}
	all := <-tr
	for _, r := range all.others {
		if !r.Deferred() {
			t.Errorf("a client heard %v", r)
		}
	}
	t.Logf("%d accepted, %d deferred", len(all.accepted), len(all.others))
	h.postfix.Settle(t)
	h.wantDelivered(t, all.accepted)
}
