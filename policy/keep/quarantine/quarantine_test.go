package quarantine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

const mail = "Subject: x\r\nTo: b@example.com\r\n\r\nbody\r\n.\r\n"

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// id is the n-th id.
func id(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }

// record is of a message to two, of whom one got it.
func record(n int) policy.Record {
	return policy.Record{
		Version: policy.RecordVersion, ID: id(n), Time: now.Add(time.Duration(n) * time.Hour), Sender: "a@example.net", Recipients: append(to("quarantine", "b@example.com"), to("deliver", "c@example.com")...),
		Subject: "x", QueueID: "4F2A", Action: "quarantine", Size: int64(len(mail)),
		Findings: []policy.RecordFinding{
			{Kind: scan.Suspicious, Scanner: "content", Rule: "content/odd"},
			{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x"},
		},
		Verdicts: []policy.RecordVerdict{
			{Recipients: []string{"c@example.com"}, Action: "deliver", Because: 0, Rule: &policy.RecordRule{Name: "mark"}},
			{Recipients: []string{"b@example.com"}, Action: "quarantine", Because: 1, Rule: &policy.RecordRule{Name: "keep viruses"},
				Matches: []policy.RecordMatch{{Rule: policy.RecordRule{Name: "from nobody"}, Finding: -1, Decides: true}}},
		},
	}
}

// to has recipients of whom the same became.
func to(action string, addresses ...string) []policy.RecordRecipient {
	var list []policy.RecordRecipient
	for _, a := range addresses {
		list = append(list, policy.RecordRecipient{Recipient: a, Action: action})
	}
	return list
}

func aCopy(n int) policy.Copy { return policy.Copy{Record: record(n), Raw: strings.NewReader(mail)} }

// newDir returns an empty store, in a directory that is not there yet.
func newDir(t *testing.T) (*Dir, *memory) {
	t.Helper()
	index := newMemory()
	return NewDir(filepath.Join(t.TempDir(), "made", "on demand"), index, func(err error) { t.Log(err) }), index
}

func keep(t *testing.T, d *Dir, n int) {
	t.Helper()
	if err := d.Keep(t.Context(), aCopy(n)); err != nil {
		t.Fatal(err)
	}
}

// shardPath and pathOf are the paths of the directory of a message and of a file in it.
func shardPath(d *Dir, n int) string { return filepath.Join(d.path, shardOf(id(n))) }
func pathOf(d *Dir, n int, file func(string) string) string {
	return filepath.Join(shardPath(d, n), file(id(n)))
}

func read(t *testing.T, s Store, id string) string {
	t.Helper()
	r, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKeep(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	if got := read(t, d, id(1)); got != mail {
		t.Errorf("kept %q", got)
	}
	e, err := d.Entry(t.Context(), id(1))
	if err != nil || e.State != Kept || e.Class != "infected" || e.Record.QueueID != "4F2A" || e.Stored == 0 || len(e.SHA256) != 64 {
		t.Errorf("entry %+v, %v", e, err)
	}
	if r := e.Row(); r.Reason != "virus/x" || r.Sender != "a@example.net" {
		t.Errorf("row %+v", r)
	}
	for file, mode := range map[string]os.FileMode{d.path: 0o700 | os.ModeDir, shardPath(d, 1): 0o700 | os.ModeDir, pathOf(d, 1, messageOf): 0o600, pathOf(d, 1, entryOf): 0o600} {
		if info, err := os.Stat(file); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

// broken is content that cannot be read to its end.
type broken struct{ *bytes.Reader }

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errors.New("the disk says no") }

func TestNothingIsLeftOfACopyThatFailed(t *testing.T) {
	d, _ := newDir(t)
	if err := d.Keep(t.Context(), policy.Copy{Record: record(1), Raw: broken{bytes.NewReader([]byte(mail))}}); err == nil {
		t.Error("a copy that could not be made was reported safe")
	}
	if left, _ := os.ReadDir(shardPath(d, 1)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// ending is content whose time is over when it is read.
type ending struct {
	*bytes.Reader
	cancel func()
}

func (e ending) ReadAt(p []byte, off int64) (int, error) {
	e.cancel()
	return e.Reader.ReadAt(p, off)
}

// TestKeepEndsWithTheTime leaves nothing of a copy that is not made in time.
func TestKeepEndsWithTheTime(t *testing.T) {
	d, _ := newDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := aCopy(1)
	c.Raw = ending{bytes.NewReader([]byte(mail)), cancel}
	if err := d.Keep(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("kept: %v", err)
	}
	if left, _ := os.ReadDir(shardPath(d, 1)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeepFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	strange := aCopy(1)
	strange.Record.ID = "../../../etc/x"
	for name, c := range map[string]struct {
		ctx  context.Context
		dir  string
		copy policy.Copy
	}{"no directory": {t.Context(), file, aCopy(1)}, "out of time": {done, t.TempDir(), aCopy(1)}, "a path for an id": {t.Context(), t.TempDir(), strange}} {
		if err := NewDir(c.dir, newMemory(), nil).Keep(c.ctx, c.copy); err == nil {
			t.Errorf("%s: reported safe", name)
		}
	}
}

// An index that is out of order costs no message.
func TestTheIndexIsNoPartOfThePromise(t *testing.T) {
	d, index := newDir(t)
	index.err = errors.New("database is locked")
	var told error
	d.warn = func(err error) { told = err }
	keep(t, d, 1)
	if !errors.Is(told, index.err) {
		t.Errorf("told %v", told)
	}
	index.err = nil
	rows, err := d.Find(t.Context(), Filter{})
	if err != nil || len(rows) != 1 || rows[0].ID != id(1) {
		t.Errorf("found %+v, %v", rows, err)
	}
}

// What the index had no room for is in it later, as it is then; what is damaged is named.
func TestComplete(t *testing.T) {
	d, index := newDir(t)
	d.warn = func(error) {}
	keep(t, d, 1)
	if _, err := d.Find(t.Context(), Filter{}); err != nil { // of a complete index
		t.Fatal(err)
	}
	lost := func(n int) {
		keep(t, d, n)
		delete(index.rows, id(n))
	}
	lost(2)
	lost(3)
	lost(4)
	if err := d.Change(t.Context(), id(3), func(e *Entry) error { e.State = Released; return nil }); err != nil {
		t.Fatal(err)
	}
	delete(index.rows, id(3))
	if err := os.WriteFile(pathOf(d, 4, entryOf), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Complete(t.Context()); err == nil || !strings.Contains(err.Error(), id(4)) {
		t.Errorf("a damaged entry: %v", err)
	}
	rows, err := d.Find(t.Context(), Filter{})
	if err != nil || len(rows) != 3 || index.rows[id(3)].State != Released {
		t.Errorf("found %+v, %v", rows, err)
	}
}

func TestUnknown(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	for _, id := range []string{id(2), "", "..", "../../../../etc/passwd", strings.ToUpper(id(1)), id(1) + "x"} {
		_, entry := d.Entry(t.Context(), id)
		_, open := d.Open(t.Context(), id)
		change := d.Change(t.Context(), id, func(*Entry) error { return nil })
		for _, err := range []error{entry, open, change, d.Delete(t.Context(), id, Event{})} {
			if !errors.Is(err, ErrUnknown) {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
}

func TestADamagedCopyIsNotHandedOut(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	for name, damage := range map[string]func([]byte) []byte{
		"cut off": func(b []byte) []byte { return b[:len(b)-9] },
		"changed": func(b []byte) []byte { b[len(b)-5] ^= 1; return b },
		"empty":   func([]byte) []byte { return nil },
	} {
		whole, err := os.ReadFile(pathOf(d, 1, messageOf))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pathOf(d, 1, messageOf), damage(slices.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := d.Open(t.Context(), id(1))
		if err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		if err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
		if err := os.WriteFile(pathOf(d, 1, messageOf), whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilter(t *testing.T) {
	row := Entry{Record: record(5), Class: "infected", State: Kept}.Row()
	for _, f := range []Filter{
		{}, {Sender: "A@*"}, {Recipient: "c@example.com"}, {Recipient: "*@EXAMPLE.com"}, {Subject: "x"}, {Reason: "virus/*"}, {Class: "infected"},
		{State: Kept}, {Since: row.Time}, {Before: row.Time.Add(1)},
	} {
		if !f.Matches(row) {
			t.Errorf("%+v keeps it out", f)
		}
	}
	for _, f := range []Filter{{Sender: "b@*"}, {Recipient: "d@*"}, {Class: "policy"}, {State: Released}, {Since: row.Time.Add(1)}, {Before: row.Time}, {Reason: "content/*"}} {
		if f.Matches(row) {
			t.Errorf("%+v lets it through", f)
		}
	}
}

func TestExpire(t *testing.T) {
	d, _ := newDir(t)
	for n := range 10 {
		keep(t, d, n)
	}
	e, err := d.Entry(t.Context(), id(0))
	if err != nil {
		t.Fatal(err)
	}
	later := now.Add(10 * time.Hour)
	for _, c := range []struct {
		r    Retention
		left int
	}{
		{Retention{}, 10},
		{Retention{Keep: time.Hour, Classes: map[string]time.Duration{"infected": 0}}, 10},
		{Retention{Keep: 150 * time.Minute * 3, Classes: map[string]time.Duration{"forbidden": 1}}, 7},
		{Retention{Classes: map[string]time.Duration{"infected": 5*time.Hour + 1}}, 5},
		{Retention{Size: 3*e.Stored + 1}, 3},
	} {
		if _, err := Expire(t.Context(), d, c.r, later); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Find(t.Context(), Filter{})
		if err != nil || len(rows) != c.left || rows[0].ID != id(9) {
			t.Errorf("%+v leaves %d, %v", c.r, len(rows), err)
		}
	}
	audit, err := os.ReadFile(filepath.Join(d.path, "audit.log"))
	if err != nil || strings.Count(string(audit), `"what":"expire"`) != 7 {
		t.Errorf("audit %s, %v", audit, err)
	}
}

func TestTidy(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	keep(t, d, 2)
	os.Remove(pathOf(d, 2, messageOf)) // its entry is left
	for _, name := range []string{".new-123", id(3) + ".eml.gz.part"} {
		if err := os.WriteFile(filepath.Join(shardPath(d, 1), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Tidy(time.Now()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(shardPath(d, 1)); len(left) != 5 {
		t.Errorf("files that may be in the making were removed: %v", left)
	}
	if err := d.Tidy(time.Now().Add(2 * abandoned)); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(shardPath(d, 1)); len(left) != 2 {
		t.Errorf("left %v", left)
	}
}

// The time at which a copy was made is that of the entry, whatever is done with it later.
func TestCame(t *testing.T) {
	d, _ := newDir(t)
	begun := time.Now().Truncate(time.Millisecond)
	keep(t, d, 1)
	e, err := d.Entry(t.Context(), id(1))
	came := e.Row().Came()
	if err != nil || came.Before(begun) || came.After(time.Now()) || came.Equal(e.Record.Time) {
		t.Errorf("came %s, %v", came, err)
	}
	if err := d.Change(t.Context(), id(1), func(e *Entry) error { e.State = Released; return nil }); err != nil {
		t.Fatal(err)
	}
	rows, err := d.Find(t.Context(), Filter{})
	if err != nil || len(rows) != 1 || !rows[0].Came().Equal(came) {
		t.Errorf("%+v, %v", rows, err)
	}
	if old := (Row{Time: now}); !old.Came().Equal(now) {
		t.Errorf("an old one came %s", old.Came())
	}
}
