package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// workbench is an MTA's configuration, a copy of how it was, and what setup is
// called with.
type workbench struct {
	binary           string
	mta, dir, before string
	args             []string
}

func newWorkbench(t *testing.T, mta, dir, config string, args ...string) *workbench {
	t.Helper()
	w := &workbench{binary: servers.Binary(t), mta: mta, dir: dir, before: filepath.Join(t.TempDir(), "before")}
	if out, err := exec.Command("cp", "-a", dir, w.before).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.args = append([]string{"-c", config, "--dir", dir, "--state", filepath.Join(t.TempDir(), "state")}, args...)
	return w
}

// setup runs milterscan setup and returns what it showed.
func (w *workbench) setup(t *testing.T, stdin string, args ...string) (shown string, ok bool) {
	t.Helper()
	args = append(append([]string{"setup"}, w.args...), append(args, w.mta)...)
	cmd := exec.Command(w.binary, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	t.Logf("$ milterscan %s\n%s", strings.Join(args, " "), out)
	return string(out), err == nil
}

// install puts milterscan and its scripts where an installation has them.
func (w *workbench) install(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, file := range [][]string{{w.binary, "bin/"}, {"contrib/filter/milterscan-mda", "lib/milterscan/"}, {"contrib/exim/milterscan-exim", "lib/milterscan/"}} {
		from := file[0]
		if !filepath.IsAbs(from) {
			from = filepath.Join(servers.Root(t), from)
		}
		if out, err := exec.Command("install", "-D", "-t", filepath.Join(dir, file[1]), from).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	w.binary = filepath.Join(dir, "bin", filepath.Base(w.binary))
}

// wantAsBefore checks that not a byte differs.
func (w *workbench) wantAsBefore(t *testing.T, when string) {
	t.Helper()
	if out, err := exec.Command("diff", "-r", w.before, w.dir).CombinedOutput(); err != nil {
		t.Errorf("%s: diff -r: %v\n%s", when, err, out)
	}
}

// playThrough is a whole life: shown, declined, done, done again, undone.
func (w *workbench) playThrough(t *testing.T, mta servers.MTA) {
	t.Helper()
	if shown, ok := w.setup(t, "", "--dry-run"); !ok || !strings.Contains(shown, "+++ "+w.dir) {
		t.Error("the dry run shows no difference")
	}
	w.wantAsBefore(t, "after a dry run")
	if _, ok := w.setup(t, "n\n"); ok {
		t.Error("declined, and done all the same")
	}
	w.wantAsBefore(t, "after declining")
	wantAsking(t, mta, false)
	if shown, ok := w.setup(t, "y\n"); !ok || !strings.Contains(shown, "The probe was refused, as it should be: 550") {
		t.Error("the probe was not refused")
	}
	wantAsking(t, mta, true)
	if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "set up there already") {
		t.Error("set up twice")
	}
	if _, ok := w.setup(t, "", "--uninstall", "--yes"); !ok {
		t.Error("uninstall failed")
	}
	w.wantAsBefore(t, "after uninstall")
	wantAsking(t, mta, false)
	if _, ok := w.setup(t, "", "--uninstall", "--yes"); ok {
		t.Error("uninstalled twice")
	}
}

// wantAsking waits until a virus is refused, or not any more: an MTA that
// reloads needs a moment.
func wantAsking(t *testing.T, mta servers.MTA, want bool) {
	t.Helper()
	servers.Await(t, fmt.Sprintf("refusals: %v", want), func() bool {
		r := servers.Send(mta.SMTP(), infected())
		return r.Refused() == want && r.Code != 0
	})
}

func TestSetupPostfix(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t)
	m := servers.StartMilterscan(t, p.MilterSocket(), "")
	newWorkbench(t, "postfix", p.Config(), m.ConfigFile()).playThrough(t, p)
}

func TestSetupSendmail(t *testing.T) {
	needServers(t)
	s := servers.StartPlainSendmail(t)
	m := servers.StartMilterscan(t, s.MilterSocket(), "")
	newWorkbench(t, "sendmail", s.ConfigDir(), m.ConfigFile(), "--program", s.Program()).playThrough(t, s)
}

// Exim speaks no milter: its snippets are put into its configuration, Exim reads
// it, and it is as before afterwards.
func TestSetupExim(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	e := servers.StartExim(t, servers.TransportFilter, alone)
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	write(t, config, alone)
	w := newWorkbench(t, "exim", e.Config(), config, "--program", e.Program())
	if shown, ok := w.setup(t, "", "--yes"); ok || !strings.Contains(shown, "contrib/exim") {
		t.Error("set up without the script that is called")
	}
	w.wantAsBefore(t, "without the script")
	w.install(t)
	if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "+  transport = milterscan") {
		t.Error("not set up")
	}
	if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "set up there already") {
		t.Error("set up twice")
	}
	if _, ok := w.setup(t, "", "--uninstall", "--yes"); !ok {
		t.Error("uninstall failed")
	}
	w.wantAsBefore(t, "after uninstall")
	if _, ok := w.setup(t, "", "--yes"); !ok {
		t.Error("not set up again")
	}
	for _, file := range []string{w.dir, w.before} {
		conf := filepath.Join(file, "exim.conf")
		write(t, conf, "# mine\n"+read(t, conf))
	}
	if _, ok := w.setup(t, "", "--uninstall", "--yes"); !ok {
		t.Error("uninstall failed after a change")
	}
	w.wantAsBefore(t, "after uninstall of a changed file")
}

// What would leave mail unexamined, or all of it deferred, is not done.
func TestSetupRefuses(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t)
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	for socket, want := range map[string]string{
		"unix:" + p.MilterSocket():   "is not listening",
		"unix:/run/elsewhere/m.sock": "run \"install -d -o ",
		"tcp:127.0.0.1:1":            "is not listening",
	} {
		if err := os.WriteFile(config, fmt.Appendf(nil, "[milter]\nlisten = [%q]\n", socket), 0o600); err != nil {
			t.Fatal(err)
		}
		w := newWorkbench(t, "postfix", p.Config(), config)
		if shown, ok := w.setup(t, "", "--yes"); ok || !strings.Contains(shown, want) {
			t.Errorf("%s: not refused with %q", socket, want)
		}
		w.wantAsBefore(t, socket)
	}
	w := newWorkbench(t, "postfix", filepath.Dir(config), config)
	if _, ok := w.setup(t, "", "--yes"); ok {
		t.Error("set up without a main.cf")
	}
	w.wantAsBefore(t, "without a main.cf")
}

// outOfJail has Postfix run nothing in a chroot.
func outOfJail(t *testing.T, p *servers.Postfix) {
	t.Helper()
	file := filepath.Join(p.Config(), "master.cf")
	write(t, file, strings.ReplaceAll(read(t, file), " n - y ", " n - n "))
	write(t, file, strings.ReplaceAll(read(t, file), "unix n - y", "unix n - n"))
	p.Stop()
	p.Start(t)
}

// Whatever the rules do with a virus, and in a chroot or not, setup sees that
// Postfix asks milterscan, and no probe reaches a mailbox or the quarantine.
func TestSetupProbesUnderAnyRules(t *testing.T) {
	needServers(t)
	for name, config := range map[string]string{
		"hosting":    "profile = \"hosting\"\n",
		"tag-only":   "profile = \"tag-only\"\n",
		"quarantine": "[[rule]]\nname = \"q\"\nwhen = [\"infected\"]\naction = \"quarantine\"\n",
		"deliver":    "[[rule]]\nname = \"d\"\naction = \"deliver\"\n",
	} {
		for _, jail := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, chroot %v", name, jail), func(t *testing.T) {
				t.Parallel()
				p := servers.StartPlainPostfix(t)
				if !jail {
					outOfJail(t, p)
				}
				m := servers.StartMilterscan(t, p.MilterSocket(), config)
				w := newWorkbench(t, "postfix", p.Config(), m.ConfigFile())
				if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "its probe has arrived") {
					t.Error("the probe was not refused")
				}
				if r := servers.Send(p.SMTP(), clean("after")); r.Code != 250 {
					t.Errorf("after setup: %v", r)
				}
				if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "set up there already") || !strings.Contains(shown, "its probe has arrived") {
					t.Error("what is there already is not probed")
				}
				p.Settle(t)
				if n := p.Mailbox().Count(); n != 1 {
					t.Errorf("%d mails arrived, not 1", n)
				}
				if out, _ := m.Run(t, "quarantine list"); strings.Contains(out, "setup") {
					t.Errorf("the quarantine has the probe:\n%s", out)
				}
			})
		}
	}
}

// Where the daemon does not know this host's key and refuses no virus, the envelope
// shows whether Postfix reaches it.
func TestSetupProbesByEnvelope(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t)
	m := servers.StartMilterscan(t, p.MilterSocket(), "profile = \"hosting\"\n")
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	write(t, config, fmt.Sprintf("[milter]\nlisten = [\"unix:%s\"]\n[quarantine]\ndir = %q\n", m.Socket, filepath.Join(t.TempDir(), "q")))
	w := newWorkbench(t, "postfix", p.Config(), config)
	if shown, ok := w.setup(t, "", "--yes"); !ok || !strings.Contains(shown, "accepts MAIL and RCPT, so it reaches milterscan") {
		t.Error("not set up")
	}
	wantReply(t, "after setup", servers.Send(p.SMTP(), clean("after")), 250)
}

// A setup after which mail would be deferred, or would not be examined, is undone,
// whatever the rules do with a virus.
func TestSetupUndoesWhatFails(t *testing.T) {
	needServers(t)
	for name, c := range map[string]struct {
		spoil func(*testing.T, *servers.Postfix, *servers.Milterscan)
		want  string
	}{
		"may not connect": {func(t *testing.T, _ *servers.Postfix, m *servers.Milterscan) { chmod(t, m.Socket, 0o660) }, "install -d -o "},
		"may not connect, as is seen only by trying": {func(t *testing.T, _ *servers.Postfix, m *servers.Milterscan) {
			chmod(t, m.Socket, 0o660)
			withList(t, m.Socket)
		}, "so it does not reach milterscan"},
		"not asked about this host": {func(t *testing.T, p *servers.Postfix, _ *servers.Milterscan) {
			file := filepath.Join(p.Config(), "main.cf")
			write(t, file, read(t, file)+"smtpd_milter_maps = static:DISABLE\n")
		}, "it does not ask milterscan"},
		"master.cf has its own": {func(t *testing.T, p *servers.Postfix, _ *servers.Milterscan) {
			file := filepath.Join(p.Config(), "master.cf")
			write(t, file, strings.Replace(read(t, file), "smtpd\n", "smtpd\n  -o receive_override_options=no_milters\n", 1))
		}, "accepted the probe"},
		"Postfix complains, to a terminal only": {func(t *testing.T, p *servers.Postfix, _ *servers.Milterscan) {
			file := filepath.Join(p.Config(), "main.cf")
			write(t, file, read(t, file)+"command_directory = /nowhere\n")
		}, "fatal: chdir(/nowhere): No such file or directory"},
	} {
		for _, jail := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, chroot %v", name, jail), func(t *testing.T) {
				t.Parallel()
				p := servers.StartPlainPostfix(t)
				m := servers.StartMilterscan(t, p.MilterSocket(), "profile = \"hosting\"\n")
				c.spoil(t, p, m)
				if !jail {
					outOfJail(t, p)
				}
				w := newWorkbench(t, "postfix", p.Config(), m.ConfigFile())
				if shown, ok := w.setup(t, "", "--yes"); ok || !strings.Contains(shown, c.want) {
					t.Errorf("set up, or without %q", c.want)
				}
				w.wantAsBefore(t, name)
				servers.Await(t, "mail to pass as before", func() bool { return servers.Send(p.SMTP(), clean("after")).Code == 250 })
			})
		}
	}
}

// Taking milterscan out after main.cf was changed leaves the change, and other
// milters, alone; it needs neither a configuration of milterscan's that can be read
// nor the memory of a setup.
func TestSetupTakesOnlyItsOwnOut(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t, "smtpd_milters = inet:127.0.0.1:1 { inet:127.0.0.1:2, default_action=accept }", "non_smtpd_milters = $smtpd_milters", "milter_default_action = accept")
	m := servers.StartMilterscan(t, p.MilterSocket(), "profile = \"hosting\"\n")
	main := filepath.Join(p.Config(), "main.cf")
	w := newWorkbench(t, "postfix", p.Config(), m.ConfigFile())
	others := read(t, main)
	takenOut := func(when string) {
		t.Helper()
		if _, ok := w.setup(t, "", "--yes", "--uninstall"); !ok {
			t.Errorf("%s: not taken out", when)
		}
		if now := read(t, main); now != others+"# mine\n" {
			t.Errorf("%s: main.cf is\n%s", when, now)
		}
	}
	if _, ok := w.setup(t, "", "--yes"); !ok {
		t.Fatal("not set up")
	}
	wantAsking(t, p, false) // hosting keeps a virus: the client hears 250
	write(t, main, read(t, main)+"# mine\n")
	takenOut("after a change")
	write(t, main, others)
	if _, ok := w.setup(t, "", "--yes"); !ok {
		t.Fatal("not set up again")
	}
	write(t, main, read(t, main)+"# mine\n")
	m.Stop()
	write(t, m.ConfigFile(), "no such thing\n")
	takenOut("with a broken configuration")
	wantReply(t, "without milterscan", servers.Send(p.SMTP(), clean("after")), 250)
	write(t, main, strings.Replace(read(t, main), "smtpd_milters = ", "smtpd_milters = unix:milterscan/milter.sock, ", 1))
	write(t, m.ConfigFile(), fmt.Sprintf("[milter]\nlisten = [\"unix:%s\"]\n", m.Socket))
	takenOut("hooked by hand")
	if _, ok := w.setup(t, "", "--yes", "--uninstall"); ok {
		t.Error("taken out twice")
	}
}

// The same for Sendmail's source, of which sendmail.cf is made again.
func TestSetupTakesOnlyItsOwnOutOfSendmail(t *testing.T) {
	needServers(t)
	s := servers.StartPlainSendmail(t)
	m := servers.StartMilterscan(t, s.MilterSocket(), "")
	w := newWorkbench(t, "sendmail", s.ConfigDir(), m.ConfigFile(), "--program", s.Program())
	mc := filepath.Join(s.ConfigDir(), "sendmail.mc")
	before := read(t, mc)
	if _, ok := w.setup(t, "", "--yes"); !ok {
		t.Fatal("not set up")
	}
	write(t, mc, "dnl mine\n"+read(t, mc))
	if _, ok := w.setup(t, "", "--yes", "--uninstall"); !ok {
		t.Error("not taken out")
	}
	if now := read(t, mc); now != "dnl mine\n"+before {
		t.Errorf("sendmail.mc is\n%s", now)
	}
	wantAsking(t, s, false)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// withList gives a file an access control list that lets user 1 in (acl(5); the
// mask is all, so that the file's mode says nothing).
func withList(t *testing.T, path string) {
	t.Helper()
	var list bytes.Buffer
	binary.Write(&list, binary.LittleEndian, uint32(2)) // the version
	for _, e := range []struct {
		tag, rights uint16
		id          uint32
	}{{1, 6, 1<<32 - 1}, {2, 6, 1}, {4, 6, 1<<32 - 1}, {16, 6, 1<<32 - 1}, {32, 0, 1<<32 - 1}} {
		binary.Write(&list, binary.LittleEndian, e)
	}
	if err := syscall.Setxattr(path, "system.posix_acl_access", list.Bytes(), 0); err != nil {
		t.Skip("no access control lists here: ", err)
	}
}

// The remedy that doctor used to name, the whole path in a chroot, stops all mail;
// doctor sees that now, and setup, which it names, mends it.
func TestDoctorNamesWhatWorks(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t)
	m := servers.StartMilterscan(t, p.MilterSocket(), "profile = \"hosting\"\n")
	main := filepath.Join(p.Config(), "main.cf")
	doctor := func() string {
		out, _ := m.Run(t, "doctor", "-v", "-postfix", p.Config(), "-user", "root")
		return out
	}
	if out := doctor(); !strings.Contains(out, "fix: milterscan setup postfix") {
		t.Errorf("before:\n%s", out)
	}
	write(t, main, read(t, main)+fmt.Sprintf("smtpd_milters = unix:%s\nnon_smtpd_milters = unix:%[1]s\n", p.MilterSocket()))
	p.Stop()
	p.Start(t)
	wantReply(t, "the whole path in a chroot", servers.Send(p.SMTP(), clean("lost")), 451)
	if out := doctor(); !strings.Contains(out, "smtpd runs in a chroot") || !strings.Contains(out, "fix: milterscan setup postfix") {
		t.Errorf("with the whole path in a chroot:\n%s", out)
	}
	w := newWorkbench(t, "postfix", p.Config(), m.ConfigFile())
	if _, ok := w.setup(t, "", "--yes"); !ok {
		t.Error("setup does not mend it")
	}
	wantReply(t, "after setup", servers.Send(p.SMTP(), clean("after")), 250)
	if out := doctor(); strings.Contains(out, "FAULT   Postfix") && !strings.Contains(out, "message_size_limit") || !strings.Contains(out, "asks milterscan at unix:milterscan/milter.sock") {
		t.Errorf("after setup:\n%s", out)
	}
}
