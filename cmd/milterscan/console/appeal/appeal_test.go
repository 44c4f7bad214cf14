package appeal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/appeals"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/child"
)

// TestMain lets the test binary start itself as the child that reads archives.
func TestMain(m *testing.M) { child.Watched(m) }

// TestAppeal goes through it in all languages. Looking changes nothing; what is sent is passed on
// to all who may be asked, once, and the copy is one like others from then on.
func TestAppeal(t *testing.T) {
	for _, code := range wording.Languages() {
		s := newSite(t, "")
		s.keep(id, true, "ann@example.com", "Bob@Example.com")
		for _, method := range []string{"GET", "HEAD", "GET", "HEAD"} {
			if w := s.do(method, ourURL, nil, speaking(code)); w.Code != 200 || strings.Contains(w.Body.String(), "SECRET") || strings.Contains(w.Body.String(), "@example") ||
				w.Header().Get("Referrer-Policy") != "same-origin" || w.Header().Get("X-Robots-Tag") == "" {
				t.Fatalf("%s: %d %s", code, w.Code, w.Body)
			}
		}
		if rows, err := s.dir().Find(t.Context(), quarantine.Filter{Asked: true}); err != nil || len(rows) != 0 || len(s.asked()) != 0 {
			t.Fatalf("%s: looking asks: %+v, %+v, %v", code, s.asked(), rows, err)
		}
		form := s.form(ourURL[:3]+strings.ToUpper(ourURL[3:]), speaking(code))
		s.now = s.now.Add(soonest)
		for range 2 { // twice, as browsers do
			if w := s.do("POST", ourURL, form, speaking(code)); w.Code != http.StatusSeeOther || w.Header().Get("Location") != ourURL {
				t.Fatalf("%s: %d %s", code, w.Code, w.Body)
			}
		}
		if w := s.do("GET", ourURL, nil, speaking(code)); w.Code != 200 || strings.Contains(w.Body.String(), "<form method=\"post\">") || !strings.Contains(w.Body.String(), "role=\"status\"") {
			t.Errorf("%s: %d %s", code, w.Code, w.Body)
		}
		list := s.asked()
		if len(list) != 2 || list[1].Address != "ann@example.com" || list[0].Address != "bob@example.com" || list[0].Kind != people.AppealRequest || list[0].Who != "eve@example.net" ||
			list[0].Text != "Hello, I am the plumber." || list[0].Client != "203.0.113.9/32" || list[0].Message != id || list[0].State != people.RequestOpen {
			t.Errorf("%s: %+v", code, list)
		}
		if rows, err := s.dir().Find(t.Context(), quarantine.Filter{Asked: true}); err != nil || len(rows) != 1 || len(rows[0].Waiting) != 2 {
			t.Errorf("%s: %+v, %v", code, rows, err)
		}
	}
}

// TestLinksThatAreNotGood: each gets the same page, to the byte, so that nothing can be learned
// from it; and nothing can be sent.
func TestLinksThatAreNotGood(t *testing.T) {
	s := newSite(t, "")
	other := func(n int) string { return fmt.Sprintf("06h08cfwgrgb%04d", n) }
	s.keep(other(1), false, "ann@example.com")
	s.now = s.now.Add(-8 * 24 * time.Hour)
	s.keep(other(2), true, "ann@example.com")
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.keep(other(3), true, "ann@example.com")
	if err := s.dir().Delete(t.Context(), other(3), quarantine.Event{Time: s.now, What: "expire"}); err != nil {
		t.Fatal(err)
	}
	s.keep(id, true, "ann@example.com")
	form := s.form(ourURL, nil)
	s.now = s.now.Add(time.Minute)
	first := ""
	link := func(key []byte, p token.Purpose, id string) string {
		return appeals.Path + token.WriteShort(key, p, id)
	}
	for name, path := range map[string]string{
		"kept by a rule, for no appeal": link(key, token.AppealLink, other(1)),
		"too old":                       link(key, token.AppealLink, other(2)),
		"deleted":                       link(key, token.AppealLink, other(3)),
		"never kept":                    link(key, token.AppealLink, other(4)),
		"of another key":                link([]byte(strings.Repeat("x", 32)), token.AppealLink, id),
		"of another purpose":            link(key, token.DigestLink, id),
		"cut":                           ourURL[:len(ourURL)-1],
		"the id":                        appeals.Path + id,
		"changed":                       ourURL[:len(ourURL)-1] + "!",
	} {
		w := s.do("GET", path, nil, nil)
		if first == "" {
			first = w.Body.String()
		}
		if w.Code != http.StatusNotFound || w.Body.String() != first {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w := s.do("POST", path, form, from("203.0.113.77")); w.Code != http.StatusSeeOther {
			t.Errorf("%s: sending: %d", name, w.Code)
		}
	}
	if list := s.asked(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// TestWhatBecomesOfIt: the sender sees no difference between a message that was released, one
// that was deleted, and one that nobody has looked at.
func TestWhatBecomesOfIt(t *testing.T) {
	pages := map[string]string{}
	for name, happens := range map[string]func(*site) error{
		"nothing": func(*site) error { return nil },
		"deleted": func(s *site) error {
			return s.dir().Delete(t.Context(), id, quarantine.Event{Time: s.now, What: "delete"})
		},
		"released": func(s *site) error {
			return s.dir().Change(t.Context(), id, func(e *quarantine.Entry) error { e.State = quarantine.Released; return nil })
		},
		"refused": func(s *site) error {
			return s.people.Answer(t.Context(), s.asked()[0].ID, people.RequestRefused, "ann", "no")
		},
	} {
		s := newSite(t, "")
		s.keep(id, true, "ann@example.com")
		form := s.form(ourURL, nil)
		s.now = s.now.Add(time.Minute)
		s.do("POST", ourURL, form, nil)
		if err := happens(s); err != nil {
			t.Fatal(name, err)
		}
		w := s.do("GET", ourURL, nil, nil)
		again := s.do("POST", ourURL, form, nil)
		pages[fmt.Sprint(w.Code, again.Code, w.Body)] = name
		if len(s.asked()) != 1 {
			t.Errorf("%s: %+v", name, s.asked())
		}
		s.now = s.now.Add(8 * 24 * time.Hour)
		if w := s.do("GET", ourURL, nil, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s, a week later: %d", name, w.Code)
		}
	}
	if len(pages) != 1 {
		t.Errorf("%d different pages: %v", len(pages), pages)
	}
}

// TestBots: none of what programs do gets through, and a person after them does.
func TestBots(t *testing.T) {
	other := "06h08cfwgrgb0002"
	for name, c := range map[string]struct {
		change func(s *site, form url.Values)
		later  time.Duration
		want   string // the trouble
	}{
		"all fields filled in":               {func(_ *site, f url.Values) { f.Set("website", "https://example.net") }, time.Minute, "wrong"},
		"no answer":                          {func(_ *site, f url.Values) { f.Del("answer") }, time.Minute, "wrong"},
		"another answer":                     {func(_ *site, f url.Values) { f.Set("answer", "yes") }, time.Minute, "wrong"},
		"blanks as an answer":                {func(_ *site, f url.Values) { f.Set("answer", " - ") }, time.Minute, "wrong"},
		"a long answer":                      {func(_ *site, f url.Values) { f.Set("answer", strings.Repeat("7", 60000)) }, time.Minute, "wrong"},
		"too fast":                           {func(*site, url.Values) {}, soonest - time.Millisecond, "fast"},
		"by a clock behind that of the page": {func(*site, url.Values) {}, -3 * time.Minute, "fast"},
		"too late":                           {func(*site, url.Values) {}, latest + time.Second, "old"},
		"no form":                            {func(_ *site, f url.Values) { f.Del("form") }, time.Minute, "old"},
		"an altered form":                    {func(_ *site, f url.Values) { f.Set("form", f.Get("form")[1:]+"A") }, time.Minute, "old"},
		"the form of another link": {func(s *site, f url.Values) {
			f.Set("form", s.form(appeals.Path+token.WriteShort(key, token.AppealLink, other), nil).Get("form"))
		}, time.Minute, "old"},
		"a link as the form": {func(_ *site, f url.Values) { f.Set("form", ourURL[3:]) }, time.Minute, "old"},
		"no text":            {func(_ *site, f url.Values) { f.Set("text", " \r\n\u200b\u202e ") }, time.Minute, "empty"},
		"a long text":        {func(_ *site, f url.Values) { f.Set("text", strings.Repeat("ä", mostText+1)) }, time.Minute, "long"},
	} {
		s := newSite(t, "")
		s.keep(id, true, "ann@example.com")
		s.keep(other, true, "ann@example.com")
		form := s.form(ourURL, nil)
		c.change(s, form)
		s.now = s.now.Add(c.later)
		w := s.do("POST", ourURL, form, nil)
		if texts := s.texts("en"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), texts.Of("trouble-"+c.want)) || len(s.asked()) != 0 {
			t.Errorf("%s: %d %s, %+v", name, w.Code, w.Body, s.asked())
			continue
		}
		again := s.filled(w.Body.String())
		s.now = s.now.Add(soonest)
		if w := s.do("POST", ourURL, again, nil); w.Code != http.StatusSeeOther || len(s.asked()) != 1 {
			t.Errorf("%s, and then a person: %d %s", name, w.Code, w.Body)
		}
	}
}

func (s *site) texts(code string) wording.Texts {
	t, err := wording.Read(textFiles, code)
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

// TestForgedForms: another site cannot have a browser send it.
func TestForgedForms(t *testing.T) {
	s := newSite(t, "")
	s.keep(id, true, "ann@example.com")
	form := s.form(ourURL, nil)
	s.now = s.now.Add(time.Minute)
	for field, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		if w := s.do("POST", ourURL, form, func(r *http.Request) { r.Header.Set(field, value) }); w.Code != http.StatusForbidden || len(s.asked()) != 0 {
			t.Errorf("%s: %d", field, w.Code)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		if w := s.do(method, ourURL, form, nil); w.Code < 400 || len(s.asked()) != 0 {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// TestFlood: a thousand forms of programs that know the answers, from one network and from many,
// leave no more behind than the limits say.
func TestFlood(t *testing.T) {
	s := newSite(t, "[people.appeal]\nper_client = 10\nper_sender = 12\nper_recipient = 7\nper_day = 11\n")
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprintf("06h08cfwgrgb%04d", i)
		s.keep(ids[i], true, fmt.Sprintf("r%d@example.com", i%4))
	}
	statuses := map[int]int{}
	for i := range 1000 {
		path := appeals.Path + token.WriteShort(key, token.AppealLink, ids[i%len(ids)])
		address := from("198.51.100.1")
		if i%2 == 1 {
			address = from(fmt.Sprintf("10.%d.%d.1", i/250, i%250))
		}
		page := s.do("GET", path, nil, address).Body.String()
		form := url.Values{}
		if strings.Contains(page, "name=\"form\"") {
			form = s.filled(page)
		}
		s.now = s.now.Add(soonest)
		statuses[s.do("POST", path, form, address).Code]++
		s.now = s.now.Add(-soonest)
	}
	if list := s.asked(); len(list) != 11 {
		t.Errorf("%d were asked; %v", len(list), statuses)
	}
	if statuses[http.StatusTooManyRequests] < 480 {
		t.Errorf("%v", statuses)
	}
	if w := s.do("POST", ourURL, url.Values{}, from("198.51.100.1")); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d", w.Code)
	}
	s.now = s.now.Add(25 * time.Hour)
	s.keep(id, true, "z@example.com")
	form := s.form(ourURL, nil)
	s.now = s.now.Add(soonest)
	if w := s.do("POST", ourURL, form, from("198.51.100.1")); w.Code != http.StatusSeeOther {
		t.Errorf("a day later: %d %s", w.Code, w.Body)
	}
}

// TestMarkedLater: where the second of two steps failed, the next form does it.
func TestMarkedLater(t *testing.T) {
	s := newSite(t, "")
	s.keep(id, true, "ann@example.com")
	form := s.form(ourURL, nil)
	s.now = s.now.Add(time.Minute)
	if err := s.people.Appeal(t.Context(), people.Appeal{Message: id, Sender: "eve@example.net", Client: "c", Recipients: []string{"ann@example.com"}, Text: "x", Time: s.now},
		people.AppealLimits{Client: 9, Sender: 9, Recipient: 9, All: 9}); err != nil {
		t.Fatal(err)
	}
	if w := s.do("POST", ourURL, form, nil); w.Code != http.StatusSeeOther {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if e, err := s.dir().Entry(t.Context(), id); err != nil || e.Unasked() {
		t.Errorf("the copy still waits: %v", errors.Join(err))
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"Hello":                                 "Hello",
		" a \r\n\t b\u00a0c ":                   "a b c",
		"see https://evil.example/x?y=1 now":    "see https[:]//evil[.]example/x?y=1 now",
		"www.evil.example":                      "www[.]evil[.]example",
		"me@evil.example":                       "me@evil[.]example",
		"evil。example":                          "evil[.]example",
		"bücher.example":                        "bücher[.]example",
		"xn--bcher-kva.example":                 "xn--bcher-kva[.]example",
		"It costs 3.50. Thanks.":                "It costs 3.50. Thanks.",
		"a\u202egnp.exe\u2066b":                 "agnp[.]exeb",
		"zero\u200bwidth\ufeff":                 "zerowidth",
		"bad \xff\xfe bytes \x00\x07":           "bad bytes",
		"<b>bold</b>":                           "<b>bold</b>",
		"javascript:alert(1)":                   "javascript:alert(1)",
		"mail.example.com, or 192.0.2.1 itself": "mail[.]example[.]com, or 192.0.2.1 itself",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestQuestions: each can be answered by reading it, in words or in digits, in all languages; and
// neither its number nor the form tells the answer.
func TestQuestions(t *testing.T) {
	pages, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	for code, p := range pages {
		if n := len(p.words("numbers")); n != 2*mostNumber {
			t.Errorf("%s has %d numbers", code, n)
		}
		if n := len(p.words("ordinals")); n != listed || len(p.words("words")) < 3*listed {
			t.Errorf("%s has %d ordinals", code, n)
		}
		asked := map[string]bool{}
		for i := range 500 {
			q := p.question(key, fmt.Sprint(i))
			answer := solve(t, q.text, code)
			if !q.right(answer) || !q.right(" "+strings.ToUpper(answer)+". ") || q.right("") || q.right("21") || q.right("x") {
				t.Fatalf("%s: %q is not answered by %q", code, q.text, answer)
			}
			asked[q.text] = true
		}
		if len(asked) < 200 {
			t.Errorf("%s: %d questions", code, len(asked))
		}
		if a, b := p.question(key, "n"), p.question([]byte("another"), "n"); a.text == b.text {
			t.Logf("%s: alike by chance: %q", code, a.text)
		}
		twelve := p.sum(5, 7)
		if !twelve.right(p.words("numbers")[11]) || !twelve.right("12") || twelve.right("57") {
			t.Errorf("%s: %q", code, twelve.text)
		}
	}
}
