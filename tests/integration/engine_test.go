package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

// quick is a time budget short enough to wait for.
const quick = "[limits]\ntime = \"3s\"\n"

// While clamd is away mail is deferred, unless another engine is certain.
func TestEngineStopped(t *testing.T) {
	h := newHouse(t, quick)
	wantReply(t, "clean mail", h.send(clean("before")), 250)
	h.clamd.Stop()
	wantReply(t, "clean mail without clamd", h.send(clean("without")), 451, "4.")
	wantReply(t, "a virus without clamd", h.send(infected()), 550)
	h.clamd.Start(t)
	h.wantRecovery(t, 1)
}

// A clamd that accepts and never answers costs no more than the time budget.
func TestEngineHangs(t *testing.T) {
	h := newHouse(t, quick)
	h.clamd.Pause()
	begun := time.Now()
	wantReply(t, "clean mail with a hanging clamd", h.send(clean("hanging")), 451, "4.")
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the answer took %v, with a budget of 3s", took)
	}
	h.clamd.Resume()
	h.wantRecovery(t, 0)
}

// A clamd that dies while it reads: its mail is deferred or, if it was quick,
// delivered; none is lost and none is called infected.
func TestEngineKilledMidStream(t *testing.T) {
	h := newHouse(t, quick)
	accepted := 0
	for range 5 {
		answer := h.sendLater(letter(sample.Attached("photo", sample.Noise("photo.jpg", 8<<20, 7))))
		r := h.killWhenBusy(t, answer)
		switch {
		case r.Code == 250:
			accepted++
		case r.Code != 451:
			t.Errorf("the client heard %v", r)
		}
		h.clamd.Start(t)
	}
	h.wantRecovery(t, accepted)
	if strings.Contains(h.milter.Output(), "Eicar") {
		t.Error("a virus was found where there was none")
	}
}

// sendLater sends a mail in the background.
func (h *house) sendLater(m servers.Mail) <-chan servers.Reply {
	answer := make(chan servers.Reply, 1)
	go func() { answer <- h.send(m) }()
	return answer
}

// killWhenBusy kills clamd when somebody has connected to it, and returns what
// the client heard.
func (h *house) killWhenBusy(t *testing.T, answer <-chan servers.Reply) servers.Reply {
	t.Helper()
	idle := descriptors(t, h.clamd.Pid())
	var r servers.Reply
	servers.Await(t, "clamd to be asked", func() bool {
		select {
		case r = <-answer:
			return true
		default:
			return descriptors(t, h.clamd.Pid()) > idle
		}
	})
	h.clamd.Kill()
	if r.Code == 0 {
		r = <-answer
	}
	return r
}

func descriptors(t *testing.T, pid int) int {
	t.Helper()
	u, err := procstat.Read(pid)
	if err != nil {
		t.Fatal(err)
	}
	return u.Descriptors
}

// wantRecovery sends a clean mail until it is accepted, as its sender would, and
// checks that nothing but it and the mails accepted before has arrived.
func (h *house) wantRecovery(t *testing.T, before int) {
	t.Helper()
	m := clean("after recovery")
	servers.Await(t, "mail to pass again", func() bool { return h.send(m).Code == 250 })
	h.postfix.Settle(t)
	got := h.postfix.Inbox.All()
	if len(got) != before+1 {
		t.Errorf("%d mails arrived, not %d", len(got), before+1)
	}
	wantReply(t, "a virus after recovery", h.send(infected()), 550)
}
