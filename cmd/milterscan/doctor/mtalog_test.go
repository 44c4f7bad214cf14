package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

const removedLine = "Nov 29 17:10:02 mx postfix/qmgr[1]: 4A5B6C7D8E: removed\n"

// TestMTALog looks at logs that can be read, cannot, are strange, or are another MTA's.
func TestMTALog(t *testing.T) {
	h := sound(t)
	h.historyFile = filepath.Join(h.dir, "history.db")
	file := filepath.Join(h.dir, "mail.log")
	section := "[mta_log]\nfile = \"" + file + "\"\n"
	p := h.installation(t, section)
	now := p.Now
	if now.IsZero() {
		now = time.Now()
		p.Now = now
	}
	status := func(s mtalog.Status) *mtalog.Status { return &s }
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		status     *mtalog.Status
		level      Level
		want       string
	}{
		{"well", removedLine, 0o640, status(mtalog.Status{Source: file, Events: 7, Passed: 2, Joined: 1}), OK, "7 events; it told of 1 of the 2"},
		{"not there", "", 0, status(mtalog.Status{}), Fault, "no such file"},
		{"another form", strings.Repeat("29.11.2026|postfix|removed\n", 50), 0o640, status(mtalog.Status{}), Fault, "50 of the last 50 lines are in no form that is known"},
		{"no mail", strings.Repeat("Nov 29 17:10:02 mx cron[1]: job\n", 50), 0o640, status(mtalog.Status{}), Advice, "none of the last 50 lines"},
		{"not read yet", removedLine, 0o640, nil, Advice, "has not been read yet"},
		{"failing", removedLine, 0o640, status(mtalog.Status{Source: file, Error: "permission denied"}), Fault, "permission denied"},
		{"silent", removedLine, 0o640, status(mtalog.Status{Source: file, Passed: 3, Waiting: now.Add(-2 * time.Hour)}), Fault, "told of no message that passed since"},
		{"silent for a moment", removedLine, 0o640, status(mtalog.Status{Source: file, Passed: 3, Waiting: now.Add(-time.Minute)}), OK, "it told of 0 of the 3"},
	} {
		os.Remove(file)
		os.Remove(p.Config.History.StatusFile())
		if c.mode != 0 {
			writeText(t, file, c.text, c.mode)
		}
		if c.status != nil {
			text, _ := json.Marshal(c.status)
			writeText(t, p.Config.History.StatusFile(), string(text), 0o600)
		}
		var said bool
		for _, f := range p.mtaLog(t.Context()) {
			said = said || f.Level == c.level && strings.Contains(f.What, c.want) && (f.Level == OK) == (f.Fix == "")
		}
		if !said {
			t.Errorf("%s: %+v", c.name, p.mtaLog(t.Context()))
		}
	}
}

// TestUnreadableLog names the user and what to set.
func TestUnreadableLog(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("asks for another user than root")
	}
	h := sound(t)
	dir, err := os.MkdirTemp("", "milterscan-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "mail.log")
	p := h.installation(t, "[mta_log]\nfile = \""+file+"\"\n")
	p.User = "nobody"
	const adm = 4
	for _, c := range []struct {
		mode os.FileMode
		gid  int
		fix  string
	}{
		{0o640, adm, "usermod -aG adm nobody"}, {0o600, adm, "setfacl -m u:nobody:r " + file}, {0o640, 0, "setfacl -m u:nobody:r " + file},
	} {
		writeText(t, file, removedLine, c.mode)
		if err := os.Chown(file, 0, c.gid); err != nil {
			t.Fatal(err)
		}
		if f := p.logFile(file); f.Level != Fault || !strings.Contains(f.Fix, c.fix) || !strings.Contains(f.What, "nobody may not use") {
			t.Errorf("mode %o group %d: %+v", c.mode, c.gid, f)
		}
	}
	writeText(t, file, removedLine, 0o644)
	if f := p.logFile(file); f.Level != OK || !strings.Contains(f.What, "can be read: postfix") {
		t.Errorf("%+v", f)
	}
}

// TestUnusedLog finds the log that could be read, and calls it no fault that none is.
func TestUnusedLog(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "")
	file := filepath.Join(h.dir, "maillog")
	writeText(t, file, removedLine, 0o640)
	p.Logs = []string{filepath.Join(h.dir, "none"), file}
	if found := p.mtaLog(t.Context()); len(found) != 1 || found[0].Level != OK || !strings.Contains(found[0].What, "file = \""+file+"\"") {
		t.Errorf("%+v", found)
	}
}

func writeText(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	os.Remove(file)
	err := os.WriteFile(file, []byte(text), mode)
	if err == nil {
		err = os.Chmod(file, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}
