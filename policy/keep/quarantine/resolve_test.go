package quarantine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	d, _ := newDir(t)
	for n, queue := range map[int]string{1: "4F2A", 2: "77B1", 13: "4F2A"} {
		c := aCopy(n)
		c.Record.QueueID, c.Record.MessageID = queue, queue+"@example.net"
		if err := d.Keep(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		id(1): id(1), id(2)[:16]: id(2), id(13)[:15]: id(13), "77B1": id(2), "<77B1@example.net>": id(2), "77B1@example.net": id(2),
	} {
		if got, err := Resolve(t.Context(), d, name); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", name, got, err, want)
		}
	}
	for _, none := range []string{"", " ", "<>", "06", id(3), "../../etc", "77B", "77b1", "*"} {
		if got, err := Resolve(t.Context(), d, none); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q is %q, %v", none, got, err)
		}
	}
	for _, several := range []string{"4F2A", id(1)[:12]} {
		if got, err := Resolve(t.Context(), d, several); err == nil || errors.Is(err, ErrUnknown) {
			t.Errorf("%q is %q, %v", several, got, err)
		}
	}
}

// TestFullDisk removes and lists messages where neither the audit log nor the index can
// be written.
func TestFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for name, failing := range map[string]func(d *Dir, m *memory) error{
		"index": func(_ *Dir, m *memory) error { m.err = full; return nil },
		"no index": func(_ *Dir, m *memory) error {
			m.err, m.complete = full, false
			return nil
		},
		"audit log": func(d *Dir, _ *memory) error { return os.Mkdir(filepath.Join(d.path, "audit.log"), 0o700) },
	} {
		d, m := newDir(t)
		var warned []error
		d.warn = func(err error) { warned = append(warned, err) }
		for n := range 3 {
			keep(t, d, n)
		}
		if err := failing(d, m); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Find(t.Context(), Filter{Limit: 2})
		if err != nil || len(rows) != 2 || rows[0].ID != id(2) || rows[1].ID != id(1) {
			t.Errorf("%s: list %+v, %v", name, rows, err)
		}
		if n, err := Expire(t.Context(), d, Retention{Keep: time.Hour}, now.Add(2*time.Hour)); n != 1 || err != nil {
			t.Errorf("%s: %d expired, %v", name, n, err)
		}
		if _, err := d.Entry(t.Context(), id(0)); !errors.Is(err, ErrUnknown) || len(warned) == 0 {
			t.Errorf("%s: then %v, warned %v", name, err, warned)
		}
	}
}
