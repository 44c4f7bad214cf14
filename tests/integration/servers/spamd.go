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

// Spamd is a private spamd that knows one rule, learns, and asks no other server: a text with
// "milterscan-test-spam" has 7.5 points, by LOCAL_TEST. BAYES_99 and BAYES_00 say what it has learned.
type Spamd struct {
	Addr string // its TCP address

	dir  string
	args []string
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
	writeFile(t, filepath.Join(dir, "rules", "init.pre"),
		"loadplugin Mail::SpamAssassin::Plugin::Check\nloadplugin Mail::SpamAssassin::Plugin::Bayes\n")
	writeFile(t, filepath.Join(dir, "rules", "local.cf"), strings.ReplaceAll(spamdRules, "DIR", dir))
	if err := os.Mkdir(filepath.Join(dir, "bayes"), 0o777); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "bayes"), 0o777); err != nil { // spamd writes there as nobody
		t.Fatalf("%v", err)
	}
	rules := filepath.Join(s.dir, "rules")
	s.args = []string{"-L", "--allow-tell", "--siteconfigpath=" + rules, "--configpath=" + rules}
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
	s.proc = run(t, filepath.Join(s.dir, "spamd.log"), program, append([]string{"-i", host, "-p", port, "-A", host + ",127.0.0.1",
		"-x", "-u", "nobody", "-g", "nogroup", "-H", filepath.Join(s.dir, "home"), "-m", "2", "--min-children=1", "-s", "stderr"}, s.args...)...)
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

const spamdRules = `bayes_path DIR/bayes/db
bayes_file_mode 0777
bayes_min_spam_num 1
bayes_min_ham_num 1
bayes_auto_learn 0
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
body BAYES_00 eval:check_bayes('0.00', '0.20')
body BAYES_99 eval:check_bayes('0.80', '1.00')
score BAYES_00 -0.01
score BAYES_99 0.01
tflags BAYES_00 learn nice
tflags BAYES_99 learn
`

// Pid returns its process id.
func (s *Spamd) Pid() int { return s.proc.pid() }
