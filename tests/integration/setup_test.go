package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
}

// What would leave mail unexamined, or all of it deferred, is not done.
func TestSetupRefuses(t *testing.T) {
	needServers(t)
	p := servers.StartPlainPostfix(t)
	config := filepath.Join(t.TempDir(), "milterscan.toml")
	for socket, want := range map[string]string{
		"unix:" + p.MilterSocket():   "is not listening",
		"unix:/run/elsewhere/m.sock": "runs in a chroot",
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
