package accounts

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// secondOf gives an account a second factor, and returns its secret with its recovery codes.
func secondOf(t *testing.T, a *Accounts, id int64) (string, []string) {
	t.Helper()
	key, err := NewSecond("milterscan", "ann")
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(key.Secret(), a.now())
	if err != nil {
		t.Fatal(err)
	}
	codes, err := a.ConfirmSecond(t.Context(), id, key.Secret(), code)
	if err != nil {
		t.Fatal(err)
	}
	return key.Secret(), codes
}

// TestCopyTo copies accounts and the audit log to where there are some: what a person knows and has goes on working,
// the other place's own accounts count, and nothing comes twice or back.
func TestCopyTo(t *testing.T) {
	from, now := open(t)
	to, then := open(t)
	add(t, to, "zoe")
	theirs := add(t, to, "ben")
	ann, ben := add(t, from, "ann"), add(t, from, "ben")
	secret, codes := secondOf(t, from, ann.ID)
	token, err := from.AddToken(t.Context(), ann, Token{Name: "panel", Rights: []login.Right{login.SeeMessages}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := from.AddToken(t.Context(), ben, Token{Name: "panel", Rights: []login.Right{login.SeeMessages}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2*linesTogether + 3 {
		*now = now.Add(time.Millisecond)
		if err := from.Note(t.Context(), Entry{Person: "ann", Act: "view", Object: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := from.NoteStranger(t.Context(), Entry{Person: "eve", Act: "login"}); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(time.Minute)
	*then = now.Add(time.Minute)
	if err := to.Note(t.Context(), Entry{Person: "zoe", Act: "view"}); err != nil {
		t.Fatal(err)
	}
	steps := 0
	got, err := from.CopyTo(t.Context(), to, "mx1:x", func(n int) { steps += n })
	want := Copied{Accounts: 2, Added: 1, Others: []string{"ben"}, Lines: 1004, New: 1004}
	if !reflect.DeepEqual(got, want) || err != nil || steps != 1006 {
		t.Errorf("%+v, %d steps, %v", got, steps, err)
	}
	here, err := to.ByName(t.Context(), "ann")
	if err != nil || here.ID == ann.ID || here.Recovery != len(codes) || !here.HasSecond {
		t.Fatalf("%+v, %v", here, err)
	}
	if _, _, err := to.Verify(t.Context(), "ann", good); err != nil {
		t.Error("the password:", err)
	}
	code, err := totp.GenerateCode(secret, *then)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code string
		want error
	}{{code, nil}, {code, ErrWrong}, {codes[3], nil}, {codes[3], ErrWrong}, {codes[4], nil}} {
		if err := to.CheckSecond(t.Context(), here.ID, c.code); !errors.Is(err, c.want) {
			t.Errorf("second factor %s: %v; want %v", c.code, err, c.want)
		}
	}
	if p, err := to.Bearer(t.Context(), token); err != nil || p.Name != "ann" {
		t.Errorf("the token: %+v, %v", p, err)
	}
	if _, err := to.Bearer(t.Context(), other); !errors.Is(err, ErrWrong) {
		t.Errorf("the token of another ben: %v", err)
	}
	if again, err := to.ByName(t.Context(), "ben"); err != nil || again.ID != theirs.ID {
		t.Errorf("%+v, %v", again, err)
	}
	inOrder(t, to, 1005)
	if err := to.Remove(t.Context(), here.ID); err != nil {
		t.Fatal(err)
	}
	got, err = from.CopyTo(t.Context(), to, "mx1:x", func(int) {})
	if want := (Copied{Accounts: 2, Before: 2, Lines: 1004}); !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("once more: %+v, %v", got, err)
	}
	if _, err := to.ByName(t.Context(), "ann"); !errors.Is(err, ErrUnknown) {
		t.Error("an account that was removed is back:", err)
	}
}

// inOrder reads the audit log by pages: all lines come, the newest first, each once.
func inOrder(t *testing.T, a *Accounts, want int) {
	t.Helper()
	seen, last, before := map[int64]bool{}, time.Now().Add(time.Hour*24*365), int64(0)
	for {
		list, err := a.Trail(t.Context(), Trail{Before: before, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			if seen[e.ID] || e.Time.After(last) {
				t.Fatalf("%+v after a line of %v, or twice", e, last)
			}
			seen[e.ID], last, before = true, e.Time, e.ID
		}
	}
	if len(seen) != want {
		t.Errorf("%d lines; want %d", len(seen), want)
	}
}

// TestCopyIsResumed gives a copy up at every step: begun again, it has each row once.
func TestCopyIsResumed(t *testing.T) {
	from, now := open(t)
	for _, name := range []string{"ann", "ben", "cas"} {
		add(t, from, name)
	}
	for range linesTogether + 1 {
		*now = now.Add(time.Millisecond)
		if err := from.Note(t.Context(), Entry{Person: "ann", Act: "view"}); err != nil {
			t.Fatal(err)
		}
	}
	to, _ := open(t)
	for tries := 0; ; tries++ {
		ctx, cancel := context.WithCancel(t.Context())
		c, err := from.CopyTo(ctx, to, "mx1:x", func(int) { cancel() })
		cancel()
		if err == nil {
			if c.Accounts != 3 || c.Lines != linesTogether+1 || tries < 3 {
				t.Errorf("%+v after %d tries", c, tries)
			}
			break
		}
		if tries > 10 {
			t.Fatal(err)
		}
	}
	if list, err := to.List(t.Context()); err != nil || len(list) != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	inOrder(t, to, linesTogether+1)
}

// TestAnotherFileIsCopied: what a host keeps in a file that it has begun anew is copied, too.
func TestAnotherFileIsCopied(t *testing.T) {
	to, _ := open(t)
	for n, name := range []string{"ann", "ben"} {
		from, now := open(t)
		*now = now.Add(time.Duration(n) * time.Hour)
		add(t, from, name)
		if err := from.Note(t.Context(), Entry{Person: name, Act: "view"}); err != nil {
			t.Fatal(err)
		}
		if c, err := from.CopyTo(t.Context(), to, "mx1:x", func(int) {}); err != nil || c.Added != 1 || c.New != 1 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// TestAllIsCopied: every column is copied, but numbers.
func TestAllIsCopied(t *testing.T) {
	a, _ := open(t)
	for table, columns := range map[string]string{"account": "id, " + copiedColumns, "token": tokenColumns + ", account", "audit": "id, " + lineColumns,
		"recovery": "account, hash"} {
		err := a.db().Read(t.Context(), func(db tables.Asker) error {
			list, err := tables.Rows(t.Context(), db, anyRow, `SELECT name FROM pragma_table_info(?)`, table)
			var there []string
			for _, l := range list {
				there = append(there, l[0].(string))
			}
			copied := strings.Fields(strings.ReplaceAll(columns, ",", " "))
			slices.Sort(there)
			slices.Sort(copied)
			if !slices.Equal(there, copied) {
				t.Errorf("%s: %v are copied of %v", table, copied, there)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoCopyAtOnce: of two that copy the same at once one ends, and no line of the audit log comes twice.
func TestTwoCopyAtOnce(t *testing.T) {
	from, now := open(t)
	for range linesTogether + 1 {
		*now = now.Add(time.Millisecond)
		if err := from.Note(t.Context(), Entry{Person: "ann", Act: "view"}); err != nil {
			t.Fatal(err)
		}
	}
	to, _ := open(t)
	others := 0
	_, err := from.CopyTo(t.Context(), to, "mx1:x", func(int) {
		if others++; others == 1 {
			if c, err := from.CopyTo(t.Context(), to, "mx1:x", func(int) {}); err != nil || c.New != 1 {
				t.Errorf("the other: %+v, %v", c, err)
			}
		}
	})
	if !errors.Is(err, errBusy) {
		t.Error(err)
	}
	inOrder(t, to, linesTogether+1)
}
