package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// bounceKeys writes a file of keys, each a name and a letter of which its secret
// is made.
func bounceKeys(t *testing.T, path string, keys ...string) {
	t.Helper()
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "%s %s\n", k, strings.Repeat(k[:2], 32))
	}
	if err := os.WriteFile(path+".new", []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// bounceOf is what a server elsewhere sends back to the sender of a mail.
func bounceOf(header string) servers.Mail {
	return servers.Mail{To: []string{"joe@test.local"}, Data: []byte("From: MAILER-DAEMON@example.net\r\nTo: joe@test.local\r\nSubject: failed\r\nAuto-Submitted: auto-replied\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; x@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
		"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + header + "\r\n--b--\r\n")}
}

// A mail of ours goes out marked, and its bounce comes in; one that quotes no
// mark does not. So it stays while a new key takes the place of the old one.
func TestBounces(t *testing.T) {
	needServers(t)
	keys := filepath.Join(t.TempDir(), "keys")
	bounceKeys(t, keys, "aa1")
	h := newHouse(t, ours+fmt.Sprintf("[bounce]\nkeys = %q\n\n", keys)+
		"[[rule]]\nname = \"bounces\"\nwhen = [\"bounce/not-ours\", \"bounce/forged-mark\", \"bounce/expired-mark\"]\naction = \"reject\"\nreply = \"550 5.7.1 You bounce what we did not send.\"\n", open)
	send := func() (header string) {
		t.Helper()
		h.mta.Mailbox().Clear()
		c := h.as(t)
		defer c.Quit()
		m := servers.Mail{From: "joe@test.local", To: []string{"x@example.net"}, Data: clean("outbound").Data}
		wantReply(t, "outbound", c.Send(m), 250)
		mark := headerOf(t, h.mta.Mailbox().One(t)).Get("X-Milterscan-Mark")
		if mark == "" {
			t.Error("what goes out has no mark")
		}
		return "Subject: clean outbound\r\nX-Milterscan-Mark: " + mark + "\r\nFrom: joe@test.local\r\n"
	}
	receive := func(what, header string, code int, words ...string) {
		t.Helper()
		c := h.as(t, "ADDR=192.0.2.1")
		defer c.Quit()
		wantReply(t, what, c.Send(bounceOf(header)), code, words...)
	}
	first := send()
	receive("a bounce of ours", first, 250)
	receive("a bounce without a mark", "Subject: offer\r\nFrom: joe@test.local\r\n", 550, "did not send")
	receive("a forged mark", strings.Replace(first, "Mark: 1.", "Mark: 2.", 1), 550)

	bounceKeys(t, keys, "bb2", "aa1")
	second := send()
	receive("of the old key", first, 250)
	receive("of the new key", second, 250)
	bounceKeys(t, keys, "bb2")
	receive("of a key that is gone", first, 550)
	if err := os.Chmod(keys, 0o644); err != nil {
		t.Fatal(err)
	}
	receive("nobody knows", "Subject: offer\r\n", 250)
	if got := h.found(t); len(got) != 1 || got[0] != "bounce/failed" {
		t.Errorf("found %v", got)
	}
}
