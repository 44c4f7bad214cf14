package servers

import (
	_ "embed" // the configuration
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Exim is a private Exim, unpacked into a separate directory, since its
// packages and those of Postfix exclude each other. Whatever it accepts, for any
// recipient, goes through "milterscan filter" into one maildir.
//
// It insists on its own user and a file in /etc, so it is given an /etc that no other
// process sees.
type Exim struct {
	Addr  string // where its SMTP server listens
	Inbox *Maildir

	dir  string
	proc *process
}

// Hook is where a mail on its way through Exim meets milterscan.
type Hook string

// The hooks contrib/exim tells of.
const (
	InFront         Hook = "in front"         // of all routing: router.conf and transport.conf
	TransportFilter Hook = "transport filter" // of the last transport
)

//go:embed exim.conf
var eximConf string

// StartExim starts an Exim with the hook. milterscan gets the configuration, a
// whole file, in which @dir@/kept is a directory that it may write to, and is asked
// without a daemon unless the file names one's socket.
func StartExim(t TB, hook Hook, config string) *Exim {
	t.Helper()
	needRoot(t, "Exim")
	dir := newDir(t)
	e := &Exim{Addr: newAddr(t), dir: dir, Inbox: &Maildir{dir: filepath.Join(dir, "mail")}}
	e.install(t, config)
	e.makeEtc(t)
	writeFile(t, e.path("conf/exim.conf"), e.conf(t, hook))
	e.Start(t)
	t.Cleanup(e.Stop)
	return e
}

// ConfigureExim returns an Exim that is not started, with the configuration that Debian's package makes of the
// answers to its questions, in the form of update-exim4.conf.conf.
func ConfigureExim(t TB, answers string) *Exim {
	t.Helper()
	needRoot(t, "Exim")
	dir := newDir(t)
	e := &Exim{dir: dir}
	e.install(t, "")
	e.makeEtc(t)
	debian := unpacked(t, "exim-config")
	if out, err := exec.Command("cp", "-a", filepath.Join(debian, "etc/exim4"),
		e.path("etc/")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	users, err := os.ReadFile("/etc/passwd") // those that Debian's configuration names
	if err != nil {
		t.Fatalf("%v", err)
	}
	own, err := os.ReadFile(e.path("etc/passwd"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	writeFile(t, e.path("etc/passwd"), string(own)+string(users))
	writeFile(t, e.path("etc/mailname"), "mx.test.local\n")
	writeFile(t, e.path("etc/exim4/update-exim4.conf.conf"), answers)
	e.script(t, "update", "exec unshare --mount sh -c 'mount --bind %[1]s/etc /etc && "+
		"PATH="+debian+"/usr/sbin:$PATH exec update-exim4.conf --output /etc/exim4/exim4.conf'")
	if out, err := exec.Command(e.path("update")).CombinedOutput(); err != nil {
		t.Fatalf("update-exim4.conf: %v: %s", err, out)
	}
	return e
}

// Etc returns the directory that Exim takes for /etc.
func (e *Exim) Etc() string { return e.path("etc") }

// Program returns what to call it by: Exim with its own /etc.
func (e *Exim) Program() string { return e.path("exim-own-etc") }

// Config returns its directory of configuration.
func (e *Exim) Config() string { return e.path("conf") }

// Start starts a stopped Exim again.
func (e *Exim) Start(t TB) {
	t.Helper()
	e.proc = run(t, e.path("output.log"), e.Program(), "-C", e.path("conf/exim.conf"), "-bdf", "-q1s")
	e.proc.ready(t, "Exim at "+e.Addr, func() bool { return answers("tcp", e.Addr) })
}

// Stop ends Exim; its queue stays.
func (e *Exim) Stop() { e.proc.stop() }

// LogFile returns the path of its main log.
func (e *Exim) LogFile() string { return e.path("log/mainlog") }

// Explain runs "milterscan explain" with the configuration of the mail that Exim hands
// to it.
func (e *Exim) Explain(t TB, args ...string) (out string, status int) {
	t.Helper()
	cmd := exec.Command(e.path("milterscan"), append([]string{"explain", "-c", e.path("milterscan.toml")}, args...)...)
	text, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("milterscan explain: %v", err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// Log returns what Exim has logged so far.
func (e *Exim) Log() string {
	var all strings.Builder
	for _, name := range []string{"log/mainlog", "log/paniclog", "output.log"} {
		text, _ := os.ReadFile(e.path(name))
		all.Write(text)
	}
	return all.String()
}

// Queued returns the number of mails in the queue.
func (e *Exim) Queued(t TB) int {
	t.Helper()
	files, err := filepath.Glob(e.path("spool/input/*-H"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return len(files)
}

func (e *Exim) path(name string) string { return filepath.Join(e.dir, name) }

// install copies what Exim's processes run, under other users, to where they
// may read it.
func (e *Exim) install(t TB, config string) {
	t.Helper()
	copyFile(t, filepath.Join(unpacked(t, "exim"), "usr/sbin/exim4"), e.path("exim4"), 0o755|os.ModeSetuid)
	copyFile(t, Binary(t), e.path("milterscan"), 0o755)
	writeFile(t, e.path("milterscan.toml"), Private(strings.ReplaceAll(config, "@dir@", e.dir), e.dir))
	copyFile(t, filepath.Join(Root(t), "contrib/filter/milterscan-mda"), e.path("milterscan-mda"), 0o755)
	copyFile(t, filepath.Join(Root(t), "contrib/exim/milterscan-exim"), e.path("milterscan-exim"), 0o755)
	copyFile(t, filepath.Join(Root(t), "contrib/exim/milterscan-transport-filter"), e.path("milterscan-transport-filter"), 0o755)
	e.script(t, "filter", `MILTERSCAN=%[1]s/milterscan exec %[1]s/milterscan-transport-filter -c %[1]s/milterscan.toml`)
	e.script(t, "mda", `MILTERSCAN=%[1]s/milterscan exec %[1]s/milterscan-mda -c %[1]s/milterscan.toml "$@"`)
	e.script(t, "exim", `exec %[1]s/exim4 -C %[1]s/conf/exim.conf "$@"`)
	e.script(t, "exim-own-etc", `exec unshare --mount sh -c 'mount --bind %[1]s/etc /etc && exec %[1]s/exim4 "$@"' sh "$@"`)
	e.script(t, "hook", `MILTERSCAN_MDA=%[1]s/mda EXIM=%[1]s/exim exec %[1]s/milterscan-exim`)
}

// script makes a shell script of a line, in which %[1]s is the directory.
func (e *Exim) script(t TB, name, line string) {
	t.Helper()
	writeScript(t, e.path(name), "#!/bin/sh\n"+fmt.Sprintf(line, e.dir)+"\n")
}

// makeEtc makes what Exim reads of /etc.
func (e *Exim) makeEtc(t TB) {
	t.Helper()
	for _, d := range []string{"etc", "etc/exim4", "conf", "spool", "log", "mail", "kept"} {
		if err := os.Mkdir(e.path(d), 0o755); err != nil {
			t.Fatalf("%v", err)
		}
	}
	for _, name := range []string{"nsswitch.conf", "hosts", "ld.so.cache", "localtime"} {
		if text, err := os.ReadFile("/etc/" + name); err == nil {
			writeFile(t, e.path("etc/"+name), string(text))
		}
	}
	const uid = 65530 // of no other user
	writeFile(t, e.path("etc/passwd"), fmt.Sprintf("root:x:0:0::/:/bin/sh\nmail:x:8:8::/:/bin/sh\nDebian-exim:x:%d:%d::/:/bin/sh\n", uid, uid))
	writeFile(t, e.path("etc/group"), fmt.Sprintf("root:x:0:\nmail:x:8:\nDebian-exim:x:%d:\n", uid))
	writeFile(t, e.path("etc/exim4/trusted_configs"), e.path("conf/exim.conf")+"\n")
	for name, id := range map[string]int{"spool": uid, "log": uid, "kept": uid, "mail": 8} {
		if err := os.Chown(e.path(name), id, id); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// conf returns Exim's configuration, with the shipped snippets in it.
func (e *Exim) conf(t TB, hook Hook) string {
	t.Helper()
	host, port, _ := strings.Cut(e.Addr, ":")
	var routers, transports, filter string
	if hook == TransportFilter {
		filter = "transport_filter = " + e.path("filter")
	} else {
		routers, transports = shipped(t, "router.conf"), shipped(t, "transport.conf")
		transports = strings.Replace(transports, "/usr/local/lib/milterscan/milterscan-exim", e.path("hook"), 1)
	}
	return strings.NewReplacer("@dir@", e.dir, "@host@", host, "@port@", port,
		"@routers@", routers, "@transports@", transports, "@filter@", filter).Replace(eximConf)
}

// shipped returns a file of contrib/exim.
func shipped(t TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), "contrib", "exim", name))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

func copyFile(t TB, from, to string, mode os.FileMode) {
	t.Helper()
	if out, err := exec.Command("cp", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(to, mode); err != nil {
		t.Fatalf("%v", err)
	}
}
