package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// zipped is a mail with the test virus where the built-in engine does not look:
// it finds it all the same, so engines are told apart by the names they give.
func zipped() servers.Mail {
	return letter(sample.Attached("zipped", sample.Zip("a.zip", sample.EicarFile())))
}

// overICAP is an entry for a c-icap in front of a clamd of its own.
func overICAP(t *testing.T, name, more string) (*servers.ICAP, string) {
	t.Helper()
	s := servers.StartICAP(t, servers.StartClamd(t))
	return s, fmt.Sprintf("\n[[virus]]\nname = %q\ntype = \"icap\"\naddress = %q\ntimeout = \"10s\"\n%s\n", name, s.URL("avscan"), more)
}

// foundBy returns what the log says of a virus that an engine has found.
func foundBy(engine string) string { return `"detail":"virus/` + engine + `: Eicar-Test.UNOFFICIAL"` }

// Several engines look at every mail; what one finds counts while the other is
// away, and each has its own failure policy.
func TestEnginesTogether(t *testing.T) {
	needServers(t)
	icap, entry := overICAP(t, "icap", `on_failure = "deliver"`)
	h := newHouse(t, entry)
	wantReply(t, "a virus", h.send(zipped()), 550)
	h.milter.Says(t, foundBy("icap"), foundBy("clamd"))
	h.clamd.Stop()
	wantReply(t, "clean mail without clamd", h.send(clean("no clamd")), 451)
	wantReply(t, "a virus without clamd", h.send(zipped()), 550)
	h.clamd.Start(t)
	icap.Kill()
	wantReply(t, "clean mail without c-icap, whose failure delivers", h.send(letter(sample.Plain("no icap", "What c-icap has not called clean before."))), 250)
	h.mta.Settle(t)
	if got := h.mta.Mailbox().All(); len(got) == 0 {
		t.Error("nothing arrived")
	} else if len(got) != 1 || !strings.Contains(string(got[0].Mail), "X-Milterscan: not scanned (virus/failed/icap)") {
		t.Errorf("what arrived does not say that an engine has not seen it: %d mails, the last one\n%s", len(got), got[len(got)-1].Mail)
	}
	wantReply(t, "a virus without c-icap", h.send(zipped()), 550)
}

// A backup is asked when its engine is away, and mail goes on.
func TestEngineBackup(t *testing.T) {
	needServers(t)
	icap, entry := overICAP(t, "spare", `backup_for = "clamd"`)
	h := newHouse(t, entry)
	wantReply(t, "a virus", h.send(zipped()), 550)
	h.milter.Says(t, foundBy("clamd"))
	if strings.Contains(h.milter.Output(), foundBy("spare")) {
		t.Error("the backup was asked while its engine was there")
	}
	h.clamd.Stop()
	wantReply(t, "clean mail without clamd", h.send(clean("no clamd")), 250)
	wantReply(t, "a virus without clamd", h.send(zipped()), 550)
	h.milter.Says(t, foundBy("spare"), "virus/backup")
	icap.Kill()
	fresh := letter(sample.Plain("none", "A text that nobody has called clean a moment ago."))
	wantReply(t, "clean mail without any of them", h.send(fresh), 451)
	h.clamd.Start(t)
	wantReply(t, "clean mail with clamd again", h.send(clean("again")), 250)
}

// A program is an engine: clamscan, on all parts in one run.
func TestEngineCommand(t *testing.T) {
	needServers(t)
	signatures := servers.StartClamd(t).Database()
	h := newHouse(t, fmt.Sprintf(`
[[virus]]
name = "clamscan"
type = "command"
command = ["/usr/bin/clamscan", "--database=%s", "--no-summary", "-r", "{dir}"]
signature = ": (\\S+) FOUND"
read = [%q]
timeout = "30s"
`, signatures, signatures))
	wantReply(t, "clean mail", h.send(clean("command")), 250)
	wantReply(t, "a virus", h.send(zipped()), 550)
	h.milter.Says(t, foundBy("clamscan"))
	h.clamd.Stop()
	wantReply(t, "a virus without clamd", h.send(zipped()), 550)
}
