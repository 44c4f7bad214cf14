//go:build linux

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
)

// waiting makes files of a queue, by path below dir with the age of each.
func waiting(t *testing.T, dir string, files map[string]time.Duration) {
	t.Helper()
	for name, age := range files {
		file := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(file), 0o700)
		if err == nil {
			err = os.WriteFile(file, nil, 0o600)
		}
		if err == nil {
			err = os.Chtimes(file, today.Add(-age), today.Add(-age))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const hour, day = time.Hour, 24 * time.Hour

// Messages that an MTA holds are counted, and long ones are something to decide about.
func TestHeldMail(t *testing.T) {
	for name, c := range map[string]struct {
		postfix, sendmail map[string]time.Duration
		want              [2]string // level: what, of each
	}{
		"none": {nil, nil, [2]string{"ok: Postfix' hold queue holds no message", "ok: Sendmail's queue holds no message"}},
		"others": {map[string]time.Duration{"deferred/A/AAAA": 9 * day, "active/BBBB": day}, map[string]time.Duration{"q1/qf1": 9 * day, "q1/df1": 9 * day},
			[2]string{"ok: Postfix' hold queue holds no message", "ok: Sendmail's queue holds no message"}},
		"new": {map[string]time.Duration{"hold/AAAA": hour}, map[string]time.Duration{"q1/hf1": hour, "q1/df1": hour},
			[2]string{"ok: Postfix' hold queue holds 1 message, the oldest since 2026-11-22", "ok: Sendmail's queue holds 1 message, the oldest since"}},
		"old, hashed": {map[string]time.Duration{"hold/A/AAAA": hour, "hold/B/BBBB": 3*day + 5*hour + time.Minute}, map[string]time.Duration{"q1/qf/hf1": hour, "q2/qf/hf2": 2 * day, "q2/df/df2": 9 * day},
			[2]string{"advice: Postfix' hold queue holds 2 messages, the oldest for 77h: nobody gets them", "advice: Sendmail's queue holds 2 messages, the oldest for 2d"}},
	} {
		h := sound(t)
		dir := t.TempDir()
		waiting(t, h.dir, c.postfix)
		waiting(t, dir, c.sendmail)
		cf := filepath.Join(t.TempDir(), "sendmail.cf")
		if err := os.WriteFile(cf, []byte("O QueueDirectory="+dir+"/q*\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &Installation{Config: config.Default(), Sendmail: cf, Now: today}
		for i, found := range [][]Finding{h.installation(t, "").postfix(t.Context()), p.sendmail(t.Context())} {
			f := found[len(found)-1]
			if got := f.Level.String() + ": " + f.What; !strings.HasPrefix(got, c.want[i]) || (f.Level == Advice) != strings.Contains(f.Fix, "lets a message go on") {
				t.Errorf("%s: %s (%s), want %s", name, got, f.Fix, c.want[i])
			}
		}
	}
}

// A queue that cannot be looked into is not called empty.
func TestHeldMailUnknown(t *testing.T) {
	if f := heldBy(held{}, os.ErrPermission, today, "the queue", "x"); f.Level != Advice || !strings.Contains(f.What, "is not known") {
		t.Errorf("%+v", f)
	}
}

// What milterscan check warns of, doctor shows.
func TestNotesOfTheConfiguration(t *testing.T) {
	p := sound(t).installation(t, "")
	p.Notes = []config.Problem{{File: "m.toml", Line: 4, Key: "rule", What: `"b" never decides: all of it is decided by "a"; put it in front of that`}}
	if found := p.configuration(t.Context()); !named(found, "", `m.toml:4: rule: "b" never decides`, "put it in front") || len(faults(found)) > 0 {
		t.Errorf("%+v", found)
	}
}
