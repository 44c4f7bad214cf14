package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// qmail-queue and ZMailer's sm are imitated here, by what their manual pages say
// about the programs they call and are called by: neither is in Debian.

// fakeQmailQueue is qmail-queue(8) from the outside: the message on descriptor
// 0, the envelope on 1, status 0 once it is queued.
const fakeQmailQueue = `#!/bin/sh
cat <&0 >"%[1]s/message" && cat <&1 >"%[1]s/envelope"
exit ${QUEUE_STATUS:-0}
`

// asQmail calls the wrapper as qmail-smtpd calls qmail-queue, and returns its
// status and what was queued.
func asQmail(t *testing.T, config, envelope string, message []byte, env ...string) (status int, queuedMessage, queuedEnvelope string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/milterscan.toml", servers.Private(config, dir))
	for name, text := range map[string]string{
		"qmail-queue": fmt.Sprintf(fakeQmailQueue, dir),
		"milterscan":  fmt.Sprintf("#!/bin/sh\ncommand=$1\nshift\nexec %s $command -c %s/milterscan.toml \"$@\"\n", servers.Binary(t), dir),
	} {
		write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		w.WriteString(envelope)
	}()
	cmd := exec.Command(filepath.Join(servers.Root(t), "contrib/filter/milterscan-qmail-queue"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(string(message)), r, os.Stderr
	cmd.Env = append(os.Environ(), append(env, "MILTERSCAN="+dir+"/milterscan", "QMAIL_QUEUE="+dir+"/qmail-queue", "TMPDIR="+dir)...)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	m, _ := os.ReadFile(dir + "/message")
	e, _ := os.ReadFile(dir + "/envelope")
	if left, _ := filepath.Glob(dir + "/milterscan-qmail.*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	return cmd.ProcessState.ExitCode(), string(m), string(e)
}

// The wrapper queues what may pass, with the envelope it was given, and answers
// with qmail-queue's statuses otherwise.
func TestQmailQueue(t *testing.T) {
	needServers(t)
	const envelope = "Fsender@example.org\x00Tuser@test.local\x00Tother@test.local\x00\x00"
	mail := asDelivered(clean("for qmail").Data)
	for _, c := range []struct {
		name, envelope, mail string
		env                  []string
		status               int
		queued               string
	}{
		{"clean", envelope, mail, nil, 0, mail},
		{"null sender", "F\x00Tuser@test.local\x00\x00", mail, nil, 0, mail},
		{"marked", strings.Replace(envelope, "sender", "tag", 1), mail, nil, 0, strings.Replace(mail, "Subject: ", "Subject: {Mark} ", 1)},
		{"a virus", envelope, asDelivered(infected().Data), nil, 31, ""},
		{"discarded", strings.Replace(envelope, "sender", "discard", 1), mail, nil, 0, ""},
		{"later", strings.Replace(envelope, "sender", "tempfail", 1), mail, nil, 71, ""},
		{"one recipient may not have it", "Fsender@example.org\x00Tlab@test.local\x00Tuser@test.local\x00\x00", asDelivered(program().Data), nil, 71, ""},
		{"the client is known", envelope, mail, []string{"TCPREMOTEIP=192.0.2.7"}, 31, ""},
		{"an address of two lines", "Fsender@example.org\nTevil@test.local\x00Tuser@test.local\x00\x00", mail, nil, 31, ""},
		{"the queue is full", envelope, mail, []string{"QUEUE_STATUS=53"}, 53, mail},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, message, got := asQmail(t, qmailRules, c.envelope, []byte(c.mail), c.env...)
			if status != c.status || message != c.queued {
				t.Errorf("status %d, want %d; queued:\n%s", status, c.status, message)
			}
			if message != "" && got != c.envelope {
				t.Errorf("envelope %q, want %q", got, c.envelope)
			}
		})
	}
}

const qmailRules = alone + answerRules + changeRules + `
[[rule]]
name = "the lab may have programs"
to = ["lab@test.local"]
when = ["attachment/*"]
action = "deliver"

[[rule]]
name = "not from there"
client = ["192.0.2.0/24"]
action = "reject"
`

// asZMailer runs the local delivery agent as ZMailer's sm(8) does: the line of
// sm.conf, with $g and $u in it, and the mail on standard input.
func asZMailer(t *testing.T, line, sender, recipient string, mail []byte) int {
	t.Helper()
	fields := strings.Fields(line)
	args := fields[4:] // mailer, flags, program, argv[0]
	for i := range args {
		args[i] = strings.NewReplacer("$g", sender, "$u", recipient).Replace(args[i])
	}
	cmd := exec.Command(fields[2], args...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(asDelivered(mail)), os.Stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// The local delivery agent of ZMailer gets clean mail, and no virus.
func TestZMailer(t *testing.T) {
	needServers(t)
	agent := servers.NewAgent(t)
	conf := read(t, filepath.Join(servers.Root(t), "contrib/filter/zmailer-sm.conf"))
	line := conf[strings.LastIndex(strings.TrimSpace(conf), "\n")+1:]
	line = strings.NewReplacer("/usr/local/lib/milterscan/milterscan-mda", installed(t, alone),
		"/usr/lib/mail.local -r $g -d $u", agent.Path+" $g $u").Replace(line)
	if status := asZMailer(t, line, "sender@example.org", "user", infected().Data); status != 69 || agent.Inbox.Count() != 0 {
		t.Errorf("a virus: status %d, %d mails", status, agent.Inbox.Count())
	}
	if status := asZMailer(t, line, "sender@example.org", "user", clean("for ZMailer").Data); status != 0 {
		t.Errorf("clean mail: status %d", status)
	}
	if d := agent.Inbox.One(t); d.Recipient != "user" || string(d.Mail) != asDelivered(clean("for ZMailer").Data) {
		t.Errorf("for %s arrived:\n%s", d.Recipient, d.Mail)
	}
}

// A filter whose output is closed, gone or full says so, and the caller still
// has the mail.
func TestFilterOutputIsGone(t *testing.T) {
	needServers(t)
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	write(t, config, servers.Private(alone, t.TempDir()))
	for name, redirect := range map[string]string{
		"closed":      `"$0" filter -c "$1" >&-`,
		"full disk":   `"$0" filter -c "$1" >/dev/full`,
		"reader gone": `{ "$0" filter -c "$1"; echo $? >"$1.status"; } | true; exit $(cat "$1.status")`,
	} {
		t.Run(name, func(t *testing.T) {
			large := clean("large")
			large.Data = append(large.Data, strings.Repeat("A line of text.\r\n", 50_000)...) // more than a pipe holds
			cmd := exec.Command("sh", "-c", redirect, servers.Binary(t), config)
			cmd.Stdin = strings.NewReader(string(large.Data))
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 75 || !strings.Contains(string(out), "milterscan filter:") {
				t.Errorf("%v, and %q", err, out)
			}
		})
	}
}
