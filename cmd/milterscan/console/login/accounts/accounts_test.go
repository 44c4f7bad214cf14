package accounts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

const good = "correct horse battery"

// open returns empty accounts whose clock the test may set.
func open(t *testing.T) (*Accounts, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	a := New(filepath.Join(t.TempDir(), "console.db"))
	a.now = func() time.Time { return now }
	t.Cleanup(func() { a.Close() })
	return a, &now
}

func add(t *testing.T, a *Accounts, name string) Account {
	t.Helper()
	if err := a.Add(t.Context(), Account{Name: name, Role: login.Administrator}, good); err != nil {
		t.Fatal(err)
	}
	account, err := a.ByName(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"ann": "ann", " Ann ": "ann", "ＡＮＮ": "ann", "A\u0301nn": "ánn", "Ánn": "ánn", "ann@Example.com": "ann@example.com", "STRASSE": "strasse",
		"": "", "a b": "", "a\x00b": "", "a\nb": "", "a\u202eb": "", "a\u200bb": "", "\xff": "", strings.Repeat("a", 129): "", strings.Repeat("é", 10000): "",
		"ldap:ann": "", "<b>": "", "a/b": "", "a\\b": "", "a'b": "",
	} {
		got, err := LocalName(name)
		if got != want && err == nil || (err != nil) != (want == "") {
			t.Errorf("%.20q: %q, %v", name, got, err)
		}
	}
}

func TestPasswords(t *testing.T) {
	for password, ok := range map[string]bool{
		good: true, "elevenchars": false, "twelve chars": true, "ééééééabcdef": true, "äöüßäöüßäöüß": false, "aaaaaaaaaaaaaaaa": false, "": false,
		"annannannann": false, "ann@example.com": false, "Ann@Example.com1": false, "tab\tin it and more": false, "line\nbreak and more": false,
		strings.Repeat("abcdefgh", 200): false, "annabcdefghijk": true,
	} {
		if err := CheckPassword("ann@example.com", password); (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
	}
}

// TestVerify: whatever is wrong, the error is the same, and as much work was done.
func TestVerify(t *testing.T) {
	a, _ := open(t)
	ann := add(t, a, "ann")
	bob := add(t, a, "bob")
	if err := errors.Join(a.Add(t.Context(), Account{Name: "cert", Role: login.Auditor}, ""), a.SetDisabled(t.Context(), bob.ID, true)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password string
		want           error
		known          bool
	}{
		{"ann", good, nil, true},
		{" ANN", good, nil, true},
		{"ann", good + " ", ErrWrong, true},
		{"ann", "", ErrWrong, true},
		{"ann", strings.Repeat("x", 10<<10), ErrWrong, true},
		{"ann", "\x00", ErrWrong, true},
		{"bob", good, ErrWrong, true},
		{"cert", "", ErrWrong, true},
		{"cert", "no such account!", ErrWrong, true},
		{"nobody", good, ErrWrong, false},
		{"nobody", "", ErrWrong, false},
		{"", "", ErrWrong, false},
		{strings.Repeat("n", 10<<10), good, ErrWrong, false},
		{"ann' OR '1'='1", good, ErrWrong, false},
	} {
		var begun, ended runtime.MemStats
		runtime.ReadMemStats(&begun)
		account, known, err := a.Verify(t.Context(), c.name, c.password)
		runtime.ReadMemStats(&ended)
		if !errors.Is(err, c.want) || known != c.known || (err == nil) != (account.ID == ann.ID) {
			t.Errorf("%.20q, %.20q: %v, %v, %v", c.name, c.password, account.Name, known, err)
		}
		if n := (ended.TotalAlloc - begun.TotalAlloc) >> 20; n < 60 || n > 80 {
			t.Errorf("%.20q, %.20q: it took %d MB, that of one comparison is 64", c.name, c.password, n)
		}
	}
}

// TestFloodOfLogins: however many log in at once, one password at a time is compared, some wait,
// and the rest are turned away.
func TestFloodOfLogins(t *testing.T) {
	h := newHasher()
	var mu sync.Mutex
	now, most, turned := 0, 0, 0
	var all sync.WaitGroup
	go_ := make(chan struct{})
	for range 100 {
		all.Go(func() {
			err := h.run(t.Context(), func() {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				<-go_
				mu.Lock()
				now--
				mu.Unlock()
			})
			if errors.Is(err, ErrBusy) {
				mu.Lock()
				if turned++; turned == 100-mostWaiting {
					close(go_)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if most != 1 || turned != 100-mostWaiting {
		t.Errorf("%d at once, %d turned away", most, turned)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h.turn <- struct{}{}
	cancel()
	if err := h.run(ctx, func() { t.Error("run without its turn") }); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

// TestHashesOfOthers: a hash that was put into the file cannot ask for any amount of work.
func TestHashesOfOthers(t *testing.T) {
	if !sound(nobodys) {
		t.Error("the hash of nobody is not as ours are")
	}
	for _, hash := range []string{"", "x", "$argon2id$v=19$m=4194304,t=2,p=1$bm8gc3VjaCBhY2NvdW50IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=4000,p=1$bm8gc3VjaCBhY2NvdW50IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=0,p=1$bm8gc3VjaCBhY2NvdW50IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=2,p=0$bm8gc3VjaCBhY2NvdW50IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=65536,t=2,p=1$$"} {
		if sound(hash) {
			t.Errorf("%s is taken", hash)
		}
		if ok, err := newHasher().matches(t.Context(), good, hash); ok || err != nil {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

func TestPeople(t *testing.T) {
	a, _ := open(t)
	ann := add(t, a, "Ann")
	for _, c := range []struct {
		account  Account
		password string
	}{
		{Account{Name: "ann", Role: login.Auditor}, good}, // taken
		{Account{Name: "ＡNN", Role: login.Auditor}, good}, // the same
		{Account{Name: "x y", Role: login.Auditor}, good}, // no name
		{Account{Name: "carl"}, good},                     // no role
		{Account{Name: "carl", Role: login.Domain}, good}, // no domain
		{Account{Name: "carl", Role: login.Domain, Domains: []string{"*"}}, good},
		{Account{Name: "carl", Role: login.Auditor, Domains: []string{"example.com"}}, good},
		{Account{Name: "carl", Role: login.Auditor}, "short"},
	} {
		if err := a.Add(t.Context(), c.account, c.password); err == nil {
			t.Errorf("%+v was added", c.account)
		}
	}
	if err := a.Add(t.Context(), Account{Name: "dora", Role: login.Domain, Domains: []string{"Example.COM", ".example.net"}, WantsSecond: true}, good); err != nil {
		t.Fatal(err)
	}
	list, err := a.List(t.Context())
	if err != nil || len(list) != 2 || strings.Join(list[1].Domains, " ") != "example.com .example.net" || !list[1].WantsSecond || !list[1].Password {
		t.Errorf("%+v, %v", list, err)
	}
	before := ann.Epoch()
	if err := errors.Join(a.SetPassword(t.Context(), ann.ID, "another horse battery"), a.SetLanguage(t.Context(), ann.ID, "de")); err != nil {
		t.Fatal(err)
	}
	ann, err = a.ByID(t.Context(), ann.ID)
	if err != nil || ann.Epoch() == before || ann.Language != "de" {
		t.Errorf("%+v, %v", ann, err)
	}
	if _, _, err := a.Verify(t.Context(), "ann", good); !errors.Is(err, ErrWrong) {
		t.Error("the old password:", err)
	}
	if err := errors.Join(a.Remove(t.Context(), ann.ID), a.Remove(t.Context(), ann.ID)); err != nil {
		t.Error(err)
	}
	for _, err := range []error{a.SetDisabled(t.Context(), ann.ID, false), a.SetPassword(t.Context(), ann.ID, good), a.EndSessions(t.Context(), ann.ID)} {
		if !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}
	if again := add(t, a, "ann"); again.ID == ann.ID {
		t.Error("the number of an account was given again")
	}
}

func TestAdmit(t *testing.T) {
	a, _ := open(t)
	local := add(t, a, "ann")
	ldap, err := a.Admit(t.Context(), Identity{Source: LDAP, Subject: "ann", Name: "Ann", Role: login.HelpDesk})
	if err != nil || ldap.Name != "ldap:ann" || ldap.ID == local.ID || ldap.Role != login.HelpDesk {
		t.Fatalf("%+v, %v", ldap, err)
	}
	again, err := a.Admit(t.Context(), Identity{Source: LDAP, Subject: "ann", Name: "ann", Role: login.Domain, Domains: []string{"example.com"}})
	if err != nil || again.ID != ldap.ID || again.Role != login.Domain {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := a.Admit(t.Context(), Identity{Source: LDAP, Subject: "another", Name: "ANN", Role: login.Administrator}); !errors.Is(err, ErrTaken) {
		t.Error("another person of the name:", err)
	}
	for _, i := range []Identity{{Source: OIDC, Subject: "1", Name: "a b", Role: login.Auditor}, {Source: OIDC, Subject: "1", Name: "eve"},
		{Source: OIDC, Subject: "1", Name: "eve", Role: "root"}, {Source: OIDC, Subject: "1", Name: "eve", Role: login.Domain}} {
		if _, err := a.Admit(t.Context(), i); err == nil {
			t.Errorf("%+v is admitted", i)
		}
	}
	if err := a.SetDisabled(t.Context(), ldap.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Admit(t.Context(), Identity{Source: LDAP, Subject: "ann", Name: "ann", Role: login.Auditor}); !errors.Is(err, ErrWrong) {
		t.Error("disabled:", err)
	}
	if _, known, err := a.Verify(t.Context(), "ldap:ann", ""); known || !errors.Is(err, ErrWrong) {
		t.Error("an account of LDAP, as a local one:", known, err)
	}
	if err := a.SetPassword(t.Context(), ldap.ID, good); err == nil {
		t.Error("an account of LDAP has a password here")
	}
}

// TestAdmitOwner: a recipient has one account, however it proves to own its addresses, and none
// is made by hand. Lists leave it out.
func TestAdmitOwner(t *testing.T) {
	a, _ := open(t)
	add(t, a, "ann")
	own, err := a.AdmitOwner(t.Context(), []string{"o'hara/x@example.com"})
	if err != nil || own.Role != login.Recipient || own.Name != "recipient:o'hara/x@example.com" {
		t.Fatalf("%+v, %v", own, err)
	}
	again, err := a.AdmitOwner(t.Context(), []string{"o'hara/x@example.com", "sales@example.com"})
	if p := again.Person(); err != nil || again.ID != own.ID || len(p.Addresses) != 2 || len(p.Domains) != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	if named, err := a.ByName(t.Context(), "recipient:O'Hara/x@Example.com"); err != nil || named.ID != own.ID {
		t.Errorf("%+v, %v", named, err)
	}
	if list, err := a.List(t.Context()); err != nil || len(list) != 1 || list[0].Name != "ann" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := a.AdmitOwner(t.Context(), nil); !errors.Is(err, ErrWrong) {
		t.Error("the owner of nothing:", err)
	}
	if err := a.Add(t.Context(), Account{Name: "ben", Role: login.Recipient}, good); err == nil {
		t.Error("a recipient was made by hand")
	}
	for _, i := range []Identity{{Source: LDAP, Subject: "eve", Name: "eve", Role: login.Recipient}, {Source: Owner, Subject: "x", Name: "x", Role: login.Recipient}} {
		if _, err := a.Admit(t.Context(), i); err == nil {
			t.Errorf("%+v is admitted", i)
		}
	}
	if err := a.SetDisabled(t.Context(), own.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AdmitOwner(t.Context(), own.Addresses); !errors.Is(err, ErrWrong) {
		t.Error("disabled:", err)
	}
}

// TestDamagedFileIsLeft: a file that is no database is not replaced by one without the
// accounts that were disabled, and nobody gets in.
func TestDamagedFileIsLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console.db")
	if err := os.WriteFile(path, []byte("this is no database, and has never been one"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := New(path)
	defer a.Close()
	if _, err := a.Admit(t.Context(), Identity{Source: LDAP, Subject: "ann", Name: "ann", Role: login.Auditor}); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 {
		t.Error(files)
	}
}

func TestTokens(t *testing.T) {
	a, now := open(t)
	ann := add(t, a, "ann")
	text, err := a.AddToken(t.Context(), ann, Token{Name: "panel", Rights: []login.Right{login.SeeMessages}, Expires: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Bearer(t.Context(), text)
	if err != nil || !p.May(login.SeeMessages) || p.May(login.Release) || !p.Sees(login.Mail{}) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "milterscan_", text + "x", text[:len(text)-1], strings.ToUpper(text), strings.Repeat(text, 20)} {
		if _, err := a.Bearer(t.Context(), bad); !errors.Is(err, ErrWrong) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	if _, err := a.AddToken(t.Context(), ann, Token{Name: "panel", Rights: []login.Right{login.Release}}); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	auditor := Account{ID: 99, Role: login.Auditor}
	if _, err := a.AddToken(t.Context(), auditor, Token{Name: "p", Rights: []login.Right{login.Release}}); err == nil {
		t.Error("a token may more than its owner")
	}
	list, err := a.Tokens(t.Context(), ann.ID)
	if err != nil || len(list) != 1 || list[0].Used.IsZero() || strings.Contains(list[0].Name, text) {
		t.Errorf("%+v, %v", list, err)
	}
	if err := a.SetDisabled(t.Context(), ann.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Bearer(t.Context(), text); !errors.Is(err, ErrWrong) {
		t.Error("disabled:", err)
	}
	if err := a.SetDisabled(t.Context(), ann.ID, false); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(2 * time.Hour)
	if _, err := a.Bearer(t.Context(), text); !errors.Is(err, ErrWrong) {
		t.Error("expired:", err)
	}
	if err := a.RemoveToken(t.Context(), ann.ID, "panel"); err != nil {
		t.Error(err)
	}
}

// TestFloodTakesMemoryOnce: a hundred who log in at once take no more memory than one, or two while one is collected.
func TestFloodTakesMemoryOnce(t *testing.T) {
	a, _ := open(t)
	add(t, a, "ann")
	done := make(chan struct{})
	most := make(chan uint64)
	go func() {
		peak := uint64(0)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapSys-m.HeapReleased)
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { a.Verify(t.Context(), "ann", "wrong horse battery") })
	}
	all.Wait()
	close(done)
	if peak := <-most >> 20; peak > 180 {
		t.Errorf("%d MB", peak)
	} else {
		t.Logf("%d MB", peak)
	}
}
