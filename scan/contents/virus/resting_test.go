package virus

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

// patient returns an engine whose sessions rest for as long as a test may take, and where they do.
func patient(t *testing.T, address string) (*Engine, *resting) {
	t.Helper()
	e := engine(t, address)
	r := e.servers[0].Server.(clamd).resting
	r.hold, r.life = time.Hour, time.Hour
	return e, r
}

// wantVerdicts has an engine look at a mail with a virus and one without, neither of which it has seen.
func wantVerdicts(t *testing.T, e *Engine, mail string) {
	t.Helper()
	if found, err := e.Scan(t.Context(), two("hello "+mail, "evil "+mail)); err != nil || len(found) != 1 || found[0].Part != 1 {
		t.Errorf("%s: found %v, error %v; want part 1 infected", mail, found, err)
	}
	if found, err := e.Scan(t.Context(), two("good day "+mail, "well "+mail)); err != nil || len(found) != 0 {
		t.Errorf("%s: found %v, error %v; want nothing", mail, found, err)
	}
}

// within waits until a condition holds.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after a minute: not %s", what)
		}
	}
}

// TestSessionServesManyMessages: one session is enough for messages one after the other.
func TestSessionServesManyMessages(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{Virus: "evil"}
		e, _ := patient(t, fake.Start(t, network))
		for i := range 5 {
			wantVerdicts(t, e, fmt.Sprint("mail ", i))
		}
		if n := fake.Sessions(); n != 1 {
			t.Errorf("%d sessions for messages one after the other", n)
		}
	})
}

// TestSessionDiesWhileItRests: whatever becomes of a session between two messages, neither waits in vain, and
// none is called clean that was not looked at.
func TestSessionDiesWhileItRests(t *testing.T) {
	for name, words := range map[string]string{
		"crash":         "",
		"time over":     "COMMAND READ TIMED OUT\n",
		"error":         "Error processing command. ERROR\x00",
		"answers again": "4: fd[10]: OK\x005: fd[10]: OK\x006: fd[10]: OK\x00",
	} {
		t.Run(name, func(t *testing.T) {
			networks(t, func(t *testing.T, network string) {
				fake := &fakes.Clamd{Virus: "evil"}
				e, r := patient(t, fake.Start(t, network))
				wantVerdicts(t, e, "before")
				fake.EndSessions(words)
				wantVerdicts(t, e, "after")
				if n := len(r.all); n != 1 {
					t.Errorf("%d sessions rest", n)
				}
			})
		})
	}
}

// TestSessionDiesWhenItIsUsed: a message whose session ends with its first question, or its last, is asked about again.
func TestSessionDiesWhenItIsUsed(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		for _, at := range []int{4, 6} {
			fake := &fakes.Clamd{Virus: "evil", DropWhen: at}
			e, _ := patient(t, fake.Start(t, network))
			wantVerdicts(t, e, "mail")
			if n := fake.Sessions(); n != 2 {
				t.Errorf("%d sessions, want one that dies and one that answers", n)
			}
		}
	})
}

// TestSessionAnswersBeforehand: an answer to a question that has not been asked is none.
func TestSessionAnswersBeforehand(t *testing.T) {
	fake := &fakes.Clamd{Virus: "evil"}
	e, _ := patient(t, fake.Start(t, "unix"))
	wantVerdicts(t, e, "before")
	fake.EndSessions("7: fd[10]: OK\x008: fd[10]: OK\x009: fd[10]: OK\x00")
	wantVerdicts(t, e, "after")
}

// TestSessionOfOldClamd: clamd was started again, and nobody is there for the sessions of the first one.
func TestSessionOfOldClamd(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{Virus: "nothing"}
		address := fake.Start(t, network)
		e, _ := patient(t, address)
		if _, err := e.Scan(t.Context(), two("a", "b")); err != nil {
			t.Fatal(err)
		}
		fake.Stop()
		again := &fakes.Clamd{Virus: "evil"}
		_, at, _ := units.ParseAddress(address)
		again.StartAt(t, network, at)
		wantVerdicts(t, e, "again")
	})
}

// TestSessionsEnd: none rests for longer than it may, and none that a message left behind.
func TestSessionsEnd(t *testing.T) {
	fake := &fakes.Clamd{}
	e, r := patient(t, fake.Start(t, "unix"))
	r.hold = time.Millisecond
	if _, err := e.Scan(t.Context(), two("a", "b")); err != nil {
		t.Fatal(err)
	}
	within(t, "all connections closed", func() bool { return fake.Open() == 0 })

	mute := &fakes.Clamd{Mute: true}
	e, r = patient(t, mute.Start(t, "unix"))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := e.Scan(ctx, two("a", "b")); err == nil || len(r.all) > 0 {
		t.Errorf("error %v, %d sessions rest", err, len(r.all))
	}
}

// TestSessionGrowsOld: a session is not used for ever.
func TestSessionGrowsOld(t *testing.T) {
	fake := &fakes.Clamd{Virus: "evil"}
	e, r := patient(t, fake.Start(t, "unix"))
	r.life = 0
	wantVerdicts(t, e, "mail")
	if n := fake.Sessions(); n != 2 {
		t.Errorf("%d sessions, want one for each message", n)
	}
}
