package mine

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan"
)

// listed returns the numbers of the messages that a page lists.
func listed(page string) string {
	var all []string
	for _, m := range regexp.MustCompile(`href="/mine/06h08cfwgrgb0*(\d+)"`).FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// TestOwnMailOnly: each sees what is kept back from the own addresses, and no infected mail.
func TestOwnMailOnly(t *testing.T) {
	s := newSite(t)
	for who, want := range map[string]string{"ann": "5 2 1", "ben": "4 1", "eve": "", "pa": "2 1"} {
		page := s.page(who, "/mine")
		if got := listed(page); got != want {
			t.Errorf("%s sees %q; want %q", who, got, want)
		}
		for other, address := range map[string]string{"ann": "ben@example.com", "ben": "ann@example"} {
			if who == other && strings.Contains(page, address) {
				t.Errorf("%s is told of %s", who, address)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "secret detail") || strings.Contains(page, "\u202e") {
			t.Errorf("%s: %s", who, page)
		}
	}
	if page := s.page("ann", "/mine"); !strings.Contains(page, "s1@example.net") || !strings.Contains(page, "x@example.org") {
		t.Error("the senders are not shown")
	}
}

// TestOthersAreNotThere: whatever one asks of the mail of another is answered like a question about a message that
// never was; and so is every page for administrators.
func TestOthersAreNotThere(t *testing.T) {
	s := newSite(t)
	same := func(method, pattern string, pairs ...string) {
		t.Helper()
		var want *httptest.ResponseRecorder
		for _, n := range []int{9, 4, 3, 1} { // never there, another's, a virus, another's too
			path := strings.Replace(pattern, "{id}", id(n), 1)
			form := slices.Clone(pairs)
			for i := range form {
				form[i] = strings.Replace(form[i], "{id}", id(n), 1)
			}
			got := s.ask("eve", method, path, form...)
			if body := strings.ReplaceAll(got.Body.String(), id(n), "ID"); want == nil {
				want = got
				want.Body.Reset()
				want.Body.WriteString(body)
			} else if got.Code != want.Code || body != want.Body.String() {
				t.Errorf("%s %s of %d: %d; want %d as for one that never was\n%s\n%s", method, pattern, n, got.Code, want.Code, body, want.Body)
			}
			if got.Code == http.StatusSeeOther {
				t.Errorf("%s %s of %d: done", method, pattern, n)
			}
		}
	}
	same("GET", "/mine/{id}")
	same("GET", "/quarantine/{id}/page/0")
	same("GET", "/quarantine/{id}/content")
	same("GET", "/quarantine/{id}/file/message")
	same("GET", "/messages/{id}")
	for _, act := range []string{"release", "allow", "block", "delete"} {
		same("POST", "/mine", "act", act, "id", "{id}", "sure", "1")
	}
	same("POST", "/mine/{id}/request", "reason", "please")
	for _, act := range []string{"release", "clean", "forward", "delete", "handled", "reopen"} {
		same("POST", "/quarantine/{id}/"+act, "to", "eve@example.com", "sure", "1", "again", "1", "infected", "1")
	}
	same("POST", "/messages/{id}/sender", "act", "allow", "kind", "allow", "for", "eve@example.com")
	for _, route := range s.Routes() {
		open := route.Open || strings.HasPrefix(route.Pattern, "/mine") || route.Pattern == "/{$}" || route.Pattern == "/language" ||
			strings.HasPrefix(route.Pattern, "/quarantine/{id}/") || strings.HasPrefix(route.Pattern, "/messages/{id}/") // asked above
		if got := s.ask("eve", route.Method, strings.NewReplacer("{id}", id(4), "{part}", "0", "{$}", "").Replace(route.Pattern)); !open && got.Code != http.StatusForbidden {
			t.Errorf("%s %s for a recipient: %d", route.Method, route.Pattern, got.Code)
		}
		if !strings.HasPrefix(route.Pattern, "/mine") {
			continue
		}
		if got := s.ask("desk", route.Method, strings.Replace(route.Pattern, "{id}", id(1), 1)); got.Code != http.StatusForbidden {
			t.Errorf("%s %s for the help desk: %d", route.Method, route.Pattern, got.Code)
		}
	}
	if len(s.mta.Got) > 0 || s.asked() != "" || len(s.letters) > 0 {
		t.Error("something was done:", s.mta.To, s.asked())
	}
	for _, line := range s.audit {
		if !strings.HasPrefix(line, "recipient:eve") || strings.Contains(line, ": done") {
			t.Error(line)
		}
	}
}

// TestReleaseEach: each lets the own copy go, once; the others' stay.
func TestReleaseEach(t *testing.T) {
	s := newSite(t)
	if to := s.led("ann", "/mine", "act", "release", "id", id(1)); to != "/mine?done=released" {
		t.Error(to)
	}
	if got := s.ask("ann", "POST", "/mine", "act", "release", "id", id(1)); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "released") {
		t.Error("twice:", got.Code)
	}
	if got := listed(s.page("ann", "/mine")); got != "5 2" {
		t.Error(got)
	}
	if page := s.page("ann", "/mine/"+id(1)); !strings.Contains(page, "You have had") || strings.Contains(page, `value="release"`) {
		t.Error("it can be released again")
	}
	s.led("ben", "/mine", "act", "release", "id", id(1), "id", id(4))
	if got := fmt.Sprint(s.mta.To); got != "[[Ann@Example.com] [ben@example.com] [ben@example.com]]" {
		t.Error(got)
	}
}

// TestDelegatesRaceForOne: two who may act for one address release its copy once.
func TestDelegatesRaceForOne(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for _, who := range []string{"ann", "pa", "ann", "pa"} {
		wg.Go(func() { s.ask(who, "POST", "/mine", "act", "release", "id", id(1)) })
	}
	wg.Wait()
	if got := fmt.Sprint(s.mta.To); got != "[[Ann@Example.com]]" {
		t.Error(got)
	}
}

// TestWhatIsForbiddenIsAsked: what a recipient may not release it may ask for, and not get around that.
func TestWhatIsForbiddenIsAsked(t *testing.T) {
	s := newSite(t)
	for _, n := range []int{2, 5} {
		if page := s.page("ann", "/mine/"+id(n)); strings.Contains(page, `value="release"`) || !strings.Contains(page, `/request"`) {
			t.Errorf("%d: %s", n, page)
		}
		for _, act := range []string{"release", "allow"} {
			if got := s.ask("ann", "POST", "/mine", "act", act, "id", id(n)); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "cannot release this message yourself") {
				t.Errorf("%d, %s: %d %s", n, act, got.Code, got.Body)
			}
		}
		s.ask("ann", "POST", "/quarantine/"+id(n)+"/release", "again", "1", "infected", "1")
		s.ask("ann", "POST", "/quarantine/"+id(n)+"/clean", "again", "1")
	}
	if len(s.mta.Got) > 0 || s.entries("ann@example.com") != "" {
		t.Error(s.mta.To, s.entries("ann@example.com"))
	}
}

// TestAllowAndBlock: the sender goes to the list of the address that the message is for.
func TestAllowAndBlock(t *testing.T) {
	s := newSite(t)
	s.led("ann", "/mine", "act", "allow", "id", id(1))
	if got := s.entries("ann@example.com"); got != "allow s1@example.net" || len(s.mta.Got) != 1 {
		t.Error(got, s.mta.To)
	}
	s.led("ben", "/mine", "act", "block", "id", id(4), "id", id(1))
	if got := s.entries("ben@example.com"); got != "block s1@example.net, block s4@example.net" {
		t.Error(got)
	}
	null := record(6, scan.Suspicious, "ann@example.com")
	null.Sender = ""
	s.keep(null)
	if got := s.ask("ann", "POST", "/mine", "act", "block", "id", id(6)); !strings.Contains(got.Body.String(), "no sender") {
		t.Error(got.Body)
	}
	s.config.People.Lists.Recipients.Allow, s.config.People.Lists.Recipients.Block = "none", false
	if page := s.page("ann", "/mine"); strings.Contains(page, `value="allow"`) || strings.Contains(page, `value="block"`) {
		t.Error("what the host does not let recipients do is offered")
	}
	if got := s.ask("ben", "POST", "/mine", "act", "block", "id", id(4)); got.Code == http.StatusSeeOther {
		t.Error("and done")
	}
}

// TestDelete: what cannot be undone is asked about; the copies of others stay.
func TestDelete(t *testing.T) {
	s := newSite(t)
	if got := s.ask("ann", "POST", "/mine", "act", "delete", "id", id(1), "id", id(2)); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `name="sure"`) {
		t.Error(got.Code)
	}
	s.led("ann", "/mine", "act", "delete", "id", id(1), "id", id(2), "sure", "1")
	if got := listed(s.page("ann", "/mine")) + "; " + listed(s.page("ben", "/mine")); got != "5; 4 1" {
		t.Error(got)
	}
	if got := s.ask("ann", "GET", "/mine/"+id(1)); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
	if _, err := s.Quarantine().Entry(t.Context(), id(2)); err == nil {
		t.Error("nobody wants it, and it is there")
	}
}

// TestRequest: a person asks once, others are told, one answers, and the person hears of it.
func TestRequest(t *testing.T) {
	s := newSite(t)
	s.config.People.Pages.Notify = []string{"desk@example.com"}
	if got := s.ask("ann", "POST", "/mine/"+id(2)+"/request", "reason", " \r\n "); got.Code != http.StatusBadRequest {
		t.Error("without a reason:", got.Code)
	}
	for range 2 {
		s.led("ann", "/mine/"+id(2)+"/request", "reason", "I need it\r\nBcc: eve@example.org")
	}
	if s.asked() != "release 0002 ann@example.com open" || fmt.Sprint(s.kinds) != "[asked desk@example.com en]" || strings.Contains(s.letters[0].Text, "\n") {
		t.Fatal(s.asked(), s.kinds, s.letters)
	}
	for who, want := range map[string]bool{"desk": true, "root": true, "own": true, "other": false} {
		page := s.page(who, "/requests")
		if strings.Contains(page, "I need it") != want || strings.Contains(page, `class="badge">1<`) != want {
			t.Errorf("%s: %s", who, page)
		}
	}
	if got := s.ask("other", "POST", "/requests/1", "answer", "refused"); got.Code != http.StatusNotFound {
		t.Error("an administrator of another domain answers:", got.Code)
	}
	if a, b := s.ask("other", "POST", "/requests/1", "answer", "granted"), s.ask("other", "POST", "/requests/77", "answer", "granted"); a.Code != b.Code || a.Body.String() != strings.ReplaceAll(b.Body.String(), "/requests/77", "/requests/1") {
		t.Error("of another domain's requests one hears something")
	}
	s.mta.Err = errDown
	if got := s.ask("desk", "POST", "/requests/1", "answer", "granted", "text", "here"); got.Code < 400 || s.asked() != "release 0002 ann@example.com open" {
		t.Error("not sent, and answered:", got.Code, s.asked())
	}
	s.mta.Err = nil
	var wg sync.WaitGroup
	codes := make([]int, 6)
	for i := range codes {
		wg.Go(func() {
			codes[i] = s.ask([]string{"desk", "root", "own"}[i%3], "POST", "/requests/1", "answer", []string{"granted", "refused"}[i%2], "text", "because").Code
		})
	}
	wg.Wait()
	slices.Sort(codes)
	if fmt.Sprint(codes) != "[303 409 409 409 409 409]" {
		t.Error(codes)
	}
	granted := strings.HasSuffix(s.asked(), "granted")
	if len(s.kinds) != 2 || s.kinds[1] != "answered ann@example.com en" || s.letters[1].Granted != granted || (len(s.mta.Got) == 1) != granted {
		t.Error(s.kinds, s.asked(), s.mta.To)
	}
	if page := s.page("ann", "/mine/"+id(2)); !strings.Contains(page, "because") || strings.Contains(page, `/request"`) {
		t.Error(page)
	}
}

// TestRequestOfWhatIsGone: it cannot be granted, and can be refused.
func TestRequestOfWhatIsGone(t *testing.T) {
	s := newSite(t)
	s.led("ann", "/mine/"+id(2)+"/request", "reason", "please")
	if err := s.Quarantine().Delete(t.Context(), id(2), quarantine.Event{What: "expire"}); err != nil {
		t.Fatal(err)
	}
	if page := s.page("desk", "/requests"); !strings.Contains(page, "not kept any more") || strings.Contains(page, `value="granted"`) {
		t.Error(page)
	}
	if got := s.ask("desk", "POST", "/requests/1", "answer", "granted"); got.Code != http.StatusNotFound || !strings.HasSuffix(s.asked(), "open") {
		t.Error(got.Code, s.asked())
	}
	s.led("desk", "/requests/1", "answer", "refused", "text", "too late")
	if !strings.HasSuffix(s.asked(), "refused") || len(s.kinds) != 1 {
		t.Error(s.asked(), s.kinds)
	}
}

// TestManyRequests: one person does not flood those who answer.
func TestManyRequests(t *testing.T) {
	s := newSite(t)
	for n := 10; n < 10+mostAsked+1; n++ {
		s.keep(record(n, scan.Forbidden, "ann@example.com"))
		want := http.StatusSeeOther
		if n == 10+mostAsked {
			want = http.StatusTooManyRequests
		}
		if got := s.ask("ann", "POST", "/mine/"+id(n)+"/request", "reason", "please"); got.Code != want {
			t.Errorf("%d: %d", n, got.Code)
		}
	}
}

// TestAppeals: a sender's request is shown to the recipient, whose act answers it; the sender gets no mail.
func TestAppeals(t *testing.T) {
	s := newSite(t)
	err := s.Folk().Appeal(t.Context(), people.Appeal{Message: id(1), Sender: "s1@example.net", Client: "x", Recipients: []string{"ann@example.com", "ben@example.com"}, Text: hostile, Time: time.Now()},
		people.AppealLimits{Client: 9, Sender: 9, Recipient: 9, All: 9})
	if err != nil {
		t.Fatal(err)
	}
	if page := s.page("ann", "/mine/"+id(1)); !strings.Contains(page, "alert(1)") || strings.Contains(page, "<script") {
		t.Error(page)
	}
	s.led("ann", "/mine", "act", "release", "id", id(1))
	s.led("ben", "/mine", "act", "delete", "id", id(1), "sure", "1")
	if got := s.asked(); got != "appeal 0001 ann@example.com granted, appeal 0001 ben@example.com refused" || len(s.letters) > 0 {
		t.Error(got, s.letters)
	}
}

// TestLists: a person changes the own lists only; what is weak is said to be.
func TestLists(t *testing.T) {
	s := newSite(t)
	s.led("ann", "/mine/lists", "act", "allow", "pattern", "Friend@Example.net", "note", "a\r\nfriend")
	s.led("ann", "/mine/lists", "act", "block", "pattern", "@example.org", "owner", "ann.smith@example.com", "days", "30")
	if got := s.entries("ann@example.com") + "; " + s.entries("ann.smith@example.com"); got != "allow friend@example.net; block @example.org" {
		t.Fatal(got)
	}
	page := s.page("ann", "/mine/lists")
	if !strings.Contains(page, "can be forged") || !strings.Contains(page, "@example.org") || strings.Contains(s.page("ben", "/mine/lists"), "friend") {
		t.Error(page)
	}
	for _, owner := range []string{"ben@example.com", "example.com", "host", "@example.com"} {
		if got := s.ask("ann", "POST", "/mine/lists", "act", "block", "pattern", "x@example.net", "owner", owner); got.Code != http.StatusNotFound {
			t.Errorf("ann changes the list of %s: %d", owner, got.Code)
		}
	}
	if got := s.ask("ann", "POST", "/mine/lists", "act", "allow", "pattern", `"><script>alert(3)</script>`); got.Code != http.StatusBadRequest || strings.Contains(got.Body.String(), "<script") {
		t.Error(got.Code, got.Body)
	}
	list, err := s.Folk().Entries(t.Context(), people.Filter{Owners: []string{"ann@example.com"}})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	number := fmt.Sprint(list[0].ID)
	for _, pairs := range [][]string{{"id", number, "owner", "ann@example.com"}, {"id", number, "owner", "ben@example.com"}, {"id", "77", "owner", "ben@example.com"}} {
		if got := s.ask("ben", "POST", "/mine/lists/remove", pairs...); got.Code != http.StatusNotFound {
			t.Errorf("%v: %d", pairs, got.Code)
		}
	}
	s.led("ann", "/mine/lists/remove", "id", number, "owner", "ann@example.com")
	if got := s.entries("ann@example.com"); got != "" {
		t.Error(got)
	}
}

// TestSettings: a person settles what concerns it alone.
func TestSettings(t *testing.T) {
	s := newSite(t)
	s.led("ann", "/mine/settings", "language", "de", "digest", "daily", "at", "07:30")
	if got, err := s.Folk().Settings(t.Context(), "ann@example.com"); err != nil || got != (people.Settings{Language: "de", Digest: "daily", At: 450}) {
		t.Error(got, err)
	}
	page := s.page("ann", "/mine/settings")
	if !strings.Contains(page, `value="07:30"`) || !strings.Contains(page, "ann.smith@example.com") {
		t.Error(page)
	}
	for _, bad := range [][]string{{"language", "xx"}, {"digest", "weekly"}, {"digest", "daily", "at", "25:00"}, {"digest", "daily"}} {
		if got := s.ask("ann", "POST", "/mine/settings", bad...); got.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, got.Code)
		}
	}
	if got, err := s.Folk().Settings(t.Context(), "ben@example.com"); err != nil || got != (people.Settings{}) {
		t.Error(got, err)
	}
}

// TestLimit: a person sets its own limit of the score, within what the host lets it.
func TestLimit(t *testing.T) {
	s := newSite(t)
	limit := func(want string) {
		t.Helper()
		if got, err := s.Folk().LimitOf(t.Context(), "ann@example.com"); err != nil || fmt.Sprint(got.Set, got.Score) != want {
			t.Errorf("%+v, %v, want %s", got, err, want)
		}
	}
	if page := s.page("ann", "/mine/settings"); strings.Contains(page, `name="limit"`) {
		t.Error("a limit can be set where the host lets none be set")
	}
	if got := s.ask("ann", "POST", "/mine/settings", "limit", "6"); got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	limit("false 0")
	s.config.People.Score = people.Bounds{Least: 4, Most: 12}
	for _, bad := range []string{"3.9", "12.1", "NaN", "1e9", "-5", "six"} {
		if got := s.ask("ann", "POST", "/mine/settings", "limit", bad); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "between 4 and 12") {
			t.Errorf("%s: %d", bad, got.Code)
		}
	}
	limit("false 0")
	s.led("ann", "/mine/settings", "limit", " 6,5 ")
	limit("true 6.5")
	if page := s.page("ann", "/mine/settings"); !strings.Contains(page, `min="4" max="12" step="any" value="6.5"`) {
		t.Error(page)
	}
	s.led("ann", "/mine/settings", "limit", "")
	limit("false 0")
	if trail := strings.Join(s.audit, "\n"); !strings.Contains(trail, "sets the limit 6.5") || !strings.Contains(trail, "sets no limit") {
		t.Error(trail)
	}
}

// TestLook: the text is shown behind the locks of the console, after it was written down.
func TestLook(t *testing.T) {
	s := newSite(t)
	page := s.page("ann", "/mine/"+id(1))
	if !strings.Contains(page, "<iframe sandbox") || strings.Contains(page, "canary.test") && !strings.Contains(page, "links") || strings.Contains(page, "ben@example.com") {
		t.Error(page)
	}
	frame := s.ask("ann", "GET", "/quarantine/"+id(1)+"/page/0")
	if body := frame.Body.String(); frame.Code != http.StatusOK || !strings.Contains(body, "Hello") || strings.Contains(body, "alert(2)") || strings.Contains(body, "canary") {
		t.Error(frame.Code, body)
	}
	if !slices.ContainsFunc(s.audit, func(line string) bool { return line == "recipient:ann@example.com see content "+id(1)+": shown" }) {
		t.Error(s.audit)
	}
}

// TestSearchAndPages: a person with much mail finds it, and comes to its end.
func TestSearchAndPages(t *testing.T) {
	s := newSite(t)
	var many []policy.Record
	for n := 100; n < 230; n++ {
		many = append(many, record(n, scan.Suspicious, "eve@example.com"))
	}
	s.keep(many...)
	seen := 0
	next := "/mine"
	for pages := 0; next != "" && pages < 5; pages++ {
		page := s.page("eve", next)
		seen += len(strings.Fields(listed(page)))
		next = ""
		if m := regexp.MustCompile(`class="button" href="(/mine\?before[^"]*)"`).FindStringSubmatch(page); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if seen != len(many) {
		t.Errorf("%d of %d were listed", seen, len(many))
	}
	for query, want := range map[string]string{"from=s222@example.net": "222", "from=S22": "229 228 227 226 225 224 223 222 221 220", "subject=213+": "213", "from=nobody": "", "from=s4": "", "subject=%00": ""} {
		if got := listed(s.page("eve", "/mine?"+query)); got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	if w := s.ask("eve", "GET", "/mine?before=x&below="+id(100)); w.Code != http.StatusOK {
		t.Error(w.Code)
	}
}

// TestForged: forms of other places are refused.
func TestForged(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/mine", "/mine/" + id(2) + "/request", "/mine/lists", "/mine/lists/remove", "/mine/settings", "/requests/1"} {
		r := httptest.NewRequest("POST", path, strings.NewReader("act=release&sure=1&id="+id(1)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Test-Person", map[bool]string{true: "desk", false: "ann"}[strings.HasPrefix(path, "/requests")])
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(s.mta.Got) > 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := s.ask("nobody", "GET", "/mine"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login?to=%2Fmine" {
		t.Error(w.Code, w.Header())
	}
	if w := s.ask("ann", "GET", "/"); w.Header().Get("Location") != console.MinePath {
		t.Error(w.Code, w.Header())
	}
}

// TestLanguages: every text is there in all languages, takes the same arguments, and is used.
func TestLanguages(t *testing.T) {
	all := map[string]wording.Texts{}
	for _, code := range wording.Languages() {
		texts, err := wording.Read(textFiles, code)
		if err != nil {
			t.Fatal(err)
		}
		all[code] = texts
	}
	var used strings.Builder
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := templateFiles.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		used.Write(text)
	}
	for _, key := range regexp.MustCompile(`{{t "([a-z-]+)"`).FindAllStringSubmatch(used.String(), -1) {
		ours := all["en"][key[1]] != ""
		theirs, err := os.ReadFile("../texts/en.json")
		var console map[string]string
		if err != nil || json.Unmarshal(theirs, &console) != nil {
			t.Fatal(err)
		}
		if !ours && console[key[1]] == "" {
			t.Errorf("nothing has the text %q", key[1])
		}
	}
	for code, texts := range all {
		if got, want := slices.Sorted(maps.Keys(texts)), slices.Sorted(maps.Keys(all["en"])); !slices.Equal(got, want) {
			t.Errorf("%s: %v; want %v", code, got, want)
		}
		for key, text := range texts {
			if strings.Count(text, "%s") != strings.Count(all["en"][key], "%s") || code != "en" && text == all["en"][key] && len(text) > 12 {
				t.Errorf("%s, %s: %q", code, key, text)
			}
		}
	}
	s := newSite(t)
	for _, code := range wording.Languages() {
		for _, path := range []string{"/mine", "/mine/lists", "/mine/settings", "/mine/" + id(2)} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Test-Person", "ann")
			r.Header.Set("Test-Language", code)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `lang="`+code+`"`) || strings.Contains(w.Body.String(), "%!") {
				t.Errorf("%s in %s: %d %s", path, code, w.Code, w.Body)
			}
		}
	}
}
