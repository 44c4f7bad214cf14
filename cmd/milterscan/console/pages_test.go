package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// TestWhoSeesHosts has a host with messages that are in no list yet: who sees the mail of some domains is told neither
// its name nor how many they are.
func TestWhoSeesHosts(t *testing.T) {
	s := keptSite(t)
	s.late = []pipeline.Late{{Host: "mx7.shared.test", Messages: 4711}}
	for who, want := range map[string]bool{"root": true, "audit": true, "desk": true, "own": false, "other": false} {
		got := s.ask("GET", "/quarantine", who, nil)
		page := got.Body.String()
		if got.Code != 200 || strings.Contains(page, "mx7.shared.test") != want || strings.Contains(page, "4711") != want {
			t.Errorf("for %s: %d, wants the host %v in %s", who, got.Code, want, clip(text(page), 700))
		}
	}
}

// TestWhoSeesWhat asks for lists and messages as each person.
func TestWhoSeesWhat(t *testing.T) {
	s := keptSite(t)
	for _, c := range []struct {
		who, path string
		status    int
		has, not  string
	}{
		{"root", "/", 200, "Overview", ""}, {"own", "/", 303, "", ""}, {"root", "/messages", 200, id(2), ""},
		{"own", "/messages", 200, id(2), "ann@example.org"}, {"other", "/messages", 200, id(1), id(2)}, {"other", "/quarantine", 200, id(1), id(2)},
		{"other", "/messages/" + id(1), 200, "ann@example.org", "bob@example.com"}, {"other", "/messages/" + id(2), 404, "", "bob"}, {"other", "/messages/" + id(9), 404, "", ""},
		{"other", "/quarantine/" + id(2) + "/content", 404, "", ""}, {"desk", "/quarantine/" + id(1) + "/content", 200, "Dear customer", "file/"},
		{"desk", "/quarantine/" + id(2) + "/content", 403, "", "see the file"}, {"audit", "/quarantine/" + id(2) + "/content", 200, "see the file", ""},
		{"audit", "/quarantine", 200, id(1), `value="release"`}, {"desk", "/quarantine", 200, `value="release"`, `value="delete"`}, {"root", "/rules", 200, "never met", ""},
		{"own", "/rules", 403, "", "never met"}, {"desk", "/rules/settings", 403, "", ""}, {"desk", "/audit", 403, "", ""}, {"audit", "/audit", 200, "Audit log", ""},
		{"audit", "/rules/rehearsal", 403, "", ""}, {"root", "/nothing", 404, "does not exist", ""}, {"root", "/messages?since=yesterday", 400, "cannot be read", ""},
		{"root", "/messages?after=x", 400, "cannot be read", ""}, {"root", "/messages?larger=-1", 400, "cannot be read", ""}, {"root", "/quarantine?class=infected", 200, id(2), id(1)},
		{"root", "/messages?subject=locked", 200, id(1), id(2)}, {"root", "/messages?rule=keep+the+odd", 200, id(1), id(2)}, {"root", "/messages?finding=content/script", 200, id(1), id(2)},
		{"root", "/messages?q=" + id(1), 303, "", ""}, {"other", "/messages?q=" + id(2), 200, "Nothing was found", "bob@example.com"}, {"root", "/messages?to=nobody@example.net", 200, "Nothing was found", ""},
	} {
		got := s.ask("GET", c.path, c.who, nil)
		page := got.Body.String()
		if got.Code != c.status || !strings.Contains(page, c.has) || c.not != "" && strings.Contains(page, c.not) {
			t.Errorf("%s for %s: %d, wants %q and not %q in %s", c.path, c.who, got.Code, c.has, c.not, clip(text(page), 700))
		}
	}
}

// TestAnothersIsLikeNone: what a person may not see answers word for word like what is not
// there.
func TestAnothersIsLikeNone(t *testing.T) {
	s := keptSite(t)
	for _, route := range s.Routes() {
		if !strings.Contains(route.Pattern, "{id}") || route.Open {
			continue
		}
		answer := func(n int) string {
			path := strings.NewReplacer("{id}", id(n), "{part}", "1").Replace(route.Pattern)
			got := s.post(path, "other", "sure", "1", "to", "ann@example.org")
			if route.Method == "GET" {
				got = s.ask("GET", path, "other", nil)
			}
			return fmt.Sprint(got.Code, strings.ReplaceAll(got.Body.String(), id(n), ""))
		}
		if another, none := answer(2), answer(9); another != none {
			t.Errorf("%s %s:\n%s\n%s", route.Method, route.Pattern, text(another), text(none))
		}
	}
	if len(s.audit) > 0 {
		t.Errorf("%+v", s.audit)
	}
}

// hanging is a site whose stores do not answer, whatever becomes of a context.
type hanging struct {
	*site
	until chan struct{}
}

func (h hanging) History() History { <-h.until; return nil }

func (h hanging) Quarantine() quarantine.Store { <-h.until; return h.site.Quarantine() }

func (h hanging) Reloads(context.Context) ([]Reload, error) { <-h.until; return nil, nil }

func (h hanging) Health() Health { <-h.until; return Health{} }

func (h hanging) Story(context.Context, policy.Record) (s timeline.Story, err error) {
	<-h.until
	return s, nil
}

// TestStoresThatHang: a page says within its time which part did not answer.
func TestStoresThatHang(t *testing.T) {
	s := keptSite(t)
	h := hanging{s, make(chan struct{})}
	s.Console.Host = h
	t.Cleanup(func() { close(h.until); s.Console.asks.rest() })
	for path, want := range map[string]string{"/": "No answer: the history", "/messages": "No answer: the history", "/quarantine": "No answer: the quarantine", "/messages/" + id(1): "No answer:",
		"/rules/reloads": "No answer: the list of reloads", "/rules": "No answer: the history"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			got := s.ask("GET", path, "root", nil)
			if took := time.Since(begun); took > pageTime+time.Minute || !strings.Contains(text(got.Body.String()), want) {
				t.Errorf("after %v: %d %s", took, got.Code, clip(text(got.Body.String()), 500))
			}
		})
	}
}

// TestOverview counts, draws and names what needs a person.
func TestOverview(t *testing.T) {
	s := keptSite(t)
	for _, query := range []string{"", "?days=7", "?days=30"} {
		page := s.ask("GET", "/"+query, "root", nil).Body.String()
		for _, want := range []string{"spam/list.example has not answered since", "has 40MB left", "keep the odd", "content/script", "example.net", "<svg class=\"chart\"", `class="s-quarantine"`,
			"ClamAV 1.4.3", "The message as a whole"} {
			if !strings.Contains(page, want) {
				t.Errorf("%q is not in %s", want, query)
			}
		}
		if table := regexp.MustCompile(`(?s)<details id="chart-table">.*?</details>`).FindString(page); !strings.Contains(table, ">1<") {
			t.Errorf("the table beside the chart: %s", text(table))
		}
	}
	empty := newSite(t)
	if page := text(empty.ask("GET", "/", "root", nil).Body.String()); !strings.Contains(page, "there is no history yet") {
		t.Error(page)
	}
}

// TestChart adds up hours, and draws no column higher than the chart.
func TestChart(t *testing.T) {
	until := time.Date(2026, 11, 29, 22, 30, 0, 0, time.Local)
	pages, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	for days, columns := range map[int]int{1: 25, 7: 29, 30: 31} {
		since := until.Add(-time.Duration(days) * 24 * time.Hour)
		hours := []history.Hour{{Begin: since.Truncate(time.Hour), Value: "deliver", N: 3}, {Begin: until.Truncate(time.Hour), Value: "reject", N: 997}, {Begin: until.Truncate(time.Hour), Value: "deliver", N: 1000},
			{Begin: until.AddDate(0, -3, 0), Value: "deliver", N: 5}, {Begin: until.Add(time.Hour * 900), Value: "deliver", N: 5}, {Begin: until.Truncate(time.Hour), Value: "<script>", N: 9}}
		c := newChart(pages["en"], hours, since, until, days)
		if len(c.Columns) != columns || c.Total != 2000 || c.Columns[0].Total != 3 || c.Columns[columns-1].Total != 1997 || strings.Join(c.Actions, " ") != "deliver reject" {
			t.Errorf("%d days: %d columns, %d, %v", days, len(c.Columns), c.Total, c.Actions)
		}
		for _, col := range c.Columns {
			for _, p := range col.Pieces {
				if p.Y < 0 || p.Y+p.H > chartHeight-chartBottom+.01 || col.X < chartLeft || col.X+col.W > chartWidth {
					t.Errorf("%+v %+v", col, p)
				}
			}
		}
	}
}

// TestRehearsal has a mail judged as "scan" judges it, and keeps nothing of it.
func TestRehearsal(t *testing.T) {
	s := newSite(t)
	page := s.rehearse("root", "from", "eve@example.net", "mail", infectedMail).Body.String()
	m := regexp.MustCompile(`(?s)<summary>JSON</summary><pre[^>]*><bdi>(.*?)</bdi>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal(text(page))
	}
	var r policy.Record
	if err := json.Unmarshal([]byte(text(m[1])), &r); err != nil || r.Action != "reject" || r.Sender != "eve@example.net" {
		t.Errorf("%v %+v", err, r)
	}
	if s.History() != nil {
		t.Error("it is remembered")
	}
	for name, c := range map[string]struct {
		status int
		form   []string
	}{"no mail": {400, []string{"from", "x"}}, "empty": {400, []string{"mail", ""}}, "no address": {400, []string{"client", "<script>", "mail", "x"}},
		"large": {413, []string{"mail", strings.Repeat("x", int(s.Config().Limits.Message)+1)}}} {
		if got := s.rehearse("root", c.form...); got.Code != c.status {
			t.Errorf("%s: %d %s", name, got.Code, text(got.Body.String()))
		}
	}
	if got := s.post("/rules/rehearsal", "root", "mail", "x"); got.Code != 400 {
		t.Errorf("no form of files: %d", got.Code)
	}
	s.rehearsing <- struct{}{}
	if got := s.rehearse("root", "mail", "x"); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "Another mail is being tried") {
		t.Errorf("a second one: %d", got.Code)
	}
}

// rehearse sends a form with a mail.
func (s *site) rehearse(who string, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "mail" {
			w, err := m.CreateFormFile("mail", "a.eml")
			if err != nil {
				s.t.Fatal(err)
			}
			w.Write([]byte(pairs[i+1]))
			continue
		}
		m.WriteField(pairs[i], pairs[i+1])
	}
	m.Close()
	r := httptest.NewRequest("POST", "/rules/rehearsal", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return s.answer(r, who, nil)
}

// TestReloads notes what a reload changes, once, and no more than so many.
func TestReloads(t *testing.T) {
	s := newSite(t)
	c := *s.Config()
	if err := s.NoteReload(t.Context(), 1, &c, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.NoteReload(t.Context(), 1, &c, nil); err != nil { // a start that changes nothing
		t.Fatal(err)
	}
	c.Limits.Parts = 77
	c.Rules = c.Rules[:1]
	if err := s.NoteReload(t.Context(), 2, &c, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.NoteReload(t.Context(), 3, &c, fmt.Errorf("file:1: wrong")); err != nil {
		t.Fatal(err)
	}
	list, err := s.Reloads(t.Context())
	if err != nil || len(list) != 3 || list[0].Error != "file:1: wrong" || len(list[2].Changes) != 0 {
		t.Fatalf("%v %+v", err, list)
	}
	var got []string
	for _, change := range list[1].Changes {
		got = append(got, change.Sign+change.Text)
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, "-limits.parts = ") || !strings.Contains(all, "+limits.parts = 77") || !strings.Contains(all, "-rule never met: ") || len(got) != 3 {
		t.Errorf("%q", got)
	}
	page := s.ask("GET", "/rules/reloads", "root", nil).Body.String()
	if !strings.Contains(page, "<ins>") || !strings.Contains(page, "file:1: wrong") {
		t.Error(text(page))
	}
	for n := range mostReloads + 5 {
		s.NoteReload(t.Context(), uint64(n+4), &c, fmt.Errorf("wrong"))
	}
	if list, err := s.Reloads(t.Context()); err != nil || len(list) != mostReloads {
		t.Errorf("%d %v", len(list), err)
	}
}

// TestSettings shows values with where they come from.
func TestSettings(t *testing.T) {
	s := newSite(t)
	page := text(s.ask("GET", "/rules/settings", "root", nil).Body.String())
	if !strings.Contains(page, "quarantine.dir") || !strings.Contains(page, "milterscan.toml:3") || strings.Contains(page, "limits.parts") {
		t.Error(page)
	}
	if page := text(s.ask("GET", "/rules/settings?all=1", "root", nil).Body.String()); !strings.Contains(page, "limits.parts") {
		t.Error(page)
	}
}

// TestPaging goes through more kept messages than a page lists, and finds each once.
func TestPaging(t *testing.T) {
	s := newSite(t)
	const n = 2*rowsOfPage + 7
	at := time.Now().Truncate(time.Millisecond)
	for i := range n {
		r := hostileRecord(i, "x")
		r.Time = at.Add(time.Duration(i/3) * time.Millisecond)
		s.remember(r)
		s.keep(r, "Subject: x\r\n\r\ny\r\n")
	}
	for _, start := range []string{"/quarantine", "/messages"} {
		seen := map[string]int{}
		next := regexp.MustCompile(`<a class="button" href="([^"]*)">Older</a>`)
		for path := start; path != ""; {
			page := s.ask("GET", path, "root", nil).Body.String()
			for _, m := range regexp.MustCompile(`<th scope="row"><a href="/messages/([^"]*)"`).FindAllStringSubmatch(page, -1) {
				seen[m[1]]++
			}
			path = ""
			if m := next.FindStringSubmatch(page); m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s: %s is listed %d times", start, id, times)
			}
		}
		if len(seen) != n {
			t.Errorf("%s lists %d of %d", start, len(seen), n)
		}
	}
}

// TestLanguage answers in the language of a person, or of the browser.
func TestLanguage(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ chosen, accept, want string }{
		{"", "", "en"}, {"", "de-AT,de;q=0.9,en;q=0.5", "de"}, {"", "fr-CA", "fr"}, {"", "ja, es;q=0.1", "es"}, {"", "zz;;q=<script>", "en"}, {"de", "fr", "de"}, {"xx", "fr", "fr"}, {"", strings.Repeat("x,", 5000), "en"},
	} {
		page := s.ask("GET", "/quarantine", "root", func(r *http.Request) {
			r.Header.Set("Accept-Language", c.accept)
			r.Header.Set("Test-Language", c.chosen)
		}).Body.String()
		if !strings.Contains(page, `<html lang="`+c.want+`">`) {
			t.Errorf("%+v: %s", c, clip(page, 80))
		}
	}
	for to, want := range map[string]string{"/messages?a=b": "/messages?a=b", "//evil.test": "/", "https://evil.test/": "/", `/\evil.test`: "/", "": "/"} {
		if got := s.post("/language", "root", "language", "de", "to", to); got.Header().Get("Location") != want {
			t.Errorf("%q: %q", to, got.Header().Get("Location"))
		}
	}
	if got := s.post("/language", "root", "language", "xx"); got.Code != 400 {
		t.Errorf("%d", got.Code)
	}
}

// TestNumbers writes numbers, sizes and times as readers of each language do.
func TestNumbers(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 5, 6, 0, time.Local)
	for code, want := range map[string]string{
		"en": "1,234,567 | 0 | 1234 −5 | 0.5 | 66% | 1.3 MB | 3 Nov 2026 09:05:06 | 1.5 s", "de": "1.234.567 | 0 | 1234 −5 | 0,5 | 66 % | 1,3 MB | 03.11.2026 09:05:06 | 1,5 s",
		"fr": "1 234 567 | 0 | 1234 −5 | 0,5 | 66 % | 1,3 Mo | 03/11/2026 09:05:06 | 1,5 s", "es": "1 234 567 | 0 | 1234 −5 | 0,5 | 66 % | 1,3 MB | 03/11/2026 09:05:06 | 1,5 s",
	} {
		l := locales[code]
		got := strings.Join([]string{l.number(1234567), l.number(0), l.plain(1234) + " " + l.number(-5), l.decimal(.5, 2), l.share(66, 100), l.size(1300000), l.moment(at), l.took(1500 * time.Millisecond)}, " | ")
		if got = strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(got); got != want {
			t.Errorf("%s: %s, not %s", code, got, want)
		}
	}
}
