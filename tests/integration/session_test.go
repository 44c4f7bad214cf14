package integration

import (
	"bytes"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// Several messages on one connection are judged each by itself, whatever was
// begun and given up between them.
func TestSeveralMessagesOnOneConnection(t *testing.T) {
	onEachMTA(t, answerRules, testSeveralMessagesOnOneConnection)
}

func testSeveralMessagesOnOneConnection(t *testing.T, h *house) {
	c := servers.DialSMTP(t, h.mta.SMTP())
	defer c.Close()
	first, third := clean("first"), clean("third")
	wantReply(t, "the first", c.Send(first), 250)
	wantReply(t, "an envelope that is given up", c.Envelope(infected()), 250)
	wantReply(t, "RSET", c.Cmd("RSET"), 250)
	wantReply(t, "a virus", c.Send(infected()), 550)
	wantReply(t, "the third", c.Send(third), 250)
	wantReply(t, "refused by rule", c.Send(from("reject")), 554)
	wantReply(t, "the last", c.Send(clean("last")), 250)
	c.Quit()
	h.mta.Settle(t)
	h.wantDelivered(t, map[string]bool{"first": true, "third": true, "last": true})
}

// A client that hangs up in the middle of a message leaves nothing behind that
// the next one would notice.
func TestHangUpInMidMessage(t *testing.T) { onEachMTA(t, "", testHangUpInMidMessage) }

func testHangUpInMidMessage(t *testing.T, h *house) {
	for range 3 {
		c := servers.DialSMTP(t, h.mta.SMTP())
		wantReply(t, "envelope", c.Envelope(infected()), 250)
		wantReply(t, "DATA", c.Cmd("DATA"), 354)
		if err := c.Write(infected().Data[:200]); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	wantReply(t, "a clean mail", h.send(clean("after")), 250)
	h.mta.Settle(t)
	h.wantDelivered(t, map[string]bool{"after": true})
}

// What the client is taken for is what milterscan is told: rules on addresses
// and logins work behind Postfix.
func TestClientIsKnown(t *testing.T) {
	h := newHouse(t, `
[[rule]]
name = "not from there"
client = ["192.0.2.0/24", "2001:db8::/32"]
auth = ["none"]
action = "reject"
reply = "550 5.7.1 Not from there"
`, "inet_protocols = all")
	for _, c := range []struct {
		name    string
		pretend []string
		code    int
	}{
		{"a listed address", []string{"ADDR=192.0.2.7", "NAME=mail.example.org"}, 550},
		{"a listed IPv6 address", []string{"ADDR=IPV6:2001:db8::7"}, 550},
		{"another address", []string{"ADDR=198.51.100.7"}, 250},
		{"a listed address with a login", []string{"ADDR=192.0.2.7", "LOGIN=joe"}, 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := servers.DialSMTP(t, h.mta.SMTP())
			defer s.Close()
			if r := s.Pretend(c.pretend...); !r.Accepted() {
				t.Fatalf("XCLIENT: %v", r)
			}
			wantReply(t, c.name, s.Send(clean(c.name)), c.code)
		})
	}
}

// A message of 25 MB passes as it is; one over the limit is refused for its
// size, not deferred.
func TestLargeMessages(t *testing.T) {
	onEachMTA(t, "[limits]\nmessage = \"30MB\"\n", testLargeMessages)
}

func testLargeMessages(t *testing.T, h *house) {
	large := letter(sample.Attached("large", sample.Noise("large.jpg", 19<<20, 3)))
	if mb := len(large.Data) >> 20; mb < 25 {
		t.Fatalf("the sample has %d MB", mb)
	}
	if d := h.deliver(t, large, 1)[0]; !unchanged(d, large.Data) {
		t.Error("25 MB arrived changed")
	}
	tooLarge := letter(sample.Attached("too large", sample.Noise("large.jpg", 24<<20, 3)))
	wantReply(t, "over the limit", h.send(tooLarge), 552, "5.3.4")
	virus := letter(sample.Attached("hidden", sample.Noise("large.jpg", 18<<20, 3), sample.EicarFile()))
	wantReply(t, "a virus behind 25 MB", h.send(virus), 550)
}

// What ends a message for one server and not for another, in the middle of a
// message: it stays one message.
func TestSmugglingMarks(t *testing.T) {
	h := newHouse(t, "", "smtpd_forbid_bare_newline = normalize", "smtpd_forbid_bare_newline_exclusions =")
	for _, mark := range []string{"\n", "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r.\n"} {
		m := clean("smuggled")
		m.Data = bytes.Replace(m.Data, []byte("here.\r\n"), []byte("here."+mark+"MAIL FROM:<evil@example.org>\r\n"), 1)
		t.Run(nameOf(mark), func(t *testing.T) {
			h.mta.Mailbox().Clear()
			r := h.send(m)
			h.mta.Settle(t)
			if n := h.mta.Mailbox().Count(); n > 1 || n == 0 && r.Code == 250 {
				t.Errorf("the client heard %v, and %d mails arrived", r, n)
			}
		})
	}
}

// nameOf spells line ends out.
func nameOf(mark string) string {
	return strings.NewReplacer("\r", "CR", "\n", "LF").Replace(mark)
}
