package quarantine

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestMove has messages taken: one that is written down elsewhere is gone, one that is not stays as it was, and one
// that is damaged is not given away.
func TestMove(t *testing.T) {
	d, index := newDir(t)
	for n := range 5 {
		keep(t, d, n)
	}
	if err := os.Truncate(pathOf(d, 2, messageOf), 20); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pathOf(d, 3, entryOf), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	for n, test := range []struct{ take, want error }{{nil, nil}, {refused, refused}, {nil, ErrDamaged}, {nil, ErrDamaged}} {
		calls := 0
		err := d.Move(t.Context(), id(n), "to another", func(p Parcel) error {
			calls++
			packed, err := io.ReadAll(p.Packed)
			if err != nil || p.Entry.Record.ID != id(n) || p.Entry.Stored != int64(len(packed)) || len(packed) == 0 {
				t.Errorf("%d: %+v with %d bytes, %v", n, p.Entry, len(packed), err)
			}
			return test.take
		})
		if !errors.Is(err, test.want) || (calls == 0) != (test.want == ErrDamaged) {
			t.Errorf("%d: %v, and %d calls", n, err, calls)
		}
		if there := d.Has(id(n)); there != (test.want != nil) {
			t.Errorf("%d: it is there: %t", n, there)
		}
	}
	if err := d.Move(t.Context(), id(0), "to another", func(Parcel) error { return nil }); !errors.Is(err, ErrUnknown) {
		t.Errorf("moved twice: %v", err)
	}
	if got := read(t, d, id(1)); got != mail {
		t.Errorf("what was refused is %q", got)
	}
	list, err := d.IDs()
	if want := []string{id(1), id(2), id(3), id(4)}; err != nil || !slices.Equal(list, want) {
		t.Errorf("left are %v, %v", list, err)
	}
	if _, ok := index.rows[id(0)]; ok {
		t.Error("the index has what was moved")
	}
	log, err := os.ReadFile(d.path + "/audit.log")
	if err != nil || strings.Count(string(log), `"what":"move"`) != 1 || !strings.Contains(string(log), id(0)) {
		t.Errorf("the audit log says %s, %v", log, err)
	}
}

// TestMoveUnaudited: a message that is written down elsewhere goes, also where there is no room in the audit log.
func TestMoveUnaudited(t *testing.T) {
	var told []string
	d := NewDir(t.TempDir(), Unindexed{}, func(err error) { told = append(told, err.Error()) })
	keep(t, d, 1)
	if err := os.Mkdir(d.path+"/audit.log", 0o700); err != nil { // nothing can be added to it
		t.Fatal(err)
	}
	if err := d.Move(t.Context(), id(1), "to another", func(Parcel) error { return nil }); err != nil || d.Has(id(1)) {
		t.Errorf("it is there: %t, %v", d.Has(id(1)), err)
	}
	if len(told) != 1 || !strings.Contains(told[0], "the audit log does not say so") {
		t.Errorf("told: %q", told)
	}
}

// TestMoveKeepsOthersOut: who wants to change a message that is being moved waits, and then finds none.
func TestMoveKeepsOthersOut(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	begun, changed := make(chan bool), make(chan error)
	go func() {
		<-begun
		changed <- d.Change(context.WithoutCancel(t.Context()), id(1), func(*Entry) error { return nil })
	}()
	err := d.Move(t.Context(), id(1), "to another", func(Parcel) error { begun <- true; return nil })
	if other := <-changed; err != nil || !errors.Is(other, ErrUnknown) {
		t.Errorf("moved: %v; changed: %v", err, other)
	}
}

// TestUnindexed finds messages in a directory without an index.
func TestUnindexed(t *testing.T) {
	d := NewDir(t.TempDir(), Unindexed{}, func(err error) { t.Error(err) })
	keep(t, d, 1)
	keep(t, d, 2)
	if rows, err := d.Find(t.Context(), Filter{}); err != nil || len(rows) != 2 || rows[0].ID != id(2) {
		t.Errorf("%+v, %v", rows, err)
	}
}
