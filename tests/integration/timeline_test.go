package integration

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// reading is a configuration that reads the log of an MTA.
func reading(file string) string { return fmt.Sprintf("[mta_log]\nfile = %q\n", file) }

// story returns what explain prints of a message, as soon as it has a record, a word, and
// lines with the given expressions, one after the other. A word alone may be there before
// the MTA has written its last line, in what explain says itself.
func story(t *testing.T, m *servers.Milterscan, key, word string, expressions ...string) (out string) {
	t.Helper()
	missing := "verdict "
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		out, _ = m.Run(t, "explain", key)
		if missing = outOfOrder(out, expressions); missing == "" && strings.Contains(out, "verdict ") && strings.Contains(out, word) {
			return out
		}
	}
	t.Errorf("explain %s: %q is missing, or %q is not there, or out of order:\n%s", key, word, missing, out)
	return out
}

// outOfOrder returns the first of the expressions of which no line is there after those of
// the ones before it, or nothing.
func outOfOrder(text string, expressions []string) string {
	for _, e := range expressions {
		at := regexp.MustCompile(e).FindStringIndex(text)
		if at == nil {
			return e
		}
		text = text[at[1]:]
	}
	return ""
}

// inOrder checks that a text has lines with the given expressions, one after the other.
func inOrder(t *testing.T, text string, expressions ...string) {
	t.Helper()
	if missing := outOfOrder(text, expressions); missing != "" {
		t.Errorf("%q is not there, or out of order:\n%s", missing, text)
	}
}

// named is a clean mail with a Message-ID.
func named(id, to string) servers.Mail {
	m := clean(id)
	m.To = []string{to}
	m.Data = withID(m.Data, id)
	return m
}

var messageID = regexp.MustCompile(`(?m)^Message-I[Dd]: .*\r\n`)

// withID gives a mail a Message-ID instead of its own.
func withID(data []byte, id string) []byte {
	return append([]byte("Message-ID: <"+id+">\r\n"), messageID.ReplaceAll(data, nil)...)
}

// stages is what comes before the MTA's lines.
var stages = []string{"connect ", "helo ", "mail ", "rcpt ", "message "}

// told waits until explain prints the stages, and then lines of the MTA's log, in order.
func (h *house) told(t *testing.T, key, word string, expressions ...string) string {
	t.Helper()
	return story(t, h.milter, key, word, append(stages[:len(stages):len(stages)], expressions...)...)
}

// route returns a route of transport_maps to an address.
func route(transport, addr string) string {
	ip, port, _ := strings.Cut(addr, ":")
	return transport + ":[" + ip + "]:" + port
}

// TestTimelinePostfix reads what a real Postfix logs: mail that is delivered to another
// host, bounced, deferred, held and let go, refused, filtered and taken in again; with
// ids of both kinds, over a rotation, and over the end of the daemon.
func TestTimelinePostfix(t *testing.T) {
	for _, long := range []string{"no", "yes"} {
		t.Run("long ids "+long, func(t *testing.T) {
			next := &fakes.SMTP{Replies: map[string]string{".": "250 2.0.0 Ok: queued as 4NEXT"}}
			refuses := &fakes.SMTP{Replies: map[string]string{"RCPT": "550 5.1.1 no such user"}}
			back := servers.FreeAddr(t)
			h := newHouse(t, "", "enable_long_queue_ids = "+long, "relay_domains = relay.test bounce.test later.test filter.test",
				"transport_maps = inline:{ {relay.test = "+route("smtp", next.Start(t))+"}, {bounce.test = "+route("smtp", refuses.Start(t))+"}, "+
					"{later.test = "+route("smtp", servers.FreeAddr(t))+"}, {filter.test = virtual:} }",
				"smtpd_recipient_restrictions = check_recipient_access inline:{ {filter.test = FILTER "+route("again", back)+"} }, permit_mynetworks, reject")
			p := h.mta.(*servers.Postfix)
			p.AddServices(t, "smtp unix - - n - - smtp\nagain unix - - n - - smtp\n  -o syslog_name=postfix-out\n"+
				back+" inet n - y - 2 smtpd\n  -o syslog_name=postfix-back\n  -o smtpd_milters=\n  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n  -o cleanup_service_name=cleanback\n"+
				"cleanback unix n - y - 0 cleanup\n  -o syslog_name=postfix-back\n")
			h.makeVault(t, reading(p.LogFile())+"[[rule]]\nname = \"held\"\nfrom = [\"hold@example.org\"]\naction = \"hold\"\n")
			h.timelinePostfix(t, p)
			h.timelineOfRelease(t)
		})
	}
}

func (h *house) timelinePostfix(t *testing.T, p *servers.Postfix) {
	wantReply(t, "mail for another host", h.send(named("m1@example.org", "b@relay.test")), 250)
	out := h.told(t, "m1@example.org", "removed ", "verdict +deliver", "active +sender@example.org, size",
		"sent +b@relay.test: 250 2.0.0 Ok: queued as 4NEXT from 127.*, .* s after it came", "removed ", "last: b@relay.test sent")
	inOrder(t, out, "mail ", "queued .*from .*127", "message ", "message-id +<m1@example.org>", "verdict ")

	wantReply(t, "mail that bounces", h.send(named("m2@example.org", "b@bounce.test")), 250)
	h.told(t, "m2@example.org", "removed ", "bounced +b@bounce.test: host 127.* said: 550 5.1.1 no such user", "notified +sender non-delivery notification", "active +<>, ", "last: b@bounce.test bounced")

	p.Rotate(t)
	wantReply(t, "mail that waits", h.send(named("m3@example.org", "b@later.test")), 250)
	out = h.told(t, "m3@example.org", "deferred ", "deferred +b@later.test: connect to .* Connection refused", "last: b@later.test deferred")
	h.milter.Kill()
	id := regexp.MustCompile(`queue id: (\w+)`).FindStringSubmatch(out)[1]
	p.Super(t, "-h", id)
	p.Rotate(t)
	p.Super(t, "-H", id)
	p.Super(t, "-d", id)
	h.milter.Start(t)
	h.told(t, id, "removed", "deferred ", "held +placed on hold", "freed +released from hold", "removed +removed")

	wantReply(t, "mail through a filter", h.send(named("m4@example.org", "b@filter.test")), 250)
	out = h.told(t, "m4@example.org", "sent ", "sent +b@filter.test: 250 2.0.0 Ok: queued as")
	after := regexp.MustCompile(`queued as (\w+)`).FindStringSubmatch(out)[1]
	h.told(t, after, "postfix "+after, "sent ", "postfix "+after, "last: b@filter.test sent")

	m := named("m5@example.org", "b@relay.test")
	m.From = "hold@example.org"
	wantReply(t, "mail that is held", h.send(m), 250)
	out = h.told(t, "m5@example.org", "held ", "verdict +hold", "held +milter-hold: END-OF-MESSAGE")
	p.Release(t, regexp.MustCompile(`queue id: (\w+)`).FindStringSubmatch(out)[1])
	h.told(t, "m5@example.org", "last: b@relay.test sent", "held ", "freed ", "sent ", "removed ")

	m = named("m6@example.org", "user@test.local")
	m.Data = withID(infected().Data, "m6@example.org")
	wantReply(t, "a virus", h.send(m), 250)
	h.told(t, "m6@example.org", "refused ", "verdict +quarantine", "refused +milter-discard: END-OF-MESSAGE")
}

// timelineOfRelease shows a release in the story of the kept message.
func (h *house) timelineOfRelease(t *testing.T) {
	id := h.list(t)[0].ID
	if out, status := h.milter.Run(t, "quarantine release", "--infected", id); status != 0 {
		t.Fatalf("%d %s", status, out)
	}
	h.told(t, id, "last: user@test.local sent", "verdict +quarantine", "release +by ", "the release was judged: deliver", "released +by .*queued as", "sent +user@test.local", "removed")
}

// TestTimelineSendmail reads what a real Sendmail logs.
func TestTimelineSendmail(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	clamd := servers.StartClamd(t)
	s := servers.StartSendmail(t)
	h := &house{clamd: clamd, engine: "unix:" + clamd.Socket, mta: s}
	h.join(t, "")
	h.makeVault(t, reading(s.LogFile())+"[[rule]]\nname = \"held\"\nfrom = [\"hold@example.org\"]\naction = \"hold\"\n")
	wantReply(t, "clean mail", h.send(named("m1@example.org", "user@test.local")), 250)
	h.told(t, "m1@example.org", "sent ", "verdict +deliver", "sent +user@test.local: Sent", "last: user@test.local sent")
	story(t, h.milter, "m1@example.org", "sent ", "mail ", "queued +from localhost", "message ")
	m := named("m2@example.org", "user@test.local")
	m.From = "hold@example.org"
	wantReply(t, "mail that is held", h.send(m), 250)
	out := h.told(t, "m2@example.org", "held ", "verdict +hold", "held +milter=milterscan, quarantine=held")
	s.Release(t, regexp.MustCompile(`queue id: (\w+)`).FindStringSubmatch(out)[1])
	h.told(t, "m2@example.org", "sent ", "held ", "freed ", "sent +user@test.local: Sent")
	m.From, m.Data = "sender@example.org", withID(infected().Data, "m3@example.org")
	wantReply(t, "a virus", h.send(m), 250)
	h.told(t, "m3@example.org", "refused ", "verdict +quarantine", "refused +Milter: data, discard")
	if text, _ := os.ReadFile(s.LogFile()); t.Failed() {
		defer func() {
			if t.Failed() {
				t.Logf("%s", text)
			}
		}()
	}
}

// TestTimelineExim looks into the log of a real Exim, which asks no milter: mail is
// joined by its Message-ID.
func TestTimelineExim(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	e := servers.StartExim(t, servers.InFront, alone+"[history]\nfile = \"@dir@/kept/history.db\"\n")
	wantReply(t, "clean mail", servers.Send(e.Addr, named("m1@example.org", "user@test.local")), 250)
	e.Inbox.One(t)
	m := named("m2@example.org", "user@test.local")
	m.Data = withID(infected().Data, "m2@example.org")
	wantReply(t, "a virus", servers.Send(e.Addr, m), 250)
	servers.Await(t, "the bounce", func() bool { return e.Inbox.Count() == 2 })
	text, _ := os.ReadFile(e.LogFile())
	defer func() {
		if t.Failed() {
			t.Logf("%s", text)
		}
	}()
	for id, want := range map[string][]string{
		"m1@example.org": {"queued ", "verdict +deliver", "sent +user@test.local", "removed"},
		"m2@example.org": {"queued ", "verdict +reject", "bounced +user@test.local", "queued +from local Debian-exim", "removed"},
	} {
		out, status := e.Explain(t, "--mta-log", e.LogFile(), id)
		if status != 0 {
			t.Errorf("%s: %d", id, status)
		}
		inOrder(t, out, want...)
	}
}
