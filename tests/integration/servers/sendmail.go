package servers

import (
	"bytes"
	_ "embed" // the configurations
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Sendmail is a private Sendmail, unpacked into a separate directory, since its
// packages and those of Postfix exclude each other. All mail it accepts, for any
// recipient, ends in one maildir. It asks the milter at MilterSocket about
// every mail, as contrib/sendmail/milterscan.m4 says: that very file is part of
// its configuration.
type Sendmail struct {
	Addr  string // where its SMTP server listens
	Inbox *Maildir

	dir, root string
	proc      *process
}

// StartSendmail starts a Sendmail with the given lines in its configuration,
// after the shipped ones and before the mailers. Cleanup stops it.
func StartSendmail(t TB, mc ...string) *Sendmail {
	t.Helper()
	shipped := fmt.Sprintf("define(`MILTERSCAN_SOCKET', `unix:@dir@/run/milter.sock')dnl\ninclude(`%s')dnl",
		filepath.Join(Root(t), "contrib", "sendmail", "milterscan.m4"))
	return StartPlainSendmail(t, append([]string{shipped}, mc...)...)
}

// StartPlainSendmail starts a Sendmail that knows of no milter.
func StartPlainSendmail(t TB, mc ...string) *Sendmail {
	t.Helper()
	needRoot(t, "Sendmail")
	dir := newDir(t)
	s := &Sendmail{Addr: newAddr(t), dir: dir, root: unpacked(t, "sendmail"), Inbox: &Maildir{dir: dir}}
	s.makeDirs(t)
	writeFile(t, s.path("aliases"), "postmaster: root\n")
	writeFile(t, s.path("service.switch"), "hosts files\naliases files\npasswd files\n")
	writeScript(t, s.path("deliver"), fmt.Sprintf(deliverScript, dir))
	s.keepLog(t)
	writeScript(t, s.Program(), fmt.Sprintf(withHostName, s.binary(), dir))
	s.compile(t, "etc/sendmail", s.fill(strings.Replace(privateMc, "@more@", strings.Join(mc, "\n"), 1)))
	s.compile(t, "etc/submit", s.fill(submitMc))
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Program returns the command that starts it or its tools.
func (s *Sendmail) Program() string { return s.path("sendmail") }

// ConfigDir returns the directory of its configuration.
func (s *Sendmail) ConfigDir() string { return s.path("etc") }

// binary returns Sendmail itself.
func (s *Sendmail) binary() string {
	program := filepath.Join(s.root, "usr/libexec/sendmail/sendmail")
	if _, err := os.Stat(program); err != nil {
		program = filepath.Join(s.root, "usr/lib/sm.bin/sendmail") // before Debian 12
	}
	return program
}

// Config returns the path of its sendmail.cf.
func (s *Sendmail) Config() string { return s.path("etc/sendmail.cf") }

// MilterSocket returns the path at which this Sendmail looks for its milter.
func (s *Sendmail) MilterSocket() string { return s.path("run/milter.sock") }

// SMTP returns the address it listens on.
func (s *Sendmail) SMTP() string { return s.Addr }

// Mailbox returns the maildir it delivers to.
func (s *Sendmail) Mailbox() *Maildir { return s.Inbox }

// Start starts a stopped Sendmail again.
func (s *Sendmail) Start(t TB) {
	t.Helper()
	s.proc = run(t, s.path("output.log"), s.Program(), "-C", s.path("etc/sendmail.cf"), "-bD", "-L", "sm-mta", "-X", s.path("traffic.log"))
	s.proc.ready(t, "Sendmail at "+s.Addr, func() bool { return answers("tcp", s.Addr) })
}

// LogFile returns the path of its log, which is written as syslogd(8) does. It is empty
// where no separate /dev can be made for it.
func (s *Sendmail) LogFile() string { return s.path("mail.log") }

// keepLog writes into a file what Sendmail says to /dev/log.
func (s *Sendmail) keepLog(t TB) {
	t.Helper()
	for _, device := range devices {
		writeFile(t, s.path("dev/"+device), "")
	}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.path("dev/log"), Net: "unixgram"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	file, err := os.Create(s.LogFile())
	if err != nil {
		t.Fatalf("%v", err)
	}
	os.Chmod(s.path("dev/log"), 0o666)
	t.Cleanup(func() { socket.Close(); file.Close() })
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			_, line, _ := strings.Cut(string(buf[:n]), ">")
			if len(line) > len(time.Stamp) {
				fmt.Fprintf(file, "%s mx%s\n", line[:len(time.Stamp)], strings.TrimRight(line[len(time.Stamp):], "\x00\n"))
			}
		}
	}()
}

// devices are those that Sendmail's own /dev has, with log.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// withHostName gives Sendmail a host name with a dot in it: at every start it
// waits a minute for one, whatever its configuration says. It also gives it a /dev with
// a separate log. Where neither can be given, it waits, and logs to syslog.
const withHostName = `#!/bin/sh
unshare --uts true 2>/dev/null || exec %[1]s "$@"
unshare --uts --mount true 2>/dev/null || exec unshare --uts sh -c 'hostname mx.test.local; exec %[1]s "$@"' sh "$@"
exec unshare --uts --mount sh -c '
for d in null zero full random urandom tty; do mount --bind /dev/$d %[2]s/dev/$d; done
mount --bind %[2]s/dev /dev
hostname mx.test.local
exec %[1]s "$@"' sh "$@"
`

// Stop ends Sendmail; its queue stays.
func (s *Sendmail) Stop() { s.proc.stop() }

// Log returns the SMTP traffic so far, and what Sendmail complained about.
func (s *Sendmail) Log() string {
	traffic, _ := os.ReadFile(s.path("traffic.log"))
	complaints, _ := os.ReadFile(s.path("output.log"))
	return string(traffic) + string(complaints)
}

// Held returns the ids of the mails that are held in the queue: Sendmail calls them
// quarantined.
func (s *Sendmail) Held(t TB) []string { return s.queued(t, "hf") }

// queued returns the ids of the control files of a kind.
func (s *Sendmail) queued(t TB, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(s.path("queue/" + kind + "*"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i, f := range files {
		files[i] = strings.TrimPrefix(filepath.Base(f), kind)
	}
	return files
}

// Release lets a held mail go on.
func (s *Sendmail) Release(t TB, id string) {
	t.Helper()
	s.tool(t, "", "etc/sendmail.cf", "-qI"+id, "-qQ", "-Q")
	s.tool(t, "", "etc/sendmail.cf", "-q")
}

// Submit hands a mail in as a program on the same machine does. Sendmail passes
// such mail to its own daemon by SMTP, and so its milters see it.
func (s *Sendmail) Submit(t TB, mail, from string, to ...string) {
	t.Helper()
	s.tool(t, mail, "etc/submit.cf", append([]string{"-i", "-f", from, "--"}, to...)...)
}

// Settle waits until Sendmail has nothing left to deliver but what it holds.
func (s *Sendmail) Settle(t TB) {
	t.Helper()
	Await(t, "Sendmail to deliver what it has", func() bool { return len(s.queued(t, "qf")) == 0 })
}

// tool runs Sendmail for a moment.
func (s *Sendmail) tool(t TB, stdin, cf string, args ...string) {
	t.Helper()
	cmd := exec.Command(s.Program(), append([]string{"-C", s.path(cf)}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sendmail %q: %v\n%s", args, err, out)
	}
}

func (s *Sendmail) path(name string) string { return filepath.Join(s.dir, name) }

// makeDirs makes the directories. The program that hands mail in runs as user nobody.
func (s *Sendmail) makeDirs(t TB) {
	t.Helper()
	for _, d := range []string{"queue", "new", "tmp", "run", "submit", "etc", "dev"} {
		if err := os.Mkdir(s.path(d), 0o700); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := os.Chown(s.path("submit"), userID(t, "nobody"), -1); err != nil {
		t.Fatalf("%v", err)
	}
}

// compile makes NAME.cf of a configuration in m4.
func (s *Sendmail) compile(t TB, name, mc string) {
	t.Helper()
	writeFile(t, s.path(name+".mc"), mc)
	var stderr bytes.Buffer
	cmd := exec.Command("m4", s.path(name+".mc"))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("m4: %v\n%s", err, stderr.String())
	}
	writeFile(t, s.path(name+".cf"), string(out))
}

// unpacked returns where .ci/unpacked has put packages that are not installed.
func unpacked(t TB, name string) string {
	t.Helper()
	dir := filepath.Join(Root(t), "bin", "unpacked", name)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("%s is not unpacked (\"make unpacked\" does it): %v", name, err)
	}
	return dir
}

// deliverScript delivers a mail of sender $1 for recipient $2 into directory
// %[1]s: under a passing name first, as maildirs want it.
const deliverScript = `#!/bin/sh
file=$(date +%%s.%%N).$$
{ printf 'Return-Path: <%%s>\nDelivered-To: %%s\n' "$1" "$2"; cat; } >%[1]s/tmp/$file &&
	mv %[1]s/tmp/$file %[1]s/new/$file || exit 75
`

//go:embed sendmail.mc
var privateMc string

//go:embed submit.mc
var submitMc string

// fill puts directories and address into a text.
func (s *Sendmail) fill(text string) string {
	host, port, _ := strings.Cut(s.Addr, ":")
	cf := filepath.Join(s.root, "usr/share/sendmail/cf")
	return strings.NewReplacer("@dir@", s.dir, "@host@", host, "@port@", port, "@cf@", cf).Replace(text)
}
