package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// TestAccounts makes a domain administrator, changes what it may see, closes it, and forgets it.
func TestAccounts(t *testing.T) {
	s := newSite(t)
	made := s.ask("root", "POST", "/api/v1/accounts", `{"name": " Dora ", "domains": ["Example.COM", ".example.com"], "language": "de"}`)
	if made.Code != http.StatusCreated || made.Header().Get("Location") != "/api/v1/accounts/dora" {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	dora, err := s.people.ByName(t.Context(), "dora")
	if err != nil || dora.Role != login.Domain || !slices.Equal(dora.Domains, []string{"example.com", ".example.com"}) || dora.Password || dora.Language != "de" {
		t.Errorf("%+v, %v", dora, err)
	}
	if again := s.ask("root", "POST", "/api/v1/accounts", `{"name": "DORA", "domains": ["example.org"]}`); again.Code != http.StatusConflict {
		t.Errorf("twice: %d %s", again.Code, again.Body)
	}
	if got := s.ask("root", "PATCH", "/api/v1/accounts/dora", `{"domains": ["example.org"], "classes": ["suspicious"]}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"domains":["example.org"]`) {
		t.Errorf("changed: %d %s", got.Code, got.Body)
	}
	if now, err := s.people.ByName(t.Context(), "dora"); err != nil || now.Epoch() == dora.Epoch() || !slices.Equal(now.Classes, []string{"suspicious"}) || now.Language != "de" {
		t.Errorf("%+v, %v", now, err)
	}
	if got := s.ask("root", "PATCH", "/api/v1/accounts/dora", `{"disabled": true}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"disabled":true`) {
		t.Errorf("closed: %d %s", got.Code, got.Body)
	}
	if got := s.ask("root", "PATCH", "/api/v1/accounts/dora", `{"disabled": false, "language": "fr"}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"disabled":false`) {
		t.Errorf("opened: %d %s", got.Code, got.Body)
	}
	var made2 struct{ Token string }
	if got := s.ask("root", "POST", "/api/v1/accounts/dora/tokens", `{"name": "panel", "rights": ["see messages", "release"], "expires": "2099-01-01T00:00:00Z"}`); json.Unmarshal(got.Body.Bytes(), &made2) != nil || got.Code != http.StatusCreated {
		t.Errorf("token: %d %s", got.Code, got.Body)
	}
	if p, err := s.people.Bearer(t.Context(), made2.Token); err != nil || p.Name != "dora" || !slices.Equal(p.Only, []login.Right{login.SeeMessages, login.Release}) {
		t.Errorf("%+v, %v", p, err)
	}
	if got := s.ask("root", "GET", "/api/v1/accounts/dora/tokens", ""); !strings.Contains(got.Body.String(), `"panel"`) || strings.Contains(got.Body.String(), made2.Token) {
		t.Errorf("tokens: %s", got.Body)
	}
	if got := s.ask("root", "DELETE", "/api/v1/accounts/dora/tokens/panel", ""); got.Code != http.StatusNoContent {
		t.Errorf("token: %d %s", got.Code, got.Body)
	}
	if _, err := s.people.Bearer(t.Context(), made2.Token); err == nil {
		t.Error("the token is good after it was removed")
	}
	if got := s.ask("root", "DELETE", "/api/v1/accounts/dora", ""); got.Code != http.StatusNoContent {
		t.Errorf("removed: %d %s", got.Code, got.Body)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		if got := s.ask("root", method, "/api/v1/accounts/dora", `{}`); got.Code != http.StatusNotFound {
			t.Errorf("%s after that: %d %s", method, got.Code, got.Body)
		}
	}
	if want := 8; len(s.audit) != want || s.audit[0] != "root manage users dora" {
		t.Errorf("%d lines of the audit log: %q", len(s.audit), s.audit)
	}
}

// TestProgramsStayBelow: by accounts of others a program would become more than it is.
func TestProgramsStayBelow(t *testing.T) {
	s := newSite(t)
	s.inhabit()
	before := fmt.Sprint(s.add("boss", login.Administrator), s.add("bob", login.HelpDesk))
	s.people.AdmitOwner(t.Context(), []string{"ann@example.com"})
	for _, c := range []struct{ method, path, body string }{
		{"POST", "", `{"name": "x", "role": "administrator"}`},
		{"POST", "", `{"name": "x", "role": "helpdesk"}`},
		{"POST", "", `{"name": "x", "role": "auditor"}`},
		{"PATCH", "/boss", `{"disabled": true}`},
		{"PATCH", "/boss", `{"role": "domain", "domains": ["example.com"]}`},
		{"PATCH", "/dora", `{"role": "administrator", "domains": []}`},
		{"DELETE", "/boss", ""},
		{"DELETE", "/bob", ""},
		{"POST", "/boss/tokens", `{"name": "x", "rights": ["manage users"]}`},
		{"POST", "/bob/tokens", `{"name": "x", "rights": ["release"]}`},
		{"DELETE", "/boss/tokens/x", ""},
		{"DELETE", "/owner:ann@example.com", ""},
	} {
		got := s.ask("root", c.method, "/api/v1/accounts"+c.path, c.body)
		if got.Code != http.StatusForbidden && got.Code != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Code, got.Body)
		}
	}
	boss, _ := s.people.ByName(t.Context(), "boss")
	bob, _ := s.people.ByName(t.Context(), "bob")
	if after := fmt.Sprint(boss, bob); after != before || len(s.audit) != 0 {
		t.Errorf("before %s\nafter  %s\n%q", before, after, s.audit)
	}
}

// TestWrongAccounts says what is wrong, and does nothing.
func TestWrongAccounts(t *testing.T) {
	s := newSite(t)
	s.inhabit()
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "", ``, "the body"},
		{"POST", "", `[]`, "the body"},
		{"POST", "", `{"name": "x", "domains": ["example.com"]} {}`, "the body"},
		{"POST", "", `{"name": "x", "domains": ["example.com"], "epoch": 1}`, "the body"},
		{"POST", "", `{"domains": ["example.com"]}`, "name"},
		{"POST", "", `{"name": "oidc:x", "domains": ["example.com"]}`, "name"},
		{"POST", "", `{"name": "a/b", "domains": ["example.com"]}`, "name"},
		{"POST", "", `{"name": "x\n", "domains": ["two words"]}`, "the account"},
		{"POST", "", `{"name": "x"}`, "domains"},
		{"POST", "", `{"name": "x", "role": "king"}`, "the body"},
		{"POST", "", `{"name": "x", "domains": ["example.com"], "password": "short"}`, "password"},
		{"POST", "", `{"name": "x", "domains": ["example.com"], "disabled": true}`, "disabled"},
		{"PATCH", "/dora", `{"domains": []}`, "domains"},
		{"PATCH", "/dora", `{"name": "x"}`, "a name stays"},
		{"PATCH", "/dora", `{"password": "correct horse battery"}`, "a password is changed by its owner"},
		{"POST", "/dora/tokens", `{"name": "x", "rights": ["manage users"]}`, "rights"},
		{"POST", "/dora/tokens", `{"name": "x", "rights": ["fly"]}`, "rights"},
		{"POST", "/dora/tokens", `{"name": "x", "rights": []}`, "the body"},
		{"POST", "/dora/tokens", `{"rights": ["release"]}`, "the body"},
	} {
		got := s.ask("root", c.method, "/api/v1/accounts"+c.path, c.body)
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, got.Code, got.Body)
		}
	}
	if got := s.ask("root", "POST", "/api/v1/accounts/dora/tokens", `{"name": "script", "rights": ["release"]}`); got.Code != http.StatusConflict {
		t.Errorf("a token twice: %d %s", got.Code, got.Body)
	}
	if list, err := s.people.List(t.Context()); err != nil || len(list) != 1 || !slices.ContainsFunc(list, func(a accounts.Account) bool { return a.Name == "dora" && !a.Disabled }) {
		t.Errorf("%+v, %v", list, err)
	}
}
