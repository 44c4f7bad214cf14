package servers

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/tests/procstat"
)

// RspamdPassword is the password of the controller of each Rspamd.
const RspamdPassword = "word-for-tests"

// Rspamd is a private rspamd that knows two rules, learns, and asks no other server: a text
// with "milterscan-test-spam" has 17.5 points, by LOCAL_TEST, and LOCAL_ENVELOPE tells in its
// options what rspamd was told of the envelope.
type Rspamd struct {
	URL        string // of its worker that scans
	Socket     string // the same on a unix socket, as configurations write it
	Controller string // the URL of the one that learns

	dir  string
	args []string
	proc *process
}

// StartRspamd starts an rspamd. Cleanup stops it.
func StartRspamd(t TB) *Rspamd {
	t.Helper()
	needRoot(t, "rspamd")
	dir := newDir(t)
	s := &Rspamd{URL: "http://" + newAddr(t), Socket: "unix:" + filepath.Join(dir, "var", "scan.sock"),
		Controller: "http://" + newAddr(t), dir: dir}
	if err := os.Mkdir(filepath.Join(dir, "var"), 0o777); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "var"), 0o777); err != nil { // rspamd writes there as nobody
		t.Fatalf("%v", err)
	}
	writeFile(t, filepath.Join(dir, "rules.lua"), rspamdRules)
	writeFile(t, filepath.Join(dir, "tld.dat"), "com\norg\nexample\nlocal\n") // the whole list takes half a minute to compile
	writeFile(t, filepath.Join(dir, "rspamd.conf"), strings.NewReplacer("DIR", dir, "SCAN", strings.TrimPrefix(s.URL, "http://"),
		"CONTROL", strings.TrimPrefix(s.Controller, "http://"), "WORD", RspamdPassword).Replace(rspamdConf))
	s.args = []string{"-c", filepath.Join(s.dir, "rspamd.conf")}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start starts a stopped rspamd again, on the same addresses.
func (s *Rspamd) Start(t TB) {
	t.Helper()
	s.proc = run(t, filepath.Join(s.dir, "rspamd.log"), "rspamd",
		append([]string{"-f", "-u", "nobody", "-g", "nogroup"}, s.args...)...)
	s.proc.ready(t, "rspamd at "+s.URL, func() bool { return pongs(s.URL) && pongs(s.Controller) })
}

// Stop ends rspamd.
func (s *Rspamd) Stop() { s.proc.stop() }

// Pause makes rspamd hang: connections are accepted, nothing is answered.
func (s *Rspamd) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Rspamd) Resume() { s.signal(syscall.SIGCONT) }

// Log returns what rspamd has logged.
func (s *Rspamd) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "rspamd.log"))
	return string(text)
}

func (s *Rspamd) signal(which syscall.Signal) {
	for _, pid := range append(procstat.Children(s.proc.pid()), s.proc.pid()) {
		syscall.Kill(pid, which)
	}
}

// pongs asks a worker whether it is there.
func pongs(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ping", nil)
	if err != nil {
		return false
	}
	one := http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}
	answer, err := one.RoundTrip(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64))
	return strings.Contains(string(text), "pong")
}

const rspamdConf = `
lua = "DIR/rules.lua";
options {
	pidfile = "DIR/var/pid"; control_socket = "DIR/var/control.sock mode=0600"; tempdir = "DIR/var"; hs_cache_dir = "DIR/var/";
	cache_file = "DIR/var/symbols.cache"; history_file = "DIR/var/history"; stats_file = "DIR/var/stats.ucl"; dynamic_conf = "DIR/var/dynamic";
	url_tld = "DIR/tld.dat"; filters = ""; task_timeout = 5s;
	dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; sockets = 1; }
}
logging { type = "console"; level = "info"; }
actions { reject = 15; "add header" = 6; greylist = 4; }
group "local" { symbols {} }
worker "normal" { bind_socket = ["SCAN", "DIR/var/scan.sock mode=0666"]; count = 1; mime = true; }
worker "controller" { bind_socket = "CONTROL"; count = 1; password = "WORD"; secure_ip = []; }
classifier "bayes" {
	tokenizer { name = "osb"; }
	backend = "sqlite3"; min_learns = 1; min_tokens = 1;
	cache { type = "sqlite3"; path = "DIR/var/learned.sqlite"; }
	statfile { symbol = "BAYES_HAM"; spam = false; path = "DIR/var/ham.sqlite"; }
	statfile { symbol = "BAYES_SPAM"; spam = true; path = "DIR/var/spam.sqlite"; }
}
`

const rspamdRules = `
rspamd_config.LOCAL_TEST = {
	callback = function(task)
		return string.find(tostring(task:get_content()), 'milterscan%-test%-spam') ~= nil
	end,
	score = 17.5, description = 'a text for tests', group = 'local'
}
rspamd_config.LOCAL_ENVELOPE = {
	callback = function(task)
		local from, to = task:get_from('smtp'), task:get_recipients('smtp') or {}
		return true, table.concat({
			'from=' .. (from and from[1] and from[1].addr or '-'), 'to=' .. (to[1] and to[1].addr or '-'), 'number=' .. #to,
			'ip=' .. tostring(task:get_from_ip()), 'helo=' .. tostring(task:get_helo()), 'queue=' .. tostring(task:get_queue_id() ~= 'undef'),
			'deliver=' .. tostring(task:get_request_header('Deliver-To')) }, ';')
	end,
	score = 0.1, group = 'local'
}
`

// Pid returns its process id.
func (s *Rspamd) Pid() int { return s.proc.pid() }
