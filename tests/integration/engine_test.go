package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// While clamd is away mail is deferred, unless another engine is certain.
func TestEngineStopped(t *testing.T) {
	h := newHouse(t, "")
	wantReply(t, "clean mail", h.send(clean("before")), 250)
	h.clamd.Stop()
	wantReply(t, "clean mail without clamd", h.send(clean("without")), 451, "4.")
	wantReply(t, "a virus without clamd", h.send(infected()), 550)
	h.clamd.Start(t)
	h.wantRecovery(t, 1)
}

// A clamd that accepts and never answers costs no more than the time it was given.
func TestEngineHangs(t *testing.T) {
	h := newHouse(t, "")
	h.clamd.Pause()
	begun := time.Now()
	wantReply(t, "clean mail with a hanging clamd", h.send(clean("hanging")), 451, "4.")
	if took := time.Since(begun); took > 2*engineTimeout {
		t.Errorf("the answer took %v, with a limit of %v", took, engineTimeout)
	}
	h.clamd.Resume()
	h.wantRecovery(t, 0)
}

// A clamd that dies while it reads: its mail is deferred or, if it was quick,
// delivered; none is lost and none is called infected.
func TestEngineKilledMidStream(t *testing.T) {
	h := newHouse(t, "")
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
	if strings.Contains(h.milter.Output(), "infected") {
		t.Error("a virus was found where there was none")
	}
	h.wantRecovery(t, accepted)
}

// An engine that says anything but one clear verdict, or says nothing, has said
// nothing: the mail is deferred, none is called clean and none infected.
func TestEngineTalksNonsense(t *testing.T) {
	needServers(t)
	for name, engine := range map[string]*fakes.Clamd{
		"garbage":             {Answer: "what?\x00"},
		"an error":            {Answer: "%d: stream: Can't allocate memory ERROR\x00"},
		"another's verdict":   {Answer: "4711: stream: OK\x00"},
		"closes at once":      {Hangup: true},
		"closes after a byte": {DropAfter: 1},
		"closes, no verdict":  {DropWhen: 1},
		"reads, says nothing": {Mute: true},
		"does not read":       {Deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouseAsking(t, engine.Start(t, "unix"))
			wantReply(t, name, h.send(clean("nonsense")), 451, "4.")
			wantReply(t, name+", and a virus", h.send(infected()), 550)
			if h.mta.Settle(t); h.mta.Mailbox().Count() > 0 {
				t.Error("mail arrived that nobody has examined")
			}
		})
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
	return usage(t, pid).Descriptors
}

// wantRecovery sends a clean mail until it is accepted, as its sender would, and
// checks that nothing but it and the mails accepted before has arrived.
func (h *house) wantRecovery(t *testing.T, before int) {
	t.Helper()
	m := clean("after recovery")
	servers.Await(t, "mail to pass again", func() bool { return h.send(m).Code == 250 })
	h.mta.Settle(t)
	got := h.mta.Mailbox().All()
	if len(got) != before+1 {
		t.Errorf("%d mails arrived, not %d", len(got), before+1)
	}
	wantReply(t, "a virus after recovery", h.send(infected()), 550)
}
