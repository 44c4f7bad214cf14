// Package integration drives a real Postfix, a real Sendmail and a real clamd,
// with milterscan between them, and looks at what an SMTP client hears and what
// is delivered.
//
// The tests are skipped unless MILTERSCAN_E2E is set; then a server that is not
// installed is a failure. MILTERSCAN_SOAK makes the long ones as long as they
// are before a release.
package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// house is everything between an SMTP client and a mailbox.
type house struct {
	clamd  *servers.Clamd // nil where the engine is another
	engine string         // where the engine listens
	mta    servers.MTA
	milter *servers.Milterscan
}

// newHouse starts a house whose milterscan has the given configuration, added
// to one that asks a clamd, and whose Postfix has the given lines in main.cf.
func newHouse(t *testing.T, config string, mainCf ...string) *house {
	t.Helper()
	needServers(t)
	clamd := servers.StartClamd(t)
	h := &house{clamd: clamd, engine: "unix:" + clamd.Socket}
	h.start(t, config, mainCf...)
	return h
}

// newHouseAsking starts a house whose engine is something that speaks, or does
// not quite speak, clamd's protocol at the address.
func newHouseAsking(t *testing.T, engine string) *house {
	t.Helper()
	needServers(t)
	h := &house{engine: engine}
	h.start(t, "")
	return h
}

// onEachMTA runs a test in a house with a Postfix and in one with a Sendmail.
func onEachMTA(t *testing.T, config string, test func(*testing.T, *house)) {
	t.Helper()
	needServers(t)
	t.Run("postfix", func(t *testing.T) { test(t, newHouse(t, config)) })
	t.Run("sendmail", func(t *testing.T) {
		clamd := servers.StartClamd(t)
		h := &house{clamd: clamd, engine: "unix:" + clamd.Socket, mta: servers.StartSendmail(t)}
		h.join(t, config)
		test(t, h)
	})
}

func (h *house) start(t *testing.T, config string, mainCf ...string) {
	t.Helper()
	h.mta = servers.StartPostfix(t, mainCf...)
	h.join(t, config)
}

// join starts milterscan where the MTA looks for it.
func (h *house) join(t *testing.T, config string) {
	t.Helper()
	h.milter = servers.StartMilterscan(t, h.mta.MilterSocket(), asking(h.engine, config))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("milterscan's log:\n%s", last(h.milter.Output(), 6000))
			t.Logf("the MTA's log:\n%s", last(h.mta.Log(), 3000))
		}
	})
}

// engineTimeout is how long the engine may take: short enough for a test to
// wait for its end, long enough for 25 MB on a busy machine.
const engineTimeout = 10 * time.Second

// asking is the configuration with the engine in it.
func asking(engine, config string) string {
	return config + fmt.Sprintf("\n[[virus]]\nname = \"clamd\"\ntype = \"clamd\"\naddress = %q\ntimeout = \"%v\"\n", engine, engineTimeout)
}

// needServers skips the test where nothing but Go is wanted.
func needServers(t testing.TB) {
	t.Helper()
	if os.Getenv("MILTERSCAN_E2E") == "" {
		t.Skip("set MILTERSCAN_E2E=1 to start real servers")
	}
}

// long is whether tests are to be as long as before a release.
func long() bool { return os.Getenv("MILTERSCAN_SOAK") != "" }

// send sends one mail over a connection of its own.
func (h *house) send(m servers.Mail) servers.Reply { return servers.Send(h.mta.SMTP(), m) }

// letter is a mail from example.org to user@test.local.
func letter(data []byte) servers.Mail {
	return servers.Mail{From: "sender@example.org", To: []string{"user@test.local"}, Data: data}
}

// clean is a mail nobody objects to; the mark tells it from others.
func clean(mark string) servers.Mail {
	return letter(sample.Plain("clean "+mark, "Nothing to see here.\r\nReally."))
}

// infected is a mail with the test virus.
func infected() servers.Mail { return letter(sample.Attached("notes", sample.EicarFile())) }

// program is a mail with a file nobody should start.
func program() servers.Mail {
	return letter(sample.Attached("setup", sample.Program("setup.exe")))
}

// wantReply checks the code and that the text holds some words.
func wantReply(t *testing.T, what string, got servers.Reply, code int, words ...string) {
	t.Helper()
	if got.Code != code {
		t.Errorf("%s: the client heard %v, not %d", what, got, code)
	}
	for _, w := range words {
		if !strings.Contains(got.Text, w) {
			t.Errorf("%s: the client heard %v, without %q", what, got, w)
		}
	}
}

// unchanged reports whether the delivered mail is the sent one, below the trace
// fields that the MTA puts on top.
func unchanged(d servers.Delivered, sent []byte) bool { return below(string(d.Mail), sent) }

// unchangedButReleased reports whether the delivered mail is the sent one, below the field
// that says it was released, and the MTA's.
func unchangedButReleased(d servers.Delivered, sent []byte) bool {
	first, rest, _ := strings.Cut(string(d.Mail), "\n")
	return strings.HasPrefix(first, token.Released+": id=") && below(rest, sent)
}

func below(mail string, sent []byte) bool {
	return strings.HasSuffix(mail, asDelivered(sent)) &&
		strings.HasPrefix(mail, "Received: ") &&
		strings.Count(strings.TrimSuffix(mail, asDelivered(sent)), "\n") == 3
}

// asDelivered is the mail with the line ends of a mailbox.
func asDelivered(sent []byte) string { return strings.ReplaceAll(string(sent), "\r\n", "\n") }

func last(s string, n int) string { return s[max(0, len(s)-n):] }
