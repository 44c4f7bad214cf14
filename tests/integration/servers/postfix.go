package servers

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// Postfix is a private Postfix. All mail it accepts, for any recipient, ends in one
// maildir. It asks the milter at MilterSocket about every mail, as
// contrib/postfix/main.cf says: that very file is part of its configuration.
type Postfix struct {
	Addr  string // where its SMTP server listens
	Inbox *Maildir

	dir        string
	proc       *process
	nameserver string // the one it asks, if not this host\'s
}

// StartPostfix starts a Postfix with the given lines added to main.cf. Cleanup
// stops it.
func StartPostfix(t TB, mainCf ...string) *Postfix {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(Root(t), "contrib", "postfix", "main.cf"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return StartPlainPostfix(t, append([]string{string(shipped)}, mainCf...)...)
}

// StartPlainPostfix starts a Postfix that knows of no milter.
func StartPlainPostfix(t TB, mainCf ...string) *Postfix {
	t.Helper()
	needRoot(t, "Postfix")
	dir := newDir(t)
	p := &Postfix{Addr: newAddr(t), dir: dir, Inbox: &Maildir{dir: filepath.Join(dir, "mail", "all")}}
	p.makeDirs(t)
	writeFile(t, p.path("etc/main.cf"), lastOfEach(fmt.Sprintf(privateMainCf, p.dir, userID(t, "nobody"))+strings.Join(mainCf, "\n")+"\n"))
	writeFile(t, p.path("etc/master.cf"), p.masterCf())
	p.check(t)
	p.Start(t)
	t.Cleanup(p.Stop)
	return p
}

// MilterSocket returns the path at which this Postfix looks for its milter.
func (p *Postfix) MilterSocket() string { return p.path("queue/milterscan/milter.sock") }

// SMTP returns the address of its SMTP server.
func (p *Postfix) SMTP() string { return p.Addr }

// Config returns Postfix' directory of configuration.
func (p *Postfix) Config() string { return p.path("etc") }

// Mailbox returns the maildir it delivers to.
func (p *Postfix) Mailbox() *Maildir { return p.Inbox }

// Start starts a stopped Postfix again.
func (p *Postfix) Start(t TB) {
	t.Helper()
	command := []string{postfixProgram("master"), "-c", p.path("etc"), "-d"}
	if p.nameserver != "" {
		writeFile(t, p.path("resolv.conf"), "nameserver "+p.nameserver+"\n")
		const ownResolver = `mount --bind "$0" /etc/resolv.conf && exec "$@"`
		command = append([]string{"unshare", "--mount", "sh", "-c", ownResolver, p.path("resolv.conf")}, command...)
	}
	p.proc = run(t, p.path("output.log"), command[0], command[1:]...)
	p.proc.ready(t, "Postfix at "+p.Addr, func() bool { return answers("tcp", p.Addr) })
}

// Stop ends Postfix; its queue stays.
func (p *Postfix) Stop() { p.proc.stop() }

// Deliver has Postfix deliver over SMTP, where main.cf says so, with what the name
// server says; "" leaves that to this host's.
func (p *Postfix) Deliver(t TB, nameserver string) {
	t.Helper()
	p.nameserver = nameserver
	p.AddServices(t, "smtp unix - - n - - smtp\n")
}

// AddServices adds lines to master.cf, and starts Postfix again.
func (p *Postfix) AddServices(t TB, lines string) {
	t.Helper()
	p.Stop()
	writeFile(t, p.path("etc/master.cf"), p.masterCf()+lines)
	p.Start(t)
}

// Pid returns the process id of Postfix' master, the ancestor of all its processes.
func (p *Postfix) Pid() int { return p.proc.pid() }

// LogFile returns the path of its log.
func (p *Postfix) LogFile() string { return p.path("log/mail.log") }

// Rotate has Postfix rename its log and begin another, as logrotate(8) would.
func (p *Postfix) Rotate(t TB) {
	t.Helper()
	if out, err := exec.Command("postfix", "-c", p.path("etc"), "logrotate").CombinedOutput(); err != nil {
		t.Fatalf("postfix logrotate: %v\n%s", err, out)
	}
}

// Super has postsuper(1) do something with a mail in the queue: "-h", "-H", "-r", "-d".
func (p *Postfix) Super(t TB, what, id string) {
	t.Helper()
	p.tool(t, "postsuper", what, id)
}

// Log returns what Postfix has logged so far.
func (p *Postfix) Log() string {
	text, _ := os.ReadFile(p.LogFile())
	return string(text)
}

// Queued is one mail in Postfix' queues.
type Queued struct {
	Queue  string `json:"queue_name"` // "hold", "deferred", "active", "incoming"
	ID     string `json:"queue_id"`
	Sender string `json:"sender"`
}

// Queue lists the mails in the queue.
func (p *Postfix) Queue(t TB) []Queued {
	t.Helper()
	var all []Queued
	for dec := json.NewDecoder(strings.NewReader(p.tool(t, "postqueue", "-j"))); dec.More(); {
		var q Queued
		if err := dec.Decode(&q); err != nil {
			t.Fatalf("postqueue -j: %v", err)
		}
		all = append(all, q)
	}
	return all
}

// Held returns the ids of the mails that are held.
func (p *Postfix) Held(t TB) []string {
	t.Helper()
	var ids []string
	for _, q := range p.Queue(t) {
		if q.Queue == "hold" {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

// Release lets a held mail go on.
func (p *Postfix) Release(t TB, id string) {
	t.Helper()
	p.tool(t, "postsuper", "-H", id)
	p.tool(t, "postqueue", "-f")
}

// Submit hands a mail in as a program on the same machine does, by sendmail(1).
func (p *Postfix) Submit(t TB, mail, from string, to ...string) {
	t.Helper()
	args := append([]string{"-C", p.path("etc"), "-i", "-f", from, "--"}, to...)
	cmd := exec.Command("/usr/sbin/sendmail", args...)
	cmd.Stdin = strings.NewReader(mail)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sendmail: %v\n%s", err, out)
	}
}

// Settle waits until Postfix has nothing left to deliver but what it holds.
func (p *Postfix) Settle(t TB) {
	t.Helper()
	Await(t, "Postfix to deliver what it has", func() bool {
		for _, q := range p.Queue(t) {
			if q.Queue != "hold" {
				return false
			}
		}
		return true
	})
}

func (p *Postfix) tool(t TB, name string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(name, append([]string{"-c", p.path("etc")}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return string(out)
}

func (p *Postfix) path(name string) string { return filepath.Join(p.dir, name) }

// check has Postfix make its queue directories and look at its configuration.
func (p *Postfix) check(t TB) {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil {
		t.Fatalf("Postfix is not installed (.ci/packages installs it)")
	}
	if out, err := exec.Command("postfix", "-c", p.path("etc"), "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v\n%s", err, out)
	}
}

// makeDirs makes the directories, owned as Postfix and its delivery agent need.
func (p *Postfix) makeDirs(t TB) {
	t.Helper()
	for _, d := range []struct{ name, owner string }{
		{"etc", "root"}, {"queue", "root"}, {"queue/milterscan", "root"},
		{"log", "root"}, {"data", "postfix"}, {"mail", "nobody"},
	} {
		if err := os.Mkdir(p.path(d.name), 0o755); err != nil {
			t.Fatalf("%v", err)
		}
		if err := os.Chown(p.path(d.name), userID(t, d.owner), -1); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

func userID(t TB, name string) int {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("%v (.ci/packages installs Postfix, which brings its user)", err)
	}
	id, _ := strconv.Atoi(u.Uid)
	return id
}

// postfixProgram returns the path of one of Postfix' daemons.
func postfixProgram(name string) string {
	dir, err := exec.Command("postconf", "-dh", "daemon_directory").Output()
	if err != nil {
		return name
	}
	return filepath.Join(strings.TrimSpace(string(dir)), name)
}

func (p *Postfix) masterCf() string { return strings.ReplaceAll(privateMasterCf, "ADDR", p.Addr) }

// lastOfEach leaves only the last of the lines that set the same parameter. Of
// each repetition every program of Postfix warns; postlogd does so into its own
// socket, and waits for itself for ever when that is full.
func lastOfEach(mainCf string) string {
	lines := strings.Split(mainCf, "\n")
	last := map[string]int{}
	for i, line := range lines {
		last[parameter(line)] = i
	}
	var left []string
	for i, line := range lines {
		if p := parameter(line); p == "" || last[p] == i {
			left = append(left, line)
		}
	}
	return strings.Join(left, "\n")
}

// parameter returns the parameter a line of main.cf sets; "" for comments and
// continued lines.
func parameter(line string) string {
	name, _, ok := strings.Cut(line, "=")
	if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, " ") {
		return ""
	}
	return strings.TrimSpace(name)
}

// privateMainCf keeps Postfix within directory %[1]s and off the network, and
// delivers everything, for any recipient, to one maildir as user %[2]d.
const privateMainCf = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log/mail.log
maillog_file_prefixes = %[1]s
myhostname = mx.test.local
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:none
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
message_size_limit = 104857600
virtual_mailbox_domains = test.local
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[2]d
virtual_minimum_uid = 100
virtual_mailbox_limit = 0
default_transport = virtual
smtputf8_enable = yes

`

// privateMasterCf chroots smtpd and cleanup, the two that talk to milters, as
// Debian's Postfix does.
const privateMasterCf = `ADDR inet n - y - 200 smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
