package accounts

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// withSecond gives an account a second factor, half an hour ago.
func withSecond(t *testing.T, a *Accounts, now *time.Time, name string) (account Account, secret string, recovery []string) {
	t.Helper()
	account = add(t, a, name)
	key, err := NewSecond("Milterscan mx.example.com", account.Name)
	if err != nil {
		t.Fatal(err)
	}
	recovery, err = a.ConfirmSecond(t.Context(), account.ID, key.Secret(), codeAt(t, key.Secret(), *now))
	if err != nil {
		t.Fatal(err)
	}
	*now = now.Add(30 * time.Minute)
	return account, key.Secret(), recovery
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestSecondFactor(t *testing.T) {
	a, now := open(t)
	account, secret, _ := withSecond(t, a, now, "ann")
	half := 30 * time.Second
	for _, c := range []struct {
		about, code string
		ok          bool
	}{
		{"too old", codeAt(t, secret, now.Add(-2*half)), false},
		{"too early", codeAt(t, secret, now.Add(2*half)), false},
		{"empty", "", false},
		{"no digits", "abcdef", false},
		{"too long", strings.Repeat("1", 10<<10), false},
		{"of the half minute before", codeAt(t, secret, now.Add(-half)), true},
		{"once more", codeAt(t, secret, now.Add(-half)), false},
		{"of now, with blanks", " " + codeAt(t, secret, *now)[:3] + " " + codeAt(t, secret, *now)[3:], true},
		{"of before, after that of now", codeAt(t, secret, now.Add(-half)), false},
		{"of the next", codeAt(t, secret, now.Add(half)), true},
		{"of now, after that of the next", codeAt(t, secret, *now), false},
	} {
		if err := a.CheckSecond(t.Context(), account.ID, c.code); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", c.about, err)
		}
	}
	none := add(t, a, "bob")
	if err := a.CheckSecond(t.Context(), none.ID, "000000"); !errors.Is(err, ErrWrong) {
		t.Error("an account without a second factor:", err)
	}
	if err := a.CheckSecond(t.Context(), 12345, "000000"); !errors.Is(err, ErrUnknown) {
		t.Error("no account:", err)
	}
}

// TestCodeAtOnce: a code that is sent many times at the same moment is good once.
func TestCodeAtOnce(t *testing.T) {
	a, now := open(t)
	account, secret, recovery := withSecond(t, a, now, "ann")
	for _, code := range []string{codeAt(t, secret, *now), recovery[3]} {
		var good atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := a.CheckSecond(t.Context(), account.ID, code); err == nil {
					good.Add(1)
				} else if !errors.Is(err, ErrWrong) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 {
			t.Errorf("%s was good %d times", code, good.Load())
		}
	}
}

func TestRecovery(t *testing.T) {
	a, now := open(t)
	account, _, recovery := withSecond(t, a, now, "ann")
	other, _, _ := withSecond(t, a, now, "bob")
	if len(recovery) != recoveryCodes {
		t.Fatal(recovery)
	}
	if err := a.CheckSecond(t.Context(), other.ID, recovery[0]); !errors.Is(err, ErrWrong) {
		t.Error("another's code:", err)
	}
	if err := a.CheckSecond(t.Context(), account.ID, strings.ToUpper(strings.ReplaceAll(recovery[0], "-", " "))); err != nil {
		t.Error("with blanks and capitals:", err)
	}
	if err := a.CheckSecond(t.Context(), account.ID, recovery[0]); !errors.Is(err, ErrWrong) {
		t.Error("once more:", err)
	}
	if got, err := a.ByID(t.Context(), account.ID); err != nil || got.Recovery != recoveryCodes-1 {
		t.Error(got.Recovery, err)
	}
	if _, err := a.RenewRecovery(t.Context(), account.ID); err != nil {
		t.Fatal(err)
	}
	if err := a.CheckSecond(t.Context(), account.ID, recovery[1]); !errors.Is(err, ErrWrong) {
		t.Error("an old code:", err)
	}
	if err := a.RemoveSecond(t.Context(), account.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := a.ByID(t.Context(), account.ID); err != nil || got.HasSecond || got.Recovery != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := a.RenewRecovery(t.Context(), account.ID); !errors.Is(err, ErrWrong) {
		t.Error("codes without a second factor:", err)
	}
}

func TestConfirm(t *testing.T) {
	a, now := open(t)
	account := add(t, a, "ann")
	key, err := NewSecond("x", "ann")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.ConfirmSecond(t.Context(), account.ID, key.Secret(), "000000"); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
	if _, err := a.ConfirmSecond(t.Context(), account.ID, "", codeAt(t, key.Secret(), *now)); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
	if _, err := a.ConfirmSecond(t.Context(), account.ID, key.Secret(), codeAt(t, key.Secret(), *now)); err != nil {
		t.Error(err)
	}
	if err := a.CheckSecond(t.Context(), account.ID, codeAt(t, key.Secret(), *now)); !errors.Is(err, ErrWrong) {
		t.Error("the code it was set up with, once more:", err)
	}
}
