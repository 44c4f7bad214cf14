package quarantine

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHandled marks a message as seen to, twice, and opens it again.
func TestHandled(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	x := newExit(d, &mta{})
	for i, c := range []struct {
		done   bool
		events int
	}{{false, 0}, {true, 1}, {true, 1}, {false, 2}, {true, 3}} {
		if err := x.Handle(t.Context(), id(1), c.done); err != nil {
			t.Fatal(err)
		}
		e, err := d.Entry(t.Context(), id(1))
		if err != nil || len(e.Events) != c.events || (e.Handled() != nil) != c.done {
			t.Errorf("%d: %+v, %v", i, e.Events, err)
		}
		if h := e.Row().Handled; c.done && (h == nil || h.By != "root" || !h.Time.Equal(now)) {
			t.Errorf("%d: %+v", i, h)
		}
		rows, err := d.Find(t.Context(), Filter{Open: true})
		if err != nil || (len(rows) == 0) != c.done {
			t.Errorf("%d: %d rows are open, %v", i, len(rows), err)
		}
	}
	if err := x.Handle(t.Context(), id(9), true); err == nil {
		t.Error("a message that is not there was marked")
	}
}

// TestAfter goes through a list by pages, with several messages in one millisecond.
func TestAfter(t *testing.T) {
	var rows []Row
	for _, at := range []time.Duration{0, 0, 0, time.Microsecond, time.Millisecond, 2 * time.Millisecond} {
		rows = append(rows, Row{ID: id(len(rows)), Time: now.Add(at)})
	}
	var got []string
	f := Filter{Limit: 2}
	for range rows {
		page := f.pick(slices.Clone(rows))
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got = append(got, r.ID)
		}
		f = f.After(page[len(page)-1])
	}
	if want := []string{id(5), id(4), id(3), id(2), id(1), id(0)}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestReleaseInstead sends another message than was kept, with a pass that is for that
// one and lets no virus through.
func TestReleaseInstead(t *testing.T) {
	d, _ := newDir(t)
	keep(t, d, 1)
	m := &mta{}
	open := func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("Subject: clean\r\n\r\nx\r\n")), nil
	}
	if _, err := newExit(d, m).Release(t.Context(), Order{ID: id(1), Instead: open, Note: "without 2"}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(m.text[0], "Subject: clean\r\n\r\nx\r\n") || strings.Contains(m.text[0], "To: b@") {
		t.Errorf("sent %q", m.text[0])
	}
	if g := passOn(t, m.text[0]); g.Infected {
		t.Errorf("%+v", g)
	}
	e, err := d.Entry(t.Context(), id(1))
	if err != nil || e.State != Released || e.Events[0].Note != "without 2" {
		t.Errorf("%+v %v", e, err)
	}
}
