package setup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a throw-away configuration: two files to change and one to be made.
func tree(t *testing.T) (dir string, plan *Plan) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"main.cf": "a = 1\nb = 2\n", "other.cf": "x\n", "alone.cf": "not ours\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	plan = &Plan{MTA: testMTA(dir)}
	for _, name := range []string{"main.cf", "other.cf"} {
		c, err := read(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		c.New = append(c.Old, "milterscan = yes\n"...)
		plan.Changes = append(plan.Changes, c)
	}
	plan.Changes = append(plan.Changes, Change{Path: filepath.Join(dir, "new.cf"), New: []byte("new\n"), Mode: 0o600})
	return dir, plan
}

// snapshot is every file below a directory with its mode.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		b.WriteString(info.Mode().String() + " " + path + "\n" + string(text) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// testMTA is one whose setup can only be undone as a whole.
func testMTA(dir string) MTA {
	return MTA{Name: "test", Dir: dir, procedure: procedure{remover: func(_ context.Context, _ MTA, _ string, _ Us, j *journal) (*Plan, error) {
		if j == nil {
			return nil, ErrNotSetUp
		}
		return nil, j.untouched()
	}}}
}

// takeOut is what "milterscan setup --uninstall" does.
func takeOut(s Site, m MTA) error {
	p, err := s.Removal(context.Background(), m, Us{})
	if err != nil {
		return err
	}
	return s.TakeOut(context.Background(), p)
}

func noProbe(context.Context) error { return nil }

func TestApplyAndUninstall(t *testing.T) {
	dir, plan := tree(t)
	site := Site{State: t.TempDir()}
	before := snapshot(t, dir)
	if err := site.Apply(t.Context(), plan, noProbe); err != nil {
		t.Fatal(err)
	}
	for _, c := range plan.Changes {
		if now, _ := os.ReadFile(c.Path); string(now) != string(c.New) {
			t.Errorf("%s holds %q", c.Path, now)
		}
	}
	if was, err := site.Recover(t.Context(), "test"); was || err != nil {
		t.Errorf("a setup that is complete was undone: %v, %v", was, err)
	}
	if err := takeOut(site, plan.MTA); err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("after uninstall:\n%s\nbefore:\n%s", after, before)
	}
	if err := takeOut(site, plan.MTA); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("uninstalled again: %v", err)
	}
}

var errStep = errors.New("the disk is full")

// Whatever step fails, everything is as it was, and the error says so.
func TestFailureAtEveryStep(t *testing.T) {
	for step := range steps(t) {
		dir, plan := tree(t)
		before := snapshot(t, dir)
		n := 0
		site := Site{State: t.TempDir(), before: func(string) error {
			if n++; n == step+1 {
				return errStep
			}
			return nil
		}}
		if err := site.Apply(t.Context(), plan, noProbe); !errors.Is(err, errStep) {
			t.Errorf("step %d: error %v", step, err)
		}
		if after := snapshot(t, dir); after != before {
			t.Errorf("step %d: left behind:\n%s", step, after)
		}
		if left, _ := os.ReadDir(filepath.Join(site.State, "test")); len(left) > 0 {
			t.Errorf("step %d: the state still has %v", step, left)
		}
	}
}

// Whatever step the process ends at, the next call puts everything back.
func TestKilledAtEveryStep(t *testing.T) {
	for step := range steps(t) {
		for name, repair := range map[string]func(Site) error{
			"setup": func(s Site) error { _, err := s.Recover(context.Background(), "test"); return err },
			"uninstall": func(s Site) error {
				_, err := s.Recover(context.Background(), "test")
				return errors.Join(err, takeOut(s, testMTA(t.TempDir())))
			},
		} {
			dir, plan := tree(t)
			before := snapshot(t, dir)
			n := 0
			site := Site{State: t.TempDir(), before: func(string) error {
				if n++; n == step+1 {
					return errKilled
				}
				return nil
			}}
			if err := site.Apply(t.Context(), plan, noProbe); !errors.Is(err, errKilled) {
				t.Fatalf("step %d: error %v", step, err)
			}
			site.before = nil
			// A half-written file may be there, too.
			os.WriteFile(plan.Changes[0].Path+passing, []byte("half"), 0o600)
			if err := repair(site); err != nil && !errors.Is(err, ErrNotSetUp) {
				t.Errorf("step %d, %s: %v", step, name, err)
			}
			if step == 0 {
				os.Remove(plan.Changes[0].Path + passing) // nothing had begun
			}
			if after := snapshot(t, dir); after != before {
				t.Errorf("step %d, %s: left behind:\n%s", step, name, after)
			}
		}
	}
}

// Whatever step a removal ends at, the next call goes on from where files were
// whole, and ends with everything as it was before the setup.
func TestRemovalKilledAtEveryStep(t *testing.T) {
	for step := range steps(t) {
		for _, end := range []error{errKilled, errStep} {
			dir, plan := tree(t)
			before := snapshot(t, dir)
			site := Site{State: t.TempDir()}
			if err := site.Apply(t.Context(), plan, noProbe); err != nil {
				t.Fatal(err)
			}
			set := snapshot(t, dir)
			n := 0
			site.before = func(string) error {
				if n++; n == step+1 {
					return end
				}
				return nil
			}
			if err := takeOut(site, plan.MTA); !errors.Is(err, end) {
				t.Fatalf("step %d: error %v", step, err)
			}
			site.before = nil
			if _, err := site.Recover(t.Context(), "test"); err != nil {
				t.Errorf("step %d: %v", step, err)
			}
			if now := snapshot(t, dir); now != set {
				t.Errorf("step %d: half taken out:\n%s", step, now)
			}
			if err := takeOut(site, plan.MTA); err != nil {
				t.Errorf("step %d: %v", step, err)
			}
			if after := snapshot(t, dir); after != before {
				t.Errorf("step %d: left behind:\n%s", step, after)
			}
		}
	}
}

// What was changed after the setup stays when milterscan is taken out.
func TestPartOnly(t *testing.T) {
	mc := "OSTYPE(`linux')dnl\nMAILER(`local')dnl\n"
	set, err := withFilter([]byte(mc), "tcp:127.0.0.1:7357")
	if err != nil {
		t.Fatal(err)
	}
	changed := "dnl mine\n" + strings.Replace(string(set), "MAILER(`local')", "FEATURE(`x')dnl\nMAILER(`local')", 1)
	got, err := withoutFilter([]byte(changed))
	if want := "dnl mine\nOSTYPE(`linux')dnl\nFEATURE(`x')dnl\nMAILER(`local')dnl\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := withoutFilter([]byte(strings.Replace(string(set), "INPUT_MAIL_FILTER(`milterscan'", "INPUT_MAIL_FILTER(`milterscan', `x", 1))); err == nil {
		t.Error("a filter that was changed is half taken out")
	}
	if _, err := withoutFilter([]byte(mc)); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("without a filter: %v", err)
	}
	if got := insertions("a\nb\n", "x\na\ny\nz\nb\n"); len(got) != 2 || got[0] != "x\n" || got[1] != "y\nz\n" {
		t.Errorf("%q", got)
	}
}

// steps is the number of steps there are.
func steps(t *testing.T) int {
	t.Helper()
	_, plan := tree(t)
	n := 0
	site := Site{State: t.TempDir(), before: func(string) error { n++; return nil }}
	if err := site.Apply(t.Context(), plan, noProbe); err != nil {
		t.Fatal(err)
	}
	return n
}

// A check, a reload or a probe that fails undoes everything.
func TestCommandFails(t *testing.T) {
	program, err := exec.LookPath("false")
	if err != nil {
		t.Skip(err)
	}
	for name, spoil := range map[string]func(*Plan){
		"check": func(p *Plan) { p.Checks = []Command{{program, "check"}} },
		"gone":  func(p *Plan) { p.Checks = []Command{{"/nowhere/postfix", "check"}} },
	} {
		dir, plan := tree(t)
		spoil(plan)
		before := snapshot(t, dir)
		err := Site{State: t.TempDir()}.Apply(t.Context(), plan, noProbe)
		if err == nil || !strings.Contains(err.Error(), "check") || !strings.Contains(err.Error(), "as it was before") {
			t.Errorf("%s: error %v", name, err)
		}
		if after := snapshot(t, dir); after != before {
			t.Errorf("%s: left behind:\n%s", name, after)
		}
	}
}

// Files that changed under our hands are nobody's to overwrite.
func TestChangedByOthers(t *testing.T) {
	_, plan := tree(t)
	main := plan.Changes[0].Path
	write := func(text string) {
		if err := os.WriteFile(main, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	site := Site{State: t.TempDir()}
	write("changed before\n")
	if err := site.Apply(t.Context(), plan, noProbe); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("applied to a file that is another: %v", err)
	}
	write(string(plan.Changes[0].Old))
	if err := site.Apply(t.Context(), plan, noProbe); err != nil {
		t.Fatal(err)
	}
	write("changed after\n")
	if err := takeOut(site, plan.MTA); err == nil || !strings.Contains(err.Error(), "by hand") {
		t.Errorf("uninstalled over a change: %v", err)
	}
	if now, _ := os.ReadFile(main); string(now) != "changed after\n" {
		t.Errorf("the change is lost: %q", now)
	}
	if old, err := filepath.Glob(filepath.Join(site.State, "test", "*-main.cf")); err != nil || len(old) != 1 {
		t.Errorf("the backups are %q, %v", old, err)
	}
}

// Without the right to keep anything, nothing is changed.
func TestNoRights(t *testing.T) {
	dir, plan := tree(t)
	before := snapshot(t, dir)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Site{State: filepath.Join(file, "state")}).Apply(t.Context(), plan, noProbe); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("error %v", err)
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("left behind:\n%s", after)
	}
}

func TestDiff(t *testing.T) {
	a := strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20")
	for _, c := range []struct {
		name, b, want string
	}{
		{"equal", strings.Join(a, " "), ""},
		{"one line", "1 2 3 4 x 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
		{"at the end", strings.Join(a, " ") + " 21", "@@ -18,3 +18,4 @@\n 18\n 19\n 20\n+21\n"},
		{"two hunks", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -17,4 +18,3 @@\n 17\n 18\n 19\n-20\n"},
	} {
		if got := diff(a, strings.Fields(c.b)); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
	if got := (Change{Path: "/x", New: []byte("a\n")}).Diff(); got != "--- /dev/null\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n" {
		t.Errorf("new file:\n%s", got)
	}
}

func TestSendmailSource(t *testing.T) {
	mc := "OSTYPE(`linux')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n"
	got, err := withFilter([]byte(mc), "tcp:127.0.0.1:7357")
	if err != nil || !strings.Contains(string(got), "inet:7357@127.0.0.1") || !strings.Contains(string(got), "INPUT_MAIL_FILTER(`milterscan'") || !strings.HasSuffix(string(got), mc[strings.Index(mc, "MAILER"):]) {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := withFilter(got, "unix:/run/m"); !errors.Is(err, ErrNothingToDo) {
		t.Errorf("again: %v", err)
	}
	if _, err := withFilter([]byte("OSTYPE(`linux')dnl\n"), "unix:/run/m"); err == nil {
		t.Error("no error without mailers")
	}
}

func TestLookup(t *testing.T) {
	if _, err := Lookup(t.Context(), "postfxi", Place{}); err == nil || !strings.Contains(err.Error(), "there are postfix, sendmail, exim") {
		t.Errorf("error %v", err)
	}
	if _, err := Lookup(t.Context(), "postfix", Place{Program: "/nowhere/postconf"}); err == nil || !strings.Contains(err.Error(), "/nowhere/postconf") {
		t.Errorf("error %v", err)
	}
}
