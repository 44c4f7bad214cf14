package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/consoletest"
)

// TestPages follows the links of lists: every message once, the newest first.
func TestPages(t *testing.T) {
	s := newSite(t)
	var more []policy.Record
	for n := 4; n < 10; n++ {
		more = append(more, record(n, scan.Forbidden, "bob@example.com"))
	}
	s.keep(more...)
	for _, list := range []string{"messages", "quarantine"} {
		for _, c := range []struct{ who, query, want string }{
			{"root", "limit=2", "9 8 7 6 5 4 3 2 1"}, {"root", "limit=9", "9 8 7 6 5 4 3 2 1"}, {"own", "limit=3", "9 8 7 6 5 4 2 1"}, {"other", "limit=1", "3 1"}, {"root", "from=nobody", ""},
			{"root", "to=%40example.org&limit=1", "3 1"}, {"root", "since=2026-11-29T11:57:00Z&limit=1", "9 8 7"}, {"root", "before=2026-11-29T13:52:30%2B02:00", "2 1"}, {"other", "to=bob%40example.com", ""},
		} {
			var got []string
			for next := "/api/v1/" + list + "?" + c.query; next != ""; {
				var ids []string
				ids, next = s.list(c.who, next)
				got = append(got, ids...)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s?%s by %s: %s, want %s", list, c.query, c.who, got, c.want)
			}
		}
	}
}

// TestMistakes are refused, and said.
func TestMistakes(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/api/v1/messages?form=x", "", 400, `there is no parameter \"form\" here`}, {"GET", "/api/v1/messages?limit=0", "", 400, "from 1 to 1000"}, {"GET", "/api/v1/messages?limit=1001", "", 400, "from 1 to 1000"},
		{"GET", "/api/v1/messages?since=yesterday", "", 400, "RFC 3339"}, {"GET", "/api/v1/messages?action=refused", "", 400, "write one of deliver"}, {"GET", "/api/v1/messages?after=1", "", 400, "after: "},
		{"GET", "/api/v1/messages?from=a&from=b", "", 400, "more than once"}, {"GET", "/api/v1/messages?subject=" + strings.Repeat("x", 3000), "", 400, "more than 2000 bytes"}, {"GET", "/api/v1/messages?a=%zz", "", 400, "the query"},
		{"GET", "/api/v1/quarantine?after=x", "", 400, "after: "}, {"GET", "/api/v1/quarantine?class=none", "", 400, "write one of"}, {"GET", "/api/v1/quarantine/" + id(1) + "?x=1", "", 400, "no parameter"},
		{"GET", "/api/v1/messages/export?limit=5", "", 400, "no parameter"}, {"GET", "/api/v1/messages/export?format=xml", "", 400, "csv, jsonl"}, {"GET", "/api/v1/rules?days=-1", "", 400, "from 1 to 3650"},
		{"POST", "/api/v1/quarantine/" + id(1) + "/release", "[]", 400, "object of JSON"}, {"POST", "/api/v1/quarantine/" + id(1) + "/release", `{"too": ["a@example.com"]}`, 400, "object of JSON"}, {"POST", "/api/v1/quarantine/" + id(1) + "/release", `{}{}`, 400, "after the object"},
		{"POST", "/api/v1/quarantine/" + id(1) + "/release", `{"to": ["a@example.com>, <b@example.net"]}`, 400, "no address"}, {"POST", "/api/v1/quarantine/" + id(1) + "/release", `{"to": ["` + strings.Repeat("a", 70<<10) + `"]}`, 413, "large"},
		{"POST", "/api/v1/quarantine/" + id(1) + "/forward", "", 400, "act-no-address"}, {"POST", "/api/v1/quarantine/" + id(2) + "/release", "", 409, "act-infected"},
		{"POST", "/api/v1/rehearsals?client=x", "Subject: x\r\n\r\n", 400, "client: "}, {"POST", "/api/v1/rehearsals", "", 400, "no-file"},
		{"GET", "/api/v1/nothing", "", 404, "not-found"}, {"GET", "/api/", "", 404, "not-found"}, {"PUT", "/api/v1/messages", "", 405, "problem:method"}, {"POST", "/api/v1/quarantine/x", "", 405, "problem:method"},
	} {
		got := s.ask("root", c.method, c.path, c.body)
		var p problem
		err := json.Unmarshal(got.Body.Bytes(), &p)
		if got.Code != c.status || got.Header().Get("Content-Type") != "application/problem+json" || err != nil || p.Status != c.status || p.Title == "" || !strings.HasPrefix(p.Type, problemType) ||
			!strings.Contains(got.Body.String(), c.says) {
			t.Errorf("%s %.80s: %d %s", c.method, c.path, got.Code, got.Body)
		}
		if (got.Header().Get("Allow") != "") != (c.status == 405) {
			t.Errorf("%s %.80s: Allow: %q", c.method, c.path, got.Header().Get("Allow"))
		}
	}
	if len(s.mta.To) > 0 {
		t.Errorf("sent %v", s.mta.To)
	}
	r := httptest.NewRequest("POST", "/api/v1/rehearsals", strings.NewReader("from=x"))
	r.Header.Set("Authorization", "Bearer root")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d", w.Code)
	}
}

// TestReleaseOnce has many programs release the same message: it is sent once, the
// others are told, and it is written down.
func TestReleaseOnce(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		wg.Go(func() {
			codes[i] = s.ask([]string{"root", "desk"}[i%2], "POST", "/api/v1/quarantine/"+id(1)+"/release", "").Code
		})
	}
	wg.Wait()
	slices.Sort(codes)
	if len(s.mta.To) != 1 || codes[0] != 200 || codes[1] != 409 {
		t.Errorf("%v, %d mails", codes, len(s.mta.To))
	}
	if !slices.ContainsFunc(s.audit, func(line string) bool { return strings.HasSuffix(line, " release "+id(1)) }) {
		t.Errorf("written down: %v", s.audit)
	}
	got := s.ask("own", "POST", "/api/v1/quarantine/"+id(2)+"/release", `{"to": ["ann@example.org"], "infected": true}`)
	if got.Code != 403 || len(s.mta.To) != 1 {
		t.Errorf("to another domain: %d %s", got.Code, got.Body)
	}
}

// TestHostileTexts has what a sender wrote be data in every answer.
func TestHostileTexts(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"messages", "messages/" + id(1), "messages/" + id(1) + "/timeline", "messages/export", "messages/export?format=csv", "quarantine", "quarantine/" + id(1), "messages?subject=" + url.QueryEscape(hostile)} {
		got := s.ask("root", "GET", "/api/v1/"+path, "")
		if got.Code != 200 || strings.ContainsAny(got.Body.String(), "\u202e\x1b\r") || got.Header().Get("Set-Cookie") != "" || got.Header().Get("X-Content-Type-Options") != "nosniff" ||
			strings.Contains(got.Header().Get("Content-Type"), "html") {
			t.Errorf("%s: %d %v %q", path, got.Code, got.Header(), got.Body)
		}
	}
	if ids, _ := s.list("root", "/api/v1/messages?subject="+url.QueryEscape("<script>alert(1)</script>")); len(ids) != 3 {
		t.Errorf("found by its subject: %v", ids)
	}
}

// TestExport has all records, however many pages they take.
func TestExport(t *testing.T) {
	s := newSite(t)
	var more []policy.Record
	for n := range 2300 {
		r := record(9, scan.Forbidden, "bob@example.com")
		r.ID, r.Time = "06h09cfwgrgb"+string(rune('a'+n%26))+strings.Repeat("x", n/26), now.Add(time.Duration(n)*time.Second)
		more = append(more, r)
	}
	consoletest.Remember(t, s.Config(), more...)
	got := s.ask("root", "GET", "/api/v1/messages/export?format=csv", "")
	lines, err := csv.NewReader(got.Body).ReadAll()
	if err != nil || len(lines) != 2304 || got.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%d lines, %v, %v", len(lines), err, got.Header())
	}
	if !slices.Equal(s.audit, []string{"root export messages"}) {
		t.Errorf("written down: %v", s.audit)
	}
	got = s.ask("own", "GET", "/api/v1/messages/export?to=@example.com", "")
	if n := strings.Count(got.Body.String(), "\n"); n != 2302 || got.Header().Get("Content-Type") != "application/jsonl" {
		t.Errorf("%d lines, %v", n, got.Header())
	}
}

// TestStatus says how the host is, in the words of "doctor".
func TestStatus(t *testing.T) {
	got := newSite(t).ask("root", "GET", "/api/v1/status", "").Body.String()
	for _, want := range []string{`"worst":"fault"`, `"level":"ok","check":"engines","what":"clamd: 1.4.3"`, `"fix":"make room"`, `"name":"spam/list"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// TestRehearsal judges a mail, and remembers nothing of it.
func TestRehearsal(t *testing.T) {
	s := newSite(t)
	got := s.ask("root", "POST", "/api/v1/rehearsals?from=nobody@example.net&to=bob@example.com&to=ann@example.org&client=192.0.2.1", "Subject: try\r\n\r\nbody\r\n")
	if got.Code != 200 || !strings.Contains(got.Body.String(), `"action":"reject"`) || !strings.Contains(got.Body.String(), "ann@example.org") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if ids, _ := s.list("root", "/api/v1/messages?subject=try"); len(ids) > 0 {
		t.Errorf("remembered: %v", ids)
	}
}

// TestTokens makes a token of an account: it may what it is for, until it is revoked or its
// account disabled.
func TestTokens(t *testing.T) {
	s := newSite(t)
	people := accounts.New(filepath.Join(t.TempDir(), "console.db"))
	defer people.Close()
	if err := people.Add(t.Context(), accounts.Account{Name: "ann", Role: login.HelpDesk}, "a long enough pass phrase of hers"); err != nil {
		t.Fatal(err)
	}
	ann, err := people.ByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	text, err := people.AddToken(t.Context(), ann, accounts.Token{Name: "script", Rights: []login.Right{login.SeeMessages, login.Release}})
	if err != nil {
		t.Fatal(err)
	}
	a := &api{Console: s.Console, accounts: people}
	who := func(header string) (login.Person, error) {
		r := httptest.NewRequest("GET", "/api/v1/messages", nil)
		r.Header.Set("Authorization", header)
		return a.who(r)
	}
	p, err := who("bearer " + text)
	if err != nil || !p.May(login.SeeMessages) || !p.May(login.Release) || p.May(login.MarkHandled) || p.May(login.SeeRules) {
		t.Errorf("%+v, %v", p, err)
	}
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + text, text, "Bearer " + text + "x", "Bearer " + strings.Repeat("x", 100_000)} {
		if p, err := who(header); err == nil || p.Name != "" {
			t.Errorf("%.40q: %+v, %v", header, p, err)
		}
	}
	if err := people.SetDisabled(t.Context(), ann.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := who("Bearer " + text); err == nil {
		t.Error("the account is disabled")
	}
}
