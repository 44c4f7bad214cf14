package servers

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/tests/sample"
)

// Clamd is a private clamd whose database knows one virus: EICAR, which it
// calls "Eicar-Test.UNOFFICIAL".
type Clamd struct {
	Socket string // the path of its unix socket
	Addr   string // its TCP address

	dir  string
	proc *process
}

// StartClamd starts a clamd with the given lines in front of clamd.conf. Cleanup
// stops it.
func StartClamd(t TB, conf ...string) *Clamd {
	t.Helper()
	dir := newDir(t)
	c := &Clamd{Socket: filepath.Join(dir, "clamd.sock"), Addr: newAddr(t), dir: dir}
	c.configure(t, conf)
	c.Start(t)
	t.Cleanup(c.Stop)
	return c
}

// Start starts a stopped clamd again, on the same addresses.
func (c *Clamd) Start(t TB) {
	t.Helper()
	c.proc = run(t, filepath.Join(c.dir, "clamd.log"), "clamd", "--config-file", filepath.Join(c.dir, "clamd.conf"))
	c.proc.ready(t, "clamd at "+c.Socket, c.pong)
}

// Stop ends clamd.
func (c *Clamd) Stop() { c.proc.stop() }

// Kill ends clamd as a crash would.
func (c *Clamd) Kill() { c.proc.kill() }

// Pause makes clamd hang: connections are accepted, nothing is answered.
func (c *Clamd) Pause() { c.proc.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (c *Clamd) Resume() { c.proc.signal(syscall.SIGCONT) }

// Database returns the directory with clamd's signatures.
func (c *Clamd) Database() string { return filepath.Join(c.dir, "db") }

// Pid returns clamd's process id.
func (c *Clamd) Pid() int { return c.proc.pid() }

// pong asks clamd whether it is there.
func (c *Clamd) pong() bool {
	conn, err := net.DialTimeout("unix", c.Socket, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprint(conn, "zPING\x00")
	answer := make([]byte, 5)
	n, _ := conn.Read(answer)
	return string(answer[:n]) == "PONG\x00"
}

func (c *Clamd) configure(t TB, conf []string) {
	t.Helper()
	for _, d := range []string{"db", "tmp"} {
		if err := os.Mkdir(filepath.Join(c.dir, d), 0o755); err != nil {
			t.Fatalf("%v", err)
		}
	}
	writeFile(t, filepath.Join(c.dir, "db", "eicar.ndb"), "Eicar-Test:0:0:"+hex.EncodeToString([]byte(sample.EICAR))+"\n")
	host, port, _ := net.SplitHostPort(c.Addr)
	text := "" // the first line of a kind counts
	for _, line := range conf {
		text += line + "\n"
	}
	text += fmt.Sprintf(clamdConf, c.dir, c.Socket, host, port)
	if os.Geteuid() == 0 {
		text += "User root\n"
	}
	writeFile(t, filepath.Join(c.dir, "clamd.conf"), text)
}

const clamdConf = `Foreground yes
DatabaseDirectory %[1]s/db
TemporaryDirectory %[1]s/tmp
LocalSocket %[2]s
LocalSocketMode 666
FixStaleSocket yes
TCPAddr %[3]s
TCPSocket %[4]s
MaxThreads 4
AlertExceedsMax yes
StreamMaxLength 100M
MaxScanSize 400M
MaxFileSize 100M
`
