package console

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/policy/config"
)

// onBench gives a site a bench whose child is a script, with the file of its configuration.
func (s *site) onBench(script string) {
	s.t.Helper()
	s.Bench = replay.NewBench(filepath.Join(filepath.Dir(s.Config().Quarantine.Dir), "milterscan.toml"), func(err error) { s.t.Log(err) })
	s.Bench.Command = []string{"/bin/sh", "-c", script}
	s.t.Cleanup(s.Bench.Close)
}

// try sends a form with a draft.
func (s *site) try(who string, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		m.WriteField(pairs[i], pairs[i+1])
	}
	m.Close()
	r := httptest.NewRequest("POST", TrialPath, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return s.answer(r, who, nil)
}

// trialPage returns the page of a trial once it has ended.
func (s *site) trialPage() string {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if a, any := s.Bench.Last(); any && !a.Ended.IsZero() {
			break
		}
	}
	return s.ask("GET", TrialPath, "root", nil).Body.String()
}

// said returns a script that says how a trial went.
func said(t *testing.T, s replay.State) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state")
	text, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "cat " + file
}

// TestTrialGoes begins a trial, looks at it while it goes on, and ends it.
func TestTrialGoes(t *testing.T) {
	s := newSite(t)
	s.onBench(said(t, replay.State{Of: 40, Mails: 10, Unsure: 2}) + "; cat >/dev/null; " + said(t, replay.State{Done: true, Mails: 11, Early: "cancelled"}))
	if got := s.ask("GET", TrialPath, "root", nil); got.Code != http.StatusOK || got.Header().Get("Refresh") != "" || !strings.Contains(got.Body.String(), "Days back") {
		t.Errorf("before: %d %s", got.Code, text(got.Body.String()))
	}
	if got := s.try("root", "draft", "profile = \"strict\"\n", "days", "7", "mail", "kept"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != TrialPath {
		t.Fatalf("%d %s", got.Code, text(got.Body.String()))
	}
	var page *httptest.ResponseRecorder
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if page = s.ask("GET", TrialPath, "root", nil); strings.Contains(page.Body.String(), "12 of 40") {
			break
		}
	}
	if body := page.Body.String(); !strings.Contains(body, `<progress max="40" value="12"`) || page.Header().Get("Refresh") != lookAgain || strings.Contains(body, "Days back") {
		t.Errorf("it goes on: %v %s", page.Header(), text(body))
	}
	if got := s.try("root", "draft", "x = 1", "days", "7"); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "Another configuration is being tried") {
		t.Errorf("a second one: %d", got.Code)
	}
	if got := s.post(TrialPath+"/cancel", "root"); got.Code != http.StatusSeeOther {
		t.Errorf("cancelled: %d", got.Code)
	}
	if page := text(s.trialPage()); !strings.Contains(page, "Mails compared: 11.") || !strings.Contains(page, "It was cancelled before all were judged.") {
		t.Error(page)
	}
	var acts []string
	for _, e := range s.audit {
		acts = append(acts, e.Act+" "+e.Outcome)
	}
	if got := strings.Join(acts, ", "); got != "try configurations ok, try configurations trial-busy, try configurations cancelled" {
		t.Error(got)
	}
}

// TestTrialShows lists what would end otherwise, whatever is in it.
func TestTrialShows(t *testing.T) {
	const evil = `</pre><script>x</script>"'` + "\u202e"
	s := newSite(t)
	change := func(was, now string) replay.Change {
		return replay.Change{WasAction: was, WasRule: evil, NowAction: now, NowRule: "b", Mails: 2, Recipients: 3, Examples: []replay.Example{{
			Mail: id(1), Time: time.Now(), Sender: evil, Recipient: "ann@example.com", Lines: []string{"- " + evil}}}}
	}
	s.onBench(said(t, replay.State{Done: true, Mails: 9, Differing: 4, Of: 10_000, More: true, Unsure: 1, Unreadable: 1, Aside: []string{"virus"}, Notes: []string{evil}, Reasons: []string{evil},
		Warnings: []string{evil}, Others: 7, Changes: []replay.Change{change("deliver", "reject"), change("reject", "deliver"), change("hold", "hold"), change(evil, evil)}}))
	if got := s.try("root", "draft", "profile = \"strict\"\n", "days", "30"); got.Code != http.StatusSeeOther {
		t.Fatal(text(got.Body.String()))
	}
	page := s.trialPage()
	if odd := foreignIn(t, page); len(odd) > 0 {
		t.Error(odd)
	}
	seen := text(page)
	for _, want := range []string{"Would not be delivered any more", "Would be delivered", "Would end otherwise", "only the newest 10,000", "virus", "mails: 2, recipients: 3",
		"Further changes that are not listed: 7", "all that was kept"} {
		if !strings.Contains(seen, want) {
			t.Errorf("without %q: %s", want, seen)
		}
	}
	if !strings.Contains(page, `href="/messages/`+id(1)+`"`) {
		t.Error("no link to the message")
	}
	s.onBench(said(t, replay.State{Done: true, Problems: []replay.Problem{{File: "draft", Line: 3, Key: "limits.parts", What: evil}}}))
	s.try("root", "draft", "x", "days", "1")
	if page := s.trialPage(); !strings.Contains(page, "draft:3") || len(foreignIn(t, page)) > 0 {
		t.Error(text(page))
	}
	s.onBench("exit 9")
	s.try("root", "draft", "x", "days", "1")
	if page := text(s.trialPage()); !strings.Contains(page, "It was not brought to an end: the process that judges the mail has ended") {
		t.Error(page)
	}
}

// TestTrialRefuses begins nothing.
func TestTrialRefuses(t *testing.T) {
	s := newSite(t)
	s.onBench("exit 1")
	for name, c := range map[string]struct {
		status int
		form   []string
	}{
		"nothing": {400, []string{"days", "7"}}, "empty": {400, []string{"draft", " \n", "file", "", "days", "7"}}, "no days": {400, []string{"draft", "x"}},
		"many days": {400, []string{"draft", "x", "days", "31"}}, "no number": {400, []string{"draft", "x", "days", "seven"}}, "no sample": {400, []string{"draft", "x", "days", "7", "mail", "sample"}},
		"large": {413, []string{"draft", strings.Repeat("#", config.MostDraft+1), "days", "7"}},
		"huge":  {413, []string{"draft", "x", "days", "7", "other", strings.Repeat("#", 3*config.MostDraft)}},
	} {
		if got := s.try("root", c.form...); got.Code != c.status {
			t.Errorf("%s: %d %s", name, got.Code, text(got.Body.String()))
		}
	}
	for _, who := range []string{"desk", "audit", "own"} {
		if got := s.try(who, "draft", "x", "days", "7"); got.Code != http.StatusForbidden {
			t.Errorf("%s: %d", who, got.Code)
		}
	}
	if got := s.post(TrialPath, "root", "draft", "x", "days", "7"); got.Code != 400 {
		t.Errorf("no form of files: %d", got.Code)
	}
	s.noted = http.ErrServerClosed
	if got := s.try("root", "draft", "x", "days", "7"); got.Code < 500 {
		t.Errorf("it cannot be written down: %d", got.Code)
	}
	s.noted = nil
	text, err := os.ReadFile(s.Bench.File)
	if err == nil {
		err = os.WriteFile(s.Bench.File, append([]byte("profile = \"tag-only\"\n"), text...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := s.try("root", "draft", "x", "days", "7"); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "not the one in force") {
		t.Errorf("the file is another: %d", got.Code)
	}
	s.Bench = nil
	if got := s.ask("GET", TrialPath, "root", nil); got.Code != http.StatusNotFound {
		t.Errorf("no bench: %d", got.Code)
	}
}
