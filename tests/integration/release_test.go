package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// newVault starts a house that keeps infected mail below dir, remembers what it
// did there, and sends what is released through its own Postfix.
func newVault(t *testing.T, config string) (h *house, dir string) {
	t.Helper()
	h = newHouse(t, "")
	return h, h.makeVault(t, config)
}

// makeVault has the milterscan of a house do that.
func (h *house) makeVault(t *testing.T, config string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "var")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.milter.Configure(t, h.vault(dir, h.mta.SMTP())+config)
	h.milter.Stop()
	h.milter.Start(t)
	t.Cleanup(func() { h.milter.End(t) }) // before the directory goes
	return dir
}

// vault is a configuration that keeps and remembers below dir, and sends by a
// server.
func (h *house) vault(dir, server string) string {
	return asking(h.engine, fmt.Sprintf("[submission]\nvia = \"smtp:%s\"\n[history]\nfile = %q\n[notices]\ndir = %q\n", server, filepath.Join(dir, "history.db"), filepath.Join(dir, "notices"))) +
		keepInfected(filepath.Join(dir, "quarantine"))
}

// kept is what "quarantine list --json" says of a message.
type kept struct {
	ID, State, Class, Reason, Sender string
	Recipients                       []string
}

// list is what the quarantine holds, newest first.
func (h *house) list(t *testing.T, filter ...string) []kept {
	t.Helper()
	out, status := h.milter.Run(t, "quarantine list", append(filter, "--json")...)
	if status != 0 {
		t.Fatalf("quarantine list: status %d, %s", status, out)
	}
	var rows []kept
	for line := range strings.Lines(out) {
		var k kept
		if err := json.Unmarshal([]byte(line), &k); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		rows = append(rows, k)
	}
	return rows
}

// A released message arrives as it was sent, though its virus is still known; it
// is released once, and nobody sees what let it through.
func TestRelease(t *testing.T) {
	h, dir := newVault(t, "")
	m := infected()
	wantReply(t, "a virus", h.send(m), 250)
	rows := h.list(t)
	if len(rows) != 1 || rows[0].State != "kept" || rows[0].Class != "infected" || rows[0].Recipients[0] != "user@test.local" {
		t.Fatalf("the quarantine holds %+v", rows)
	}
	id := rows[0].ID
	if out, status := h.milter.Run(t, "quarantine release", id); status == 0 || !strings.Contains(out, "--infected") {
		t.Errorf("release without a word: status %d, %s", status, out)
	}
	if out, status := h.milter.Run(t, "quarantine release", id, "--infected"); status != 0 {
		t.Fatalf("release: status %d, %s", status, out)
	}
	if d := h.mta.Mailbox().One(t); !unchangedButReleased(d, m.Data) || d.Sender != m.From {
		t.Errorf("from %s arrived\n%s", d.Sender, d.Mail)
	}
	if out, _ := h.milter.Run(t, "quarantine show", id, "--json"); !strings.Contains(out, `"what":"passed"`) || !strings.Contains(out, `"what":"released"`) {
		t.Errorf("that it came past is not known: %s", out)
	}
	if out, status := h.milter.Run(t, "quarantine release", id, "--infected"); status == 0 || !strings.Contains(out, "released already") {
		t.Errorf("released twice: status %d, %s", status, out)
	}
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
	audit, err := os.ReadFile(filepath.Join(dir, "quarantine", "audit.log"))
	if err != nil || !strings.Contains(string(audit), id) {
		t.Errorf("audit log %q, %v", audit, err)
	}
}

// oddInfected is a mail with the test virus and bytes that MTAs treat with care:
// long lines, dots, 8 bits, lone CRs, blanks at ends of lines, and no end of the
// last line.
func oddInfected() servers.Mail {
	m := infected()
	epilogue := ".\r\n..\r\n" + strings.Repeat("long ", 1500) + "\r\n\xfc\xe4 in Latin-1  \r\nFrom here on\r\na lone\rCR\r\n\r\n\r\n.last"
	m.Data = append(m.Data, epilogue...)
	return m
}

// Whatever an MTA does to a mail on its way, it is let through when it is
// released.
func TestReleaseOfOddBytes(t *testing.T) {
	onEachMTA(t, "", func(t *testing.T, h *house) {
		h.makeVault(t, "")
		for name, m := range map[string]servers.Mail{"ordinary": infected(), "odd": oddInfected()} {
			h.mta.Mailbox().Clear()
			wantReply(t, name, h.send(m), 250)
			h.mta.Settle(t)
			rows := h.list(t, "--state", "kept")
			if len(rows) != 1 || h.mta.Mailbox().Count() != 0 {
				t.Fatalf("%s: the quarantine holds %+v", name, rows)
			}
			if out, status := h.milter.Run(t, "quarantine release", rows[0].ID, "--infected"); status != 0 {
				t.Fatalf("%s: status %d, %s", name, status, out)
			}
			if d := h.mta.Mailbox().One(t); strings.Contains(string(d.Mail), "X-Milterscan-Pass") {
				t.Errorf("%s: it arrived with its pass", name)
			}
		}
	})
}

// What lets a message through is good for that message only.
func TestAStolenPass(t *testing.T) {
	sink := &fakes.SMTP{}
	addr := sink.Start(t)
	h, dir := newVault(t, "")
	wantReply(t, "a virus", h.send(infected()), 250)
	h.milter.Configure(t, h.vault(dir, addr))
	id := h.list(t)[0].ID
	if out, status := h.milter.Run(t, "quarantine release", id, "--infected"); status != 0 {
		t.Fatalf("release: status %d, %s", status, out)
	}
	field, _, _ := strings.Cut(sink.Got()[0].Data, "\r\nFrom:")
	m := infected()
	m.Data = append([]byte(field+"\r\n"), m.Data...)
	wantReply(t, "the same mail", h.send(m), 250)
	h.mta.Mailbox().One(t)
	m.Data = append(m.Data, "and more\r\n"...)
	wantReply(t, "another mail", h.send(m), 250)
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
}

// A lost index is made anew from the messages, and so is a damaged one.
func TestReindex(t *testing.T) {
	h, dir := newVault(t, "")
	for range 5 {
		wantReply(t, "a virus", h.send(infected()), 250)
	}
	before := h.list(t)
	index := filepath.Join(dir, "quarantine", "index.db")
	for _, end := range []string{"", "-wal", "-shm"} {
		os.Remove(index + end)
	}
	wantReply(t, "a virus", h.send(infected()), 250)
	if after := h.list(t); len(before) != 5 || len(after) != 6 {
		t.Errorf("%d messages before the index was lost, %d after", len(before), len(after))
	}
	h.milter.Stop()
	os.Remove(index + "-wal")
	if err := os.WriteFile(index, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, status := h.milter.Run(t, "quarantine reindex")
	if status != 0 || !strings.Contains(out, "6 messages") || !strings.Contains(out, "is damaged") || len(h.list(t)) != 6 {
		t.Errorf("status %d, %s", status, out)
	}
}

// The id in the reply, the queue id and the Message-ID lead to the same story.
func TestExplain(t *testing.T) {
	h, _ := newVault(t, "")
	m := program()
	m.Data = append([]byte("Message-ID: <m1@example.org>\r\n"), m.Data...)
	reply := h.send(m)
	wantReply(t, "a program", reply, 550)
	_, id, _ := strings.Cut(reply.Text, "[")
	id = strings.Trim(strings.TrimSpace(id), "[]")
	servers.Await(t, "the history to be written", func() bool {
		_, status := h.milter.Run(t, "explain", id)
		return status == 0
	})
	line := h.milter.Lines(t, "message")[0]
	for _, key := range []string{id, "<m1@example.org>", "m1@example.org", line["queue_id"].(string)} {
		out, status := h.milter.Run(t, "explain", key)
		for _, word := range []string{id, "reject", "attachment/", "default/program", "HELO client.test.local", "user@test.local", "without finding", "virus/clamd", reply.Text[:20]} {
			if status != 0 || !strings.Contains(out, word) {
				t.Errorf("explain %s: status %d, without %q\n%s", key, status, word, out)
			}
		}
	}
	if out, status := h.milter.Run(t, "explain", "nothing"); status != 1 {
		t.Errorf("of an unknown message: status %d, %s", status, out)
	}
}
