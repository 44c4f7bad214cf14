package quarantine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// refused is a copy of a message that was refused with a link, or also kept by a rule.
func refused(n int, link, byRule bool) policy.Copy {
	c := aCopy(n)
	c.Record.Action, c.Record.Appeal = "reject", link
	c.Record.Verdicts = []policy.RecordVerdict{{Recipients: []string{"b@example.com"}, Action: "reject", Because: 0, Appeal: link, Kept: byRule},
		{Recipients: []string{"c@example.com"}, Action: "reject", Because: 0}}
	return c
}

// TestUnasked: a copy that waits for its sender is listed for nobody, until the sender asks,
// which is noted once.
func TestUnasked(t *testing.T) {
	d, _ := newDir(t)
	for n, c := range []policy.Copy{refused(0, true, false), refused(1, true, true), refused(2, false, true)} {
		if err := d.Keep(t.Context(), c); err != nil {
			t.Fatal(n, err)
		}
	}
	listed := func(f Filter) string {
		rows, err := d.Find(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range rows {
			ids = append(ids, fmt.Sprintf("%s %v", r.ID[15:], r.Waiting))
		}
		return strings.Join(ids, ", ")
	}
	if all, asked := listed(Filter{}), listed(Filter{Asked: true}); !strings.HasSuffix(all, ", 0 []") || strings.Contains(asked, "0 [") || !strings.Contains(asked, "1 [b@example.com c@example.com]") {
		t.Errorf("all %s; asked %s", all, asked)
	}
	if bytes, err := UnaskedBytes(t.Context(), d); err != nil || bytes == 0 {
		t.Errorf("%d bytes wait, %v", bytes, err)
	}
	for range 2 {
		if err := Appeal(t.Context(), d, id(0), now); err != nil {
			t.Fatal(err)
		}
	}
	e, err := d.Entry(t.Context(), id(0))
	if err != nil || len(e.Events) != 1 || e.Events[0].What != "appeal" || e.Events[0].By != "sender" || fmt.Sprint(e.Events[0].To) != "[b@example.com]" {
		t.Errorf("%+v, %v", e.Events, err)
	}
	if asked := listed(Filter{Asked: true}); !strings.Contains(asked, "0 [b@example.com c@example.com]") {
		t.Errorf("asked %s", asked)
	}
	if bytes, err := UnaskedBytes(t.Context(), d); err != nil || bytes != 0 {
		t.Errorf("%d bytes wait, %v", bytes, err)
	}
	if err := Appeal(t.Context(), d, id(2), now); !errors.Is(err, ErrNoAppeal) {
		t.Errorf("one that was kept for no appeal: %v", err)
	}
	if err := Appeal(t.Context(), d, id(7), now); !errors.Is(err, ErrUnknown) {
		t.Errorf("one that is not there: %v", err)
	}
}

// TestUnaskedExpire: those that wait go after their own time, have their own room, and make
// room for others first, however new they are.
func TestUnaskedExpire(t *testing.T) {
	for name, c := range map[string]struct {
		r    func(stored int64) Retention
		left string // of 0 to 3 that wait and 4 to 7 that do not
	}{
		"for ever":       {func(int64) Retention { return Retention{} }, "76543210"},
		"their own time": {func(int64) Retention { return Retention{Unasked: Unasked{Keep: 6*time.Hour + 1}} }, "765432"},
		"no longer than others": {func(int64) Retention {
			return Retention{Keep: 5*time.Hour + 1, Unasked: Unasked{Keep: 100 * time.Hour}}
		}, "76543"},
		"their own room":           {func(n int64) Retention { return Retention{Unasked: Unasked{Size: 3*n + 1}} }, "7654321"},
		"before others":            {func(n int64) Retention { return Retention{Size: 5*n + n/2} }, "76543"},
		"and then others, by time": {func(n int64) Retention { return Retention{Size: 2*n + n/2} }, "76"},
	} {
		d, _ := newDir(t)
		for n := range 8 {
			if err := d.Keep(t.Context(), refused(n, n < 4, n >= 4)); err != nil {
				t.Fatal(err)
			}
		}
		e, err := d.Entry(t.Context(), id(0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Expire(t.Context(), d, c.r(e.Stored), now.Add(8*time.Hour)); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Find(t.Context(), Filter{})
		left := ""
		for _, r := range rows {
			left += r.ID[15:]
		}
		if err != nil || left != c.left {
			t.Errorf("%s: %s is left, want %s; %v", name, left, c.left, err)
		}
	}
}
