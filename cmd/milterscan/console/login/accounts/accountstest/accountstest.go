// Package accountstest has what every store of accounts promises, as a test.
package accountstest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// With is what the test needs.
type With struct {
	// Open returns accounts of which there are none, as two processes have them, such as two hosts.
	Open func(t *testing.T) (here, there *accounts.Accounts)
	// Code returns the code that a second factor with a secret shows now.
	Code func(secret string) (string, error)
}

// Run tests the accounts that are opened.
func Run(t *testing.T, w With) {
	for _, c := range []struct {
		name string
		test func(*testing.T, pair)
	}{
		{"passwords", passwords}, {"sessions", sessions}, {"sessions of nobody", nobody}, {"second factors", secondFactors},
		{"tokens", tokens}, {"owners at once", ownersAtOnce}, {"audit", audit}, {"removal", removal},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := w.Open(t)
			c.test(t, pair{here, there, w.Code})
		})
	}
}

// pair is accounts as two processes have them.
type pair struct {
	here, there *accounts.Accounts
	code        func(string) (string, error)
}

// atOnce has both do something several times at the same moment, and counts how often that had no error. Errors that
// are not the wanted one fail the test.
func (p pair) atOnce(t *testing.T, times int, want error, do func(*accounts.Accounts) error) int {
	t.Helper()
	var done atomic.Int32
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			err := do([]*accounts.Accounts{p.here, p.there}[i%2])
			switch {
			case err == nil:
				done.Add(1)
			case want == nil || !errors.Is(err, want):
				t.Error(err)
			}
		})
	}
	all.Wait()
	return int(done.Load())
}

const password = "correct horse battery"

// add makes an account of an administrator, and returns it as the other process has it.
func (p pair) add(t *testing.T, name string) accounts.Account {
	t.Helper()
	if err := p.here.Add(t.Context(), accounts.Account{Name: name, Role: login.Administrator}, password); err != nil {
		t.Fatal(err)
	}
	a, err := p.there.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// must fails the test if any of what was done has an error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// passwords: what one process settles about an account counts in the other.
func passwords(t *testing.T, p pair) {
	ann := p.add(t, "ann")
	if err := p.there.Add(t.Context(), accounts.Account{Name: "Ann", Role: login.Auditor},
		password); !errors.Is(err, accounts.ErrTaken) {
		t.Errorf("twice: %v", err)
	}
	verify := func(with string, want error) {
		t.Helper()
		if got, known, err := p.there.Verify(t.Context(), "ann", with); !errors.Is(err, want) || !known ||
			err == nil && got.ID != ann.ID {
			t.Errorf("%+v, %t, %v; want %v", got, known, err, want)
		}
	}
	verify(password, nil)
	verify("another password", accounts.ErrWrong)
	must(t, p.here.SetPassword(t.Context(), ann.ID, "another password"))
	verify("another password", nil)
	must(t, p.here.SetDisabled(t.Context(), ann.ID, true))
	verify("another password", accounts.ErrWrong)
	must(t, p.here.SetDisabled(t.Context(), ann.ID, false), p.here.SetLanguage(t.Context(), ann.ID, "de"),
		p.here.Seen(t.Context(), ann.ID))
	list, err := p.there.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Language != "de" || list[0].Seen.IsZero() || !list[0].Password ||
		list[0].HasSecond {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := p.there.ByName(t.Context(), "eve"); !errors.Is(err, accounts.ErrUnknown) {
		t.Error(err)
	}
	if err := p.there.SetLanguage(t.Context(), ann.ID+1, "de"); !errors.Is(err, accounts.ErrUnknown) {
		t.Error(err)
	}
}

// sessions: one that was begun here goes on there, and one that has ended anywhere never comes back.
func sessions(t *testing.T, p pair) {
	ann := p.add(t, "ann")
	put := func(a *accounts.Accounts, key, data string) {
		t.Helper()
		must(t, a.PutSession(t.Context(), accounts.Session{Key: key, Account: ann.ID, Handle: "h" + key, Data: []byte(data),
			Client: "192.0.2.1", Agent: "a\x00browser", Expires: time.Now().Add(time.Hour)}))
	}
	find := func(key, want string) {
		t.Helper()
		for _, a := range []*accounts.Accounts{p.here, p.there} {
			data, found, err := a.FindSession(t.Context(), key)
			if string(data) != want || found != (want != "") || err != nil {
				t.Errorf("%s: %q, %t, %v; want %q", key, data, found, err, want)
			}
		}
	}
	put(p.here, "1", "one")
	put(p.there, "2", "two\x00\xff")
	find("1", "one")
	find("2", "two\x00\xff")
	find("3", "")
	put(p.there, "1", "more")
	find("1", "more")
	list, err := p.here.Sessions(t.Context(), ann.ID)
	if err != nil || len(list) != 2 || list[0].Client != "192.0.2.1" {
		t.Errorf("%+v, %v", list, err)
	}
	must(t, p.there.EndSession(t.Context(), "1"))
	put(p.here, "1", "late")
	find("1", "")
	if err := p.here.EndHandle(t.Context(), ann.ID+1, "h2"); !errors.Is(err, accounts.ErrUnknown) {
		t.Errorf("another's: %v", err)
	}
	must(t, p.here.EndHandle(t.Context(), ann.ID, "h2"))
	find("2", "")
	put(p.here, "3", "three")
	before, err := p.here.ByID(t.Context(), ann.ID)
	must(t, err, p.there.EndSessions(t.Context(), ann.ID))
	after, err := p.here.ByID(t.Context(), ann.ID)
	if err != nil || after.Epoch() == before.Epoch() {
		t.Errorf("the same epoch, %v", err)
	}
	find("3", "")
}

// nobody keeps sessions of those who have not logged in as well, and has them expire.
func nobody(t *testing.T, p pair) {
	for i, expires := range []time.Duration{time.Hour, -time.Hour} {
		must(t, p.here.PutSession(t.Context(), accounts.Session{Key: fmt.Sprint(i), Data: []byte("x"),
			Expires: time.Now().Add(expires)}))
	}
	_, err := p.there.Expire(t.Context(), 0)
	must(t, err)
	for i, want := range []bool{true, false} {
		if _, found, err := p.there.FindSession(t.Context(), fmt.Sprint(i)); found != want || err != nil {
			t.Errorf("%d: %t, %v", i, found, err)
		}
	}
}

// secondFactors: a code and a recovery code work once, wherever they are sent at the same moment.
func secondFactors(t *testing.T, p pair) {
	ann := p.add(t, "ann")
	key, err := accounts.NewSecond("milterscan", "ann")
	must(t, err)
	code, err := p.code(key.Secret())
	must(t, err)
	if _, err := p.here.ConfirmSecond(t.Context(), ann.ID, key.Secret(), "000000x"); !errors.Is(err, accounts.ErrWrong) {
		t.Error(err)
	}
	list, err := p.here.ConfirmSecond(t.Context(), ann.ID, key.Secret(), code)
	must(t, err)
	if err := p.there.CheckSecond(t.Context(), ann.ID, code); !errors.Is(err, accounts.ErrWrong) {
		t.Errorf("the code that it was confirmed with: %v", err)
	}
	for _, c := range list[:3] {
		if n := p.atOnce(t, 16, accounts.ErrWrong,
			func(a *accounts.Accounts) error { return a.CheckSecond(t.Context(), ann.ID, c) }); n != 1 {
			t.Errorf("a recovery code has worked %d times", n)
		}
	}
	got, err := p.there.ByID(t.Context(), ann.ID)
	if err != nil || !got.HasSecond || got.Recovery != len(list)-3 {
		t.Errorf("%+v, %v", got, err)
	}
	more, err := p.there.RenewRecovery(t.Context(), ann.ID)
	must(t, err)
	if err := p.here.CheckSecond(t.Context(), ann.ID, list[5]); !errors.Is(err, accounts.ErrWrong) {
		t.Errorf("a code that was replaced: %v", err)
	}
	must(t, p.here.CheckSecond(t.Context(), ann.ID, more[0]), p.here.RemoveSecond(t.Context(), ann.ID))
	if got, err := p.there.ByID(t.Context(), ann.ID); err != nil || got.HasSecond || got.Recovery != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// tokens: one that was made here is good there, until it is removed.
func tokens(t *testing.T, p pair) {
	ann := p.add(t, "ann")
	one := accounts.Token{Name: "backup", Rights: []login.Right{login.UseAPI}, Expires: time.Now().Add(time.Hour)}
	text, err := p.here.AddToken(t.Context(), ann, one)
	must(t, err)
	if _, err := p.there.AddToken(t.Context(), ann, one); !errors.Is(err, accounts.ErrTaken) {
		t.Error(err)
	}
	who, err := p.there.Bearer(t.Context(), text)
	if err != nil || who.Account != ann.ID || len(who.Only) != 1 {
		t.Errorf("%+v, %v", who, err)
	}
	list, err := p.here.Tokens(t.Context(), ann.ID)
	if err != nil || len(list) != 1 || list[0].Used.IsZero() || list[0].Expires.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	must(t, p.here.RemoveToken(t.Context(), ann.ID, "backup"))
	if _, err := p.there.Bearer(t.Context(), text); !errors.Is(err, accounts.ErrWrong) {
		t.Error(err)
	}
	if err := p.there.RemoveToken(t.Context(), ann.ID, "backup"); !errors.Is(err, accounts.ErrUnknown) {
		t.Error(err)
	}
}

// ownersAtOnce: a recipient who logs in with several browsers at the same moment has one account.
func ownersAtOnce(t *testing.T, p pair) {
	n := p.atOnce(t, 8, nil, func(a *accounts.Accounts) error {
		_, err := a.AdmitOwner(t.Context(), []string{"bob@example.com", "rob@example.com"})
		return err
	})
	got, err := p.there.ByName(t.Context(), accounts.Owner+":bob@example.com")
	if n != 8 || err != nil || len(got.Addresses) != 2 || got.Role != login.Recipient {
		t.Errorf("%d, %+v, %v", n, got, err)
	}
	_, err = p.there.Admit(t.Context(), accounts.Identity{Source: accounts.LDAP, Subject: "uid=ann", Name: "ann",
		Role: login.Auditor})
	must(t, err)
	_, err = p.here.Admit(t.Context(), accounts.Identity{Source: accounts.LDAP, Subject: "uid=other", Name: "ann",
		Role: login.Auditor})
	if !errors.Is(err, accounts.ErrTaken) {
		t.Error(err)
	}
}

// audit: what both write down is found in order, and goes only when it is old.
func audit(t *testing.T, p pair) {
	p.atOnce(t, 20, nil, func(a *accounts.Accounts) error {
		return a.Note(t.Context(), accounts.Entry{Person: "ann", Client: "shell", Act: "look",
			Object: "m\x00\xff", Outcome: "done"})
	})
	must(t, p.there.NoteStranger(t.Context(), accounts.Entry{Person: "eve", Act: "log in", Outcome: "refused"}))
	trail := func(f accounts.Trail, want int) []accounts.Entry {
		t.Helper()
		list, err := p.here.Trail(t.Context(), f)
		if err != nil || len(list) != want {
			t.Fatalf("%+v: %d lines, %v; want %d", f, len(list), err, want)
		}
		return list
	}
	list := trail(accounts.Trail{}, 21)
	for i := range list[1:] {
		if a, b := list[i], list[i+1]; a.Time.Before(b.Time) || a.Time.Equal(b.Time) && a.ID <= b.ID {
			t.Error("they are in no order")
		}
	}
	trail(accounts.Trail{Person: "ann", Act: "look", Since: time.Now().Add(-time.Hour),
		Until: time.Now().Add(time.Hour)}, 20)
	trail(accounts.Trail{Before: list[19].ID}, 1)
	trail(accounts.Trail{Object: "nothing"}, 0)
	for _, keep := range []time.Duration{0, time.Hour} {
		if n, err := p.there.Expire(t.Context(), keep); n != 0 || err != nil {
			t.Errorf("%d lines went, %v", n, err)
		}
	}
	servedLater(t, p, list[0].Time)
}

// servedLater lets some time pass, and has older entries go.
func servedLater(t *testing.T, p pair, last time.Time) {
	t.Helper()
	for !time.Now().After(last.Add(20 * time.Millisecond)) {
		time.Sleep(time.Millisecond)
	}
	if n, err := p.there.Expire(t.Context(), 10*time.Millisecond); n != 21 || err != nil {
		t.Errorf("%d lines went, %v", n, err)
	}
}

// removal: nothing is left of an account but what the audit log says.
func removal(t *testing.T, p pair) {
	ann := p.add(t, "ann")
	text, err := p.here.AddToken(t.Context(), ann, accounts.Token{Name: "x", Rights: []login.Right{login.UseAPI}})
	must(t, err, p.there.Remove(t.Context(), ann.ID))
	if _, err := p.here.Bearer(t.Context(), text); !errors.Is(err, accounts.ErrWrong) {
		t.Error(err)
	}
	if again := p.add(t, "ann"); again.ID == ann.ID {
		t.Error("the number of an account is given again")
	}
}
