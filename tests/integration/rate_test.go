package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// An account that somebody else has got hold of sends until its bucket is empty,
// and not after a restart either; the administrator is told, and others go on.
func TestHijackedAccount(t *testing.T) {
	needServers(t)
	mta := servers.StartPostfix(t, open)
	dir := t.TempDir()
	h := &house{mta: mta, engine: "unix:" + servers.StartClamd(t).Socket}
	h.join(t, ours+fmt.Sprintf("[submission]\nvia = \"smtp:%s\"\n\n[quarantine]\ndir = %q\n\n[notices]\ndir = %q\n\n[rate]\nfile = %q\n\n",
		mta.SMTP(), filepath.Join(dir, "quarantine"), filepath.Join(dir, "notices"), filepath.Join(dir, "rate.db"))+
		"[[rate.limit]]\nname = \"users\"\nby = \"user\"\nrecipients = 3\nper = \"1h\"\n\n"+
		"[[rule]]\nname = \"hijacked\"\nwhen = [\"rate/over/users\"]\naction = \"reject\"\nreply = \"550 5.7.1 Your account has sent too much; please call us.\"\nnotify = [\"admin@test.local\"]\n")
	send := func(user string, n int) servers.Reply {
		t.Helper()
		c := h.as(t, "ADDR=192.0.2.66", "LOGIN="+user)
		defer c.Quit()
		m := servers.Mail{From: user + "@test.local", Data: clean("offer").Data}
		for i := range n {
			m.To = append(m.To, fmt.Sprintf("x%d@example.net", i))
		}
		return c.Send(m)
	}
	wantReply(t, "a mail", send("joe", 1), 250)
	wantReply(t, "two recipients", send("joe", 2), 250)
	h.milter.Kill()
	h.milter.Start(t)
	wantReply(t, "one more", send("joe", 1), 550, "please call us")
	wantReply(t, "another user", send("ann", 3), 250)
	servers.Await(t, "the administrator to be told", func() bool {
		for _, d := range h.mta.Mailbox().All() {
			if d.Recipient == "admin@test.local" {
				return strings.Contains(string(d.Mail), "joe@test.local")
			}
		}
		return false
	})
}
