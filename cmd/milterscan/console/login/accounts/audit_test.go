package accounts

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

func TestAudit(t *testing.T) {
	a, now := open(t)
	p := login.Person{Name: "ann", Role: login.HelpDesk}
	long := strings.Repeat("é", 10<<10)
	for _, err := range []error{
		a.Audit(t.Context(), p, "192.0.2.1", login.SeeContent, "id1", "shown"),
		a.Audit(t.Context(), p, "192.0.2.1", login.Release, "id2\n\x1b[31m\xff", "failed: "+long),
		a.NoteStranger(t.Context(), Entry{Person: long, Client: "192.0.2.9", Act: "log in", Outcome: "refused"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.Trail(t.Context(), Trail{})
	if err != nil || len(all) != 3 || all[2].Object != "id1" || all[2].Role != "helpdesk" || !all[2].Time.Equal(*now) {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, e := range all {
		for _, s := range []string{e.Person, e.Outcome, e.Object} {
			if len(s) > mostOfField+3 || !utf8.ValidString(s) {
				t.Errorf("%d bytes are kept: %.40q", len(s), s)
			}
		}
	}
	for i, c := range []struct {
		trail Trail
		want  int
	}{
		{Trail{Person: "ann"}, 2}, {Trail{Person: "an"}, 0}, {Trail{Object: "id1"}, 1}, {Trail{Act: "release"}, 1}, {Trail{Limit: 1}, 1},
		{Trail{Before: all[0].ID}, 2}, {Trail{Since: now.Add(time.Second)}, 0}, {Trail{Until: *now}, 0}, {Trail{Since: *now, Until: now.Add(time.Second)}, 3},
		{Trail{Person: "' OR 1=1 --"}, 0},
	} {
		if got, err := a.Trail(t.Context(), c.trail); err != nil || len(got) != c.want {
			t.Errorf("%d: %d lines, %v", i, len(got), err)
		}
	}
}

// TestAuditIsKept: no statement changes a line, or takes one away before its time.
func TestAuditIsKept(t *testing.T) {
	a, now := open(t)
	p := login.Person{Name: "ann"}
	for i := range 3 {
		if err := a.Audit(t.Context(), p, "", login.Release, fmt.Sprint(i), ""); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(24 * time.Hour)
	}
	for _, q := range []string{`UPDATE audit SET person = 'bob'`, `DELETE FROM audit`, `DELETE FROM audit WHERE id = 1`,
		`INSERT OR REPLACE INTO audit (id, time, person, role, client, act, object, outcome) VALUES (1, 0, '', '', '', '', '', '')`} {
		if _, err := a.change(t.Context(), q); err == nil {
			t.Errorf("%s is possible", q)
		}
	}
	for _, c := range []struct {
		keep time.Duration
		gone int
	}{{0, 0}, {400 * 24 * time.Hour, 0}, {60 * time.Hour, 1}, {time.Hour, 2}} {
		if n, err := a.Expire(t.Context(), c.keep); n != c.gone || err != nil {
			t.Errorf("kept for %v: %d went, %v", c.keep, n, err)
		}
	}
}

// TestStrangersDriveNothingOut: those who fail to log in fill their own part of the log only.
func TestStrangersDriveNothingOut(t *testing.T) {
	a, now := open(t)
	if err := a.Audit(t.Context(), login.Person{Name: "ann"}, "", login.Release, "id", ""); err != nil {
		t.Fatal(err)
	}
	const over = 500
	err := a.db().Change(t.Context(), func(tx tables.Asker) error {
		_, err := tx.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) INSERT INTO audit
			(time, person, role, client, act, object, outcome, stranger) SELECT ? + i, 'x', '', '', 'log in', '', 'refused', 1 FROM n`, mostStrangers+over, now.UnixMilli())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Hour)
	n, err := a.Expire(t.Context(), 400*24*time.Hour)
	if err != nil || n < over-1 || n > over+1 {
		t.Errorf("%d went, %v", n, err)
	}
	if got, err := a.Trail(t.Context(), Trail{Person: "ann"}); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
}

func TestSessions(t *testing.T) {
	a, now := open(t)
	ann, bob := add(t, a, "ann"), add(t, a, "bob")
	put := func(key string, account int64, data string) error {
		return a.PutSession(t.Context(), Session{Key: key, Account: account, Handle: "h" + key, Data: []byte(data), Client: "192.0.2.1", Expires: now.Add(time.Hour)})
	}
	want := func(about, key, data string) {
		t.Helper()
		got, found, err := a.FindSession(t.Context(), key)
		if err != nil || found != (data != "") || string(got) != data {
			t.Errorf("%s: %q, %v, %v", about, got, found, err)
		}
	}
	if err := errors.Join(put("1", ann.ID, "one"), put("2", ann.ID, "two"), put("3", bob.ID, "three")); err != nil {
		t.Fatal(err)
	}
	want("there", "1", "one")
	want("forged", "4", "")
	want("empty", "", "")
	if list, err := a.Sessions(t.Context(), ann.ID); err != nil || len(list) != 2 || list[0].Data != nil {
		t.Errorf("%+v, %v", list, err)
	}
	if err := a.EndHandle(t.Context(), ann.ID, "h3"); !errors.Is(err, ErrUnknown) {
		t.Error("another's session:", err)
	}
	if err := errors.Join(a.EndHandle(t.Context(), ann.ID, "h1"), put("1", ann.ID, "again")); err != nil {
		t.Error(err)
	}
	want("ended, and answered after it", "1", "")
	if err := errors.Join(a.EndSession(t.Context(), "2"), put("2", ann.ID, "again")); err != nil {
		t.Error(err)
	}
	want("logged out, and answered after it", "2", "")
	if err := put("5", bob.ID, "five"); err != nil {
		t.Error(err)
	}
	if err := a.SetDisabled(t.Context(), bob.ID, true); err != nil {
		t.Error(err)
	}
	want("of an account that is disabled", "5", "")
	if list, err := a.Sessions(t.Context(), bob.ID); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := put("6", 0, "six"); err != nil {
		t.Error(err)
	}
	*now = now.Add(time.Hour)
	want("expired", "6", "")
	*now = now.Add(time.Hour)
	if _, err := a.Expire(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := put("1", ann.ID, "new"); err != nil {
		t.Error(err)
	}
	want("forgotten", "3", "")
}

// TestSessionsOfNobodyAreBounded: those who never log in do not fill the file, nor end sessions of others.
func TestSessionsOfNobodyAreBounded(t *testing.T) {
	a, now := open(t)
	ann := add(t, a, "ann")
	if err := a.PutSession(t.Context(), Session{Key: "ann", Account: ann.ID, Data: []byte("x"), Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	err := a.db().Change(t.Context(), func(tx tables.Asker) error {
		_, err := tx.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) INSERT INTO session
			(key, account, handle, data, client, agent, begun, seen, expires) SELECT 'n' || i, 0, '', x'00', '', '', i, i, ? FROM n`, mostOfNobody, now.Unix()+600)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.PutSession(t.Context(), Session{Key: "new", Data: []byte("x"), Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"n1": false, "n2": true, "new": true, "ann": true} {
		if _, found, err := a.FindSession(t.Context(), key); found != want || err != nil {
			t.Errorf("%s: %v, %v", key, found, err)
		}
	}
}
