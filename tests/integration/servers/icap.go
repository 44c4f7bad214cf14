package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/milterscan/milterscan/tests/procstat"
)

// ICAP is a private c-icap whose service "avscan" asks a clamd.
type ICAP struct {
	Addr string // its address, as in "icap://Addr/avscan"

	dir  string
	proc *process
}

// StartICAP starts a c-icap in front of a clamd. Cleanup stops it.
func StartICAP(t TB, engine *Clamd) *ICAP {
	t.Helper()
	dir := newDir(t)
	c := &ICAP{Addr: newAddr(t), dir: dir}
	modules, _ := filepath.Glob("/usr/lib/*/c_icap")
	if len(modules) == 0 {
		t.Fatalf("c-icap is not installed (.ci/packages installs it)")
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	conf := fmt.Sprintf(icapConf, dir, c.Addr, modules[0], engine.Socket)
	if os.Geteuid() == 0 {
		conf += "User root\nGroup root\n"
	}
	writeFile(t, filepath.Join(dir, "c-icap.conf"), conf)
	c.Start(t)
	t.Cleanup(c.Stop)
	return c
}

// URL returns the address of a service, such as "avscan".
func (c *ICAP) URL(service string) string { return "icap://" + c.Addr + "/" + service }

// Start starts a stopped c-icap again, on the same address.
func (c *ICAP) Start(t TB) {
	t.Helper()
	c.proc = run(t, filepath.Join(c.dir, "output.log"), "c-icap", "-N", "-f", filepath.Join(c.dir, "c-icap.conf"))
	c.proc.ready(t, "c-icap at "+c.Addr, func() bool { return answers("tcp", c.Addr) })
}

// Pid returns the process id of c-icap, the parent of those that do its work.
func (c *ICAP) Pid() int { return c.proc.pid() }

// Stop ends c-icap.
func (c *ICAP) Stop() { c.proc.stop() }

// Kill ends c-icap and its children as a crash would, and clears away the locks and
// shared memory that it cannot clear away itself then.
func (c *ICAP) Kill() {
	for _, path := range c.shared() {
		defer os.Remove(path)
	}
	for _, pid := range c.children() {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	c.proc.kill()
}

// shared returns the files outside its directory by which c-icap's processes talk.
func (c *ICAP) shared() (paths []string) {
	open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.proc.pid()))
	for _, link := range open {
		if path, err := os.Readlink(link); err == nil && (strings.HasPrefix(path, "/dev/shm/c-icap") ||
			strings.HasPrefix(path, "/tmp/icap_lock")) {
			paths = append(paths, path)
		}
	}
	return paths
}

// Pause makes c-icap hang: connections are accepted, nothing is answered.
func (c *ICAP) Pause() { c.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (c *ICAP) Resume() { c.signal(syscall.SIGCONT) }

func (c *ICAP) signal(s syscall.Signal) {
	for _, pid := range append(c.children(), c.proc.pid()) {
		syscall.Kill(pid, s)
	}
}

// children returns the processes that do c-icap's work.
func (c *ICAP) children() []int {
	return procstat.Children(c.proc.pid())
}

const icapConf = `PidFile %[1]s/c-icap.pid
CommandsSocket %[1]s/c-icap.ctl
Port %[2]s
TmpDir %[1]s/tmp
StartServers 1
MaxServers 2
ThreadsPerChild 10
ModulesDir %[3]s/
ServicesDir %[3]s/
TemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic
ServerLog %[1]s/server.log
AccessLog %[1]s/access.log
Service echo srv_echo.so
Service antivirus_module virus_scan.so
ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE
virus_scan.MaxObjectSize 50M
virus_scan.DefaultEngine clamd
virus_scan.Allow204Responces on
Module common clamd_mod.so
clamd_mod.ClamdSocket %[4]s
`
