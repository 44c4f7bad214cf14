package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/tests/procstat"
)

// Spamd is a private spamd that knows one rule and asks no other server: a text with
// "milterscan-test-spam" has 7.5 points, by LOCAL_TEST.
type Spamd struct {
	Addr string // its TCP address

	dir  string
	proc *process
}

// StartSpamd starts a spamd. Cleanup stops it.
func StartSpamd(t TB) *Spamd {
	t.Helper()
	needRoot(t, "spamd")
	dir := newDir(t)
	s := &Spamd{Addr: newAddr(t), dir: dir}
	for _, d := range []string{"rules", "home"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatalf("%v", err)
		}
	}
	writeFile(t, filepath.Join(dir, "rules", "init.pre"), "loadplugin Mail::SpamAssassin::Plugin::Check\n")
	writeFile(t, filepath.Join(dir, "rules", "local.cf"), spamdRules)
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start starts a stopped spamd again, on the same address.
func (s *Spamd) Start(t TB) {
	t.Helper()
	program, err := exec.LookPath("spamd")
	if err != nil {
		program = "/usr/sbin/spamd"
	}
	host, port, _ := net.SplitHostPort(s.Addr)
	rules := filepath.Join(s.dir, "rules")
	s.proc = run(t, filepath.Join(s.dir, "spamd.log"), program, "-i", host, "-p", port, "-A", host+",127.0.0.1",
		"-L", "-x", "-u", "nobody", "-g", "nogroup", "-H", filepath.Join(s.dir, "home"),
		"--siteconfigpath="+rules, "--configpath="+rules, "-m", "2", "--min-children=1", "-s", "stderr")
	s.proc.ready(t, "spamd at "+s.Addr, s.pong)
}

// Stop ends spamd.
func (s *Spamd) Stop() { s.proc.stop() }

// Pause makes spamd hang: connections are accepted, nothing is answered.
func (s *Spamd) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Spamd) Resume() { s.signal(syscall.SIGCONT) }

// Asked returns how many messages it was asked about.
func (s *Spamd) Asked() int {
	text, _ := os.ReadFile(filepath.Join(s.dir, "spamd.log"))
	return strings.Count(string(text), "spamd: result: ")
}

func (s *Spamd) signal(which syscall.Signal) {
	for _, pid := range append(procstat.Children(s.proc.pid()), s.proc.pid()) {
		syscall.Kill(pid, which)
	}
}

// pong asks spamd whether it is there.
func (s *Spamd) pong() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprint(conn, "PING SPAMC/1.5\r\n\r\n")
	answer := make([]byte, 64)
	n, _ := conn.Read(answer)
	return strings.Contains(string(answer[:n]), "PONG")
}

const spamdRules = `use_bayes 0
skip_rbl_checks 1
dns_available no
report_safe 0
required_score 5
body LOCAL_TEST /milterscan-test-spam/
score LOCAL_TEST 7.5
header LOCAL_CLIENT X-Spam-Relays-Trusted =~ /ip=127\..*helo=client\.test\.local/
header LOCAL_SENDER EnvelopeFrom =~ /sender\@example\.org/
score LOCAL_CLIENT 0.1
score LOCAL_SENDER 0.1
`
