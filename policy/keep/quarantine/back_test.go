package quarantine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
)

// shared is a message that is kept back from three, and that a fourth has had.
func shared(t *testing.T, d *Dir, n int) {
	t.Helper()
	c := aCopy(n)
	c.Record.Findings = c.Record.Findings[:1]
	c.Record.Verdicts = []policy.RecordVerdict{
		{Recipients: []string{"Ann@Example.com", "ben@example.com", "cleo@example.com", ""}, Action: "quarantine", Kept: true},
		{Recipients: []string{"had@example.com"}, Action: "deliver", Because: -1},
	}
	if err := d.Keep(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func state(t *testing.T, d *Dir, n int) string {
	t.Helper()
	e, err := d.Entry(t.Context(), id(n))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(e.State, " ", strings.Join(e.Waiting(), " "))
}

// TestEach: each has its own copy once, whatever became of those of others.
func TestEach(t *testing.T) {
	d, _ := newDir(t)
	shared(t, d, 1)
	m := &mta{}
	x := newExit(d, m)
	let := func(to string) error {
		_, err := x.Release(t.Context(), Order{ID: id(1), To: []string{to}, Each: true})
		return err
	}
	if err := let("Ann@Example.com"); err != nil || state(t, d, 1) != "kept ben@example.com cleo@example.com" {
		t.Fatal(err, state(t, d, 1))
	}
	if err := let("Ann@Example.com"); !errors.Is(err, ErrReleased) {
		t.Error("twice:", err)
	}
	m.err = fmt.Errorf("no: %w", submission.ErrUnsure)
	if err := let("ben@example.com"); !errors.Is(err, submission.ErrUnsure) || !strings.HasPrefix(state(t, d, 1), "releasing ") {
		t.Error(err, state(t, d, 1))
	}
	if err := let("ben@example.com"); !errors.Is(err, ErrUnsure) {
		t.Error("unsure, again:", err)
	}
	m.err = errors.New("451 later")
	if err := let("cleo@example.com"); err == nil || !strings.HasPrefix(state(t, d, 1), "releasing ") {
		t.Error(err, state(t, d, 1))
	}
	m.err = nil
	if err := let("cleo@example.com"); err != nil {
		t.Error("after a failure:", err)
	}
	if err := x.Dismiss(t.Context(), id(1), []string{"ben@example.com"}); !errors.Is(err, ErrUnsure) {
		t.Error("dismissed while it is on its way:", err)
	}
	if len(m.got) != 2 {
		t.Errorf("sent %d times", len(m.got))
	}
}

// TestEachOnce: of many who ask for one copy at the same moment one is served; copies of others
// go meanwhile.
func TestEachOnce(t *testing.T) {
	d, _ := newDir(t)
	shared(t, d, 1)
	m := &mta{}
	x := newExit(d, m)
	var wg sync.WaitGroup
	for range 6 {
		for _, to := range []string{"Ann@Example.com", "ben@example.com"} {
			wg.Go(func() { x.Release(t.Context(), Order{ID: id(1), To: []string{to}, Each: true}) })
		}
	}
	wg.Wait()
	var to []string
	for _, mail := range m.got {
		to = append(to, mail.To...)
	}
	slices.Sort(to)
	if fmt.Sprint(to) != "[Ann@Example.com ben@example.com]" || state(t, d, 1) != "kept cleo@example.com" {
		t.Error(to, state(t, d, 1))
	}
	if _, err := x.Release(t.Context(), Order{ID: id(1)}); err != nil || fmt.Sprint(m.got[2].To) != "[cleo@example.com]" {
		t.Error("the others have had it:", err, m.got[2].To)
	}
	if got := state(t, d, 1); got != "released " {
		t.Error(got)
	}
}

// TestDismiss: a message goes when nobody is left who wants it, and not before.
func TestDismiss(t *testing.T) {
	d, index := newDir(t)
	shared(t, d, 1)
	x := newExit(d, &mta{})
	if err := x.Dismiss(t.Context(), id(1), []string{"Ann@Example.com", "cleo@example.com"}); err != nil || state(t, d, 1) != "kept ben@example.com" {
		t.Fatal(err, state(t, d, 1))
	}
	if rows, err := index.Find(t.Context(), Filter{Waiting: []string{"ann@example.com"}}); err == nil && len(rows) > 0 {
		t.Error("it is still there for one who does not want it")
	}
	if _, err := x.Release(t.Context(), Order{ID: id(1), To: []string{"Ann@Example.com"}, Each: true}); !errors.Is(err, ErrReleased) {
		t.Error("let go after it was dismissed:", err)
	}
	if err := x.Dismiss(t.Context(), id(1), []string{"ben@example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Entry(t.Context(), id(1)); !errors.Is(err, ErrUnknown) {
		t.Error("nobody wants it, and it is there:", err)
	}
}

// TestRowSaysWhoWaits: a row names those who wait, and what matters to one who lets it go.
func TestRowSaysWhoWaits(t *testing.T) {
	d, _ := newDir(t)
	shared(t, d, 1)
	e, err := d.Entry(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []scan.Kind{scan.Note, scan.Forbidden, scan.Forbidden, scan.Infected} {
		e.Record.Findings = append(e.Record.Findings, policy.RecordFinding{Kind: k})
	}
	e.Record.MoreFindings = 1
	if got := fmt.Sprint(e.Row().Grave); got != "[forbidden infected unscannable]" {
		t.Error(got)
	}
	for address, want := range map[string]bool{"ann@example.com": true, "ben@example.com": true, "had@example.com": false, "": false, "nn@example.com": false} {
		if got := (Filter{Waiting: []string{address}}).Matches(e.Row()); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
	tagged := Row{Waiting: []string{"Ann+News@Example.com", "eve-x+y@example.com", "+z@example.com", "q@ex-a_mple.com"}}
	want := "[ann+news@example.com ann@example.com eve-x+y@example.com eve-x@example.com eve@example.com +z@example.com q@ex-a_mple.com]"
	if got := fmt.Sprint(tagged.WaitingFor()); got != want {
		t.Error(got)
	}
	if (Filter{Waiting: []string{}}).Matches(e.Row()) {
		t.Error("one without addresses finds it")
	}
}
