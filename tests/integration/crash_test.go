package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// Whatever moment milterscan is killed at, a client that heard 250 has its mail
// delivered. One that heard anything else still has it, and tries again.
func TestKillNineAtEndOfMessage(t *testing.T) {
	needServers(t)
	quick, mute := &fakes.Clamd{}, &fakes.Clamd{Mute: true}
	engines := []string{quick.Start(t, "unix"), mute.Start(t, "unix")}
	h := newHouseAsking(t, engines[0])
	rounds := 12
	if long() {
		rounds = 50
	}
	accepted := map[string]bool{}
	for i := range rounds {
		asked, decided := len(mute.Got()), h.verdicts()
		now := []func() bool{
			func() bool { return h.verdicts() > decided },
			func() bool { return len(mute.Got()) > asked },
		}[i%2]
		mark := fmt.Sprintf("round %d.", i)
		if h.killWhen(t, now, clean(mark)).Code == 250 {
			accepted[mark] = true
		}
		h.milter.Configure(t, asking(engines[(i+1)%2], ""))
		h.milter.Start(t)
	}
	t.Logf("%d of %d mails were accepted before the crash", len(accepted), rounds)
	h.mta.Settle(t)
	h.wantDelivered(t, accepted)
}

// killWhen sends a mail and kills milterscan at a certain moment of it. It
// returns what the client heard, which must be no refusal.
func (h *house) killWhen(t *testing.T, now func() bool, m servers.Mail) servers.Reply {
	t.Helper()
	answer := h.sendLater(m)
	servers.Await(t, "the moment of the crash", now)
	h.milter.Kill()
	r := <-answer
	if r.Refused() {
		t.Errorf("the client heard %v", r)
	}
	return r
}

// verdicts is how many messages milterscan has logged.
func (h *house) verdicts() int { return strings.Count(h.milter.Output(), `"msg":"message"`) }

// wantDelivered checks that exactly these mails have arrived, each once.
func (h *house) wantDelivered(t *testing.T, marks map[string]bool) {
	t.Helper()
	got := map[string]int{}
	for _, d := range h.mta.Mailbox().All() {
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

// traffic is n mails over several connections at once, and what their senders
// heard.
type traffic struct {
	sent atomic.Int64

	mu       sync.Mutex
	accepted map[string]bool
	others   []servers.Reply // what was final and not 250
	deferred int
}

// traffic sends n mails, each again for as long as it is deferred, as mail
// servers do, only sooner.
func (h *house) traffic(n, connections int, mail func(mark string) servers.Mail) *traffic {
	tr := &traffic{accepted: map[string]bool{}}
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for i := tr.sent.Add(1); i <= int64(n); i = tr.sent.Add(1) {
				h.insist(tr, mail, i)
			}
		})
	}
	wg.Wait()
	return tr
}

func (h *house) insist(tr *traffic, mail func(mark string) servers.Mail, i int64) {
	mark := fmt.Sprintf("mail %d.", i)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if tr.note(mark, h.send(mail(mark))) {
			return
		}
	}
	tr.note(mark, servers.Reply{Text: "deferred for a minute"})
}

// note reports whether the reply is final.
func (tr *traffic) note(mark string, r servers.Reply) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case r.Deferred():
		tr.deferred++
		return false
	case r.Code == 250:
		tr.accepted[mark] = true
	default:
		tr.others = append(tr.others, r)
	}
	return true
}

// Told to end while mail passes, milterscan finishes what it has begun; what
// comes later is deferred until it is back. All mail arrives, once.
func TestTerminatedUnderLoad(t *testing.T) {
	h := newHouse(t, "")
	n, rounds := 150, 2
	if long() {
		n, rounds = 1000, 5
	}
	result := make(chan *traffic)
	go func() { result <- h.traffic(n, 8, clean) }()
	for range rounds {
		before := h.verdicts()
		servers.Await(t, "mail to pass", func() bool { return h.verdicts() >= before+20 })
		h.milter.Terminate()
		servers.Await(t, "milterscan to end", h.milter.Ended)
		h.milter.Start(t)
	}
	tr := <-result
	for _, r := range tr.others {
		t.Errorf("a client heard %v", r)
	}
	t.Logf("%d mails accepted, after %d deferrals", len(tr.accepted), tr.deferred)
	h.mta.Settle(t)
	h.wantDelivered(t, tr.accepted)
}
