package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// alone is the configuration of a filter that asks no daemon.
const alone = "[milter]\nlisten = [\"unix:/nowhere/milter.sock\"]\n"

// Exim hands every mail to milterscan before it routes it: clean mail arrives as
// it was, a virus does not, and its sender gets a bounce.
func TestEximInFront(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	e := servers.StartExim(t, servers.InFront, alone)
	showLog(t, e)
	m := clean("through Exim")
	wantReply(t, "clean mail", servers.Send(e.Addr, m), 250)
	if d := e.Inbox.One(t); !strings.HasSuffix(string(d.Mail), asDelivered(m.Data)) {
		t.Errorf("arrived:\n%s", d.Mail)
	}
	e.Inbox.Clear()
	wantReply(t, "a virus", servers.Send(e.Addr, infected()), 250)
	if d := e.Inbox.One(t); d.Sender != "" || !strings.Contains(string(d.Mail), "550 5.7.1") {
		t.Errorf("instead of a bounce with the reason arrived:\n%s", d.Mail)
	}
}

// In a transport filter mail can be marked, but not refused: what is not to be
// delivered stays in Exim's queue.
func TestEximTransportFilter(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	e := servers.StartExim(t, servers.TransportFilter, alone+"[[rule]]\nname = \"note\"\nheaders = { X-Seen = \"yes\" }\n")
	showLog(t, e)
	wantReply(t, "mail to be marked", servers.Send(e.Addr, clean("to be marked")), 250)
	if d := e.Inbox.One(t); !strings.Contains(string(d.Mail), "X-Seen: yes\n") || !strings.HasSuffix(string(d.Mail), asDelivered(clean("to be marked").Data)) {
		t.Errorf("arrived:\n%s", d.Mail)
	}
	wantReply(t, "a virus", servers.Send(e.Addr, infected()), 250)
	servers.Await(t, "Exim to try", func() bool { return strings.Contains(e.Log(), "transport filter process failed (69)") })
	if e.Inbox.Count() != 1 || e.Queued(t) != 1 {
		t.Errorf("%d mails arrived, %d are queued", e.Inbox.Count(), e.Queued(t))
	}
}

// Postfix' pipe(8) hands mail to milterscan and that to a delivery agent: clean
// mail arrives as it was, a virus does not, and its sender gets a bounce.
func TestPostfixPipe(t *testing.T) {
	needServers(t)
	agent := servers.NewAgent(t)
	p := servers.StartPostfix(t, "smtpd_milters =", "non_smtpd_milters =", "virtual_transport = milterscan",
		"milterscan_destination_recipient_limit = 1", "bounce_size_limit = 1")
	showLog(t, p)
	p.AddServices(t, strings.NewReplacer(
		"/usr/local/lib/milterscan/milterscan-mda", installed(t, alone),
		"/usr/sbin/sendmail -G -i -f ${sender} -- ${recipient}", agent.Path+" ${sender} ${recipient}",
	).Replace(read(t, filepath.Join(servers.Root(t), "contrib/postfix/pipe.cf"))))
	m := clean("through a pipe")
	m.To = append(m.To, "other@test.local")
	wantReply(t, "clean mail", servers.Send(p.Addr, m), 250)
	p.Settle(t)
	got := agent.Inbox.All()
	if len(got) != 2 || !strings.HasSuffix(string(got[0].Mail), asDelivered(m.Data)) {
		t.Errorf("%d mails arrived: %q", len(got), got)
	}
	wantReply(t, "a virus", servers.Send(p.Addr, infected()), 250)
	if d := p.Inbox.One(t); d.Recipient != "sender@example.org" || !strings.Contains(string(d.Mail), "550 5.7.1") {
		t.Errorf("instead of a bounce with the reason arrived:\n%s", d.Mail)
	}
	if n := agent.Inbox.Count(); n != 2 {
		t.Errorf("%d mails were delivered, not two", n)
	}
}

// installed is the shipped wrapper with a configuration, where every user may
// run it.
func installed(t *testing.T, config string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "milterscan-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	wrapper := filepath.Join(servers.Root(t), "contrib/filter/milterscan-mda")
	for _, cmd := range [][]string{{"chmod", "755", dir}, {"cp", servers.Binary(t), dir + "/milterscan"}, {"cp", wrapper, dir + "/wrapper"}} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", cmd, err, out)
		}
	}
	write(t, dir+"/milterscan.toml", servers.Private(config, dir))
	write(t, dir+"/mda", fmt.Sprintf("#!/bin/sh\nMILTERSCAN=%[1]s/milterscan exec %[1]s/wrapper -c %[1]s/milterscan.toml \"$@\"\n", dir))
	for name, mode := range map[string]os.FileMode{"milterscan.toml": 0o644, "mda": 0o755} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir + "/mda"
}

// Where a daemon is running, filter asks it: the daemon's log has the message,
// and what comes back is what an MTA would have made of the ruling.
func TestFilterAsksDaemon(t *testing.T) {
	needServers(t)
	socket := filepath.Join(t.TempDir(), "m")
	daemon := servers.StartMilterscan(t, socket, answerRules+changeRules)
	// The client's own configuration has no rules, so the answers are the daemon's.
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	write(t, config, servers.Private(fmt.Sprintf("[milter]\nlisten = [\"unix:%s\"]\n", socket), t.TempDir()))
	for _, c := range []struct {
		from   string
		status int
		said   string
		stdout func(mail string) string
	}{
		{"a@example.org", 0, "", func(m string) string { return m }},
		{"header@example.org", 0, "", func(m string) string { return "X-Seen: by note\nX-Answer: forty-two\n" + m }},
		{"tag@example.org", 0, "", func(m string) string { return strings.Replace(m, "Subject: ", "Subject: {Mark} ", 1) }},
		{"reject@example.org", 69, "554 5.7.1 Not 100% welcome", nil},
		{"tempfail@example.org", 75, "451 4.7.1 Come back later", nil},
		{"discard@example.org", 99, "", nil},
		{"hold@example.org", 75, "held", nil},
		{"copy@example.org", 75, "archive@test.local", nil},
	} {
		mail := asDelivered(clean("asked").Data)
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(servers.Binary(t), "filter", "-c", config, "--from", c.from, "--to", "user@test.local")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(mail), &stdout, &stderr
		cmd.Run()
		want := ""
		if c.stdout != nil {
			want = c.stdout(mail)
		}
		if got := cmd.ProcessState.ExitCode(); got != c.status || stdout.String() != want || !strings.Contains(stderr.String(), c.said) {
			t.Errorf("%s: status %d, not %d; said %q; wrote\n%s", c.from, got, c.status, stderr.String(), stdout.String())
		}
	}
	servers.Await(t, "the daemon to have judged 8 messages", func() bool { return len(daemon.Lines(t, "message")) == 8 })
	daemon.Kill()
	var stdout bytes.Buffer
	cmd := exec.Command(servers.Binary(t), "filter", "-c", config)
	cmd.Stdin, cmd.Stdout = bytes.NewReader(infected().Data), &stdout
	if cmd.Run(); cmd.ProcessState.ExitCode() != 69 || stdout.Len() > 0 {
		t.Errorf("without the daemon a virus: status %d, %d bytes written", cmd.ProcessState.ExitCode(), stdout.Len())
	}
}

// showLog shows a server's log if the test fails.
func showLog(t *testing.T, s interface{ Log() string }) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", last(s.Log(), 4000))
		}
	})
}
