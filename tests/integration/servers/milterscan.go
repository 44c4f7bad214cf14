package servers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/tests/procstat"
)

// Milterscan is a running milterscan daemon.
type Milterscan struct {
	Socket string // where it listens, as "milter.listen" names it without "unix:"

	binary, dir string
	proc        *process
}

// StartMilterscan starts a daemon on a unix socket with the given
// configuration: a whole TOML file, but without the socket, which is added to it.
// Cleanup stops it.
func StartMilterscan(t TB, socket, config string) *Milterscan {
	t.Helper()
	m := &Milterscan{Socket: socket, binary: Binary(t), dir: newDir(t)}
	m.Configure(t, config)
	m.Start(t)
	t.Cleanup(func() { m.End(t) })
	return m
}

// End stops the daemon, unless it has ended, and looks whether it had its locks until then.
func (m *Milterscan) End(t TB) {
	t.Helper()
	defer m.Stop()
	m.wantLocks(t)
}

// wantLocks looks for databases that the daemon has open without a lock: whatever a test did,
// there must be none. One that is being opened has its lock in a moment.
func (m *Milterscan) wantLocks(t TB) {
	t.Helper()
	var lost []string
	for end := time.Now().Add(time.Second); !m.Ended(); time.Sleep(10 * time.Millisecond) {
		if lost = procstat.Unlocked(m.Pid()); len(lost) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("milterscan has lost its locks on %q", lost)
		}
	}
}

// Configure replaces the configuration file. The daemon reads it when it is
// started or told to by Reload.
func (m *Milterscan) Configure(t TB, config string) {
	t.Helper()
	// Postfix connects as another user.
	listen := fmt.Sprintf("[milter]\nlisten = [\"unix:%s\"]\nsocket_mode = \"0666\"\n", m.Socket)
	if strings.Contains(config, "[milter]\n") {
		config = strings.Replace(config, "[milter]\n", listen, 1)
	} else {
		config += "\n" + listen
	}
	config = Private(config, m.dir)
	// In one step: a daemon that reads at this moment sees one file or the other.
	writeFile(t, m.ConfigFile()+".new", config)
	if err := os.Rename(m.ConfigFile()+".new", m.ConfigFile()); err != nil {
		t.Fatalf("%v", err)
	}
}

// Private returns a configuration that keeps what it keeps below a directory, unless it
// says where, and nothing in the places of an installation.
func Private(config, dir string) string {
	for _, place := range []struct{ table, key, name string }{
		{"[quarantine]", "dir", "quarantine"}, {"[history]", "file", "history.db"}, {"[notices]", "dir", "notices"},
		{"[console]", "file", "console.db"}, {"[people]", "file", "people.db"},
	} {
		if !strings.Contains(config, place.table+"\n") {
			config += fmt.Sprintf("\n%s\n%s = %q\n", place.table, place.key, filepath.Join(dir, place.name))
		}
	}
	return config
}

// Start starts a daemon that was ended, on the same socket.
func (m *Milterscan) Start(t TB) {
	t.Helper()
	m.proc = run(t, m.logFile(), m.binary, "serve", "-c", m.ConfigFile())
	m.proc.ready(t, "milterscan at "+m.Socket, func() bool { return answers("unix", m.Socket) })
}

// Stop ends the daemon as an administrator would: SIGTERM, and it finishes what
// it has begun.
func (m *Milterscan) Stop() { m.proc.stop() }

// Kill ends it as a crash would.
func (m *Milterscan) Kill() { m.proc.kill() }

// Terminate asks it to end, and does not wait.
func (m *Milterscan) Terminate() { m.proc.signal(syscall.SIGTERM) }

// Ended reports whether it has ended.
func (m *Milterscan) Ended() bool { return m.proc.ended() }

// Reload tells it that the configuration has changed, and does not wait.
func (m *Milterscan) Reload() { m.proc.signal(syscall.SIGHUP) }

// Dump ends it with the state of all its goroutines in its output.
func (m *Milterscan) Dump() {
	m.proc.signal(syscall.SIGQUIT)
	<-m.proc.done
}

// Pid returns its process id.
func (m *Milterscan) Pid() int { return m.proc.pid() }

// Output returns everything it has written so far: its log.
func (m *Milterscan) Output() string {
	text, _ := os.ReadFile(m.logFile())
	return string(text)
}

// Says waits until its log has each of the texts: it writes them some time after an answer.
func (m *Milterscan) Says(t TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		Await(t, fmt.Sprintf("the log to say %q", text), func() bool { return strings.Contains(m.Output(), text) })
	}
}

// Lines returns the lines of its log that have the given message, as JSON objects.
func (m *Milterscan) Lines(t TB, message string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(m.Output()) {
		fields := map[string]any{}
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			lines = append(lines, fields)
		}
	}
	return lines
}

// Run runs one of the binary's other commands with the daemon's configuration,
// such as "quarantine list", and returns what it has written and its status.
func (m *Milterscan) Run(t TB, command string, args ...string) (out string, status int) {
	t.Helper()
	args = append(append(strings.Fields(command), "-c", m.ConfigFile()), args...)
	text, err := exec.Command(m.binary, args...).CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("milterscan %s: %v", command, err)
	}
	if ended != nil {
		status = ended.ExitCode()
	}
	return string(text), status
}

// ConfigFile returns its configuration.
func (m *Milterscan) ConfigFile() string { return filepath.Join(m.dir, "milterscan.toml") }

func (m *Milterscan) logFile() string { return filepath.Join(m.dir, "milterscan.log") }

// Binary returns the milterscan to be tested: the one that MILTERSCAN_BINARY names,
// or else bin/milterscan, compiled now.
func Binary(t TB) string {
	t.Helper()
	if path := os.Getenv("MILTERSCAN_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(Root(t), "bin", "milterscan")
	build := exec.Command("go", "build", "-o", path, "./cmd/milterscan")
	build.Dir = Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compiling milterscan: %v\n%s", err, out)
	}
	return path
}
