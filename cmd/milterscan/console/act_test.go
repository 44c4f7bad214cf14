package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// keptSite is a site with an odd message for two domains, and an infected one.
func keptSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.judged(1, hostileMail, "bob@example.com", "ann@example.org")
	r := s.judged(2, infectedMail, "bob@example.com")
	if r.Action != "quarantine" { // of the profile: rejected, and not kept
		s.keep(r, infectedMail)
	}
	return s
}

// TestActs has each person do each thing with a message, and looks at what came of it.
func TestActs(t *testing.T) {
	for _, c := range []struct {
		who, act string
		n        int
		form     []string
		status   int
		sent     []string // recipients
		event    string   // the last one
	}{
		{who: "root", act: "release", n: 1, status: 303, sent: []string{"bob@example.com", "ann@example.org"}, event: "released"},
		{who: "root", act: "release", n: 1, form: []string{"to", "bob@example.com"}, status: 303, sent: []string{"bob@example.com"}, event: "released"},
		{who: "root", act: "release", n: 1, form: []string{"to", "x@elsewhere.example"}, status: 303, sent: []string{"x@elsewhere.example"}, event: "released"},
		{who: "desk", act: "release", n: 1, status: 303, sent: []string{"bob@example.com", "ann@example.org"}, event: "released"},
		{who: "desk", act: "release", n: 1, form: []string{"to", "x@elsewhere.example"}, status: 403},
		{who: "desk", act: "release", n: 2, form: []string{"infected", "1"}, status: 403},
		{who: "own", act: "release", n: 1, status: 303, sent: []string{"bob@example.com"}, event: "released"},
		{who: "own", act: "release", n: 1, form: []string{"to", "ann@example.org"}, status: 403},
		{who: "audit", act: "release", n: 1, status: 403},
		{who: "other", act: "release", n: 2, status: 404},
		{who: "root", act: "release", n: 2, status: 409},
		{who: "root", act: "release", n: 2, form: []string{"infected", "1"}, status: 303, sent: []string{"bob@example.com"}, event: "forward"},
		{who: "root", act: "release", n: 9, status: 404},
		{who: "root", act: "forward", n: 1, form: []string{"to", "analyst@example.net"}, status: 303, sent: []string{"analyst@example.net"}, event: "forward"},
		{who: "root", act: "forward", n: 1, status: 400},
		{who: "root", act: "forward", n: 1, form: []string{"to", "a b\r\nBcc: c@example.net"}, status: 400},
		{who: "desk", act: "forward", n: 1, form: []string{"to", "analyst@example.net"}, status: 403},
		{who: "desk", act: "handled", n: 1, status: 303, event: "handled"},
		{who: "audit", act: "handled", n: 1, status: 403},
		{who: "root", act: "delete", n: 1, status: 400},
		{who: "root", act: "clean", n: 1, status: 303, sent: []string{"bob@example.com", "ann@example.org"}, event: "released"},
		{who: "root", act: "clean", n: 2, status: 303, sent: []string{"bob@example.com"}, event: "released"},
		{who: "other", act: "clean", n: 2, status: 404},
	} {
		s := keptSite(t)
		got := s.post("/quarantine/"+id(c.n)+"/"+c.act, c.who, c.form...)
		var sent []string
		for _, to := range s.mta.To {
			sent = append(sent, to...)
		}
		if got.Code != c.status || !slices.Equal(sent, c.sent) {
			t.Errorf("%s: %s of %d %v: %d, sent to %v\n%s", c.who, c.act, c.n, c.form, got.Code, sent, clip(text(got.Body.String()), 600))
		}
		if c.n == 9 {
			continue
		}
		events := s.stored(c.n).Events
		if last := ""; len(events) > 0 {
			if last = events[len(events)-1].What; last != c.event {
				t.Errorf("%s: %s of %d: %+v", c.who, c.act, c.n, events)
			}
			if events[0].By != c.who {
				t.Errorf("%s: %s: by %s", c.who, c.act, events[0].By)
			}
		} else if c.event != "" {
			t.Errorf("%s: %s of %d: no event", c.who, c.act, c.n)
		}
		if (len(s.audit) > 0) != (c.status != 404 && (c.status != 403 || len(c.form) > 0 || c.who != "audit")) && c.status == 303 {
			t.Errorf("%s: %s of %d: written down: %+v", c.who, c.act, c.n, s.audit)
		}
	}
}

// TestDelete removes a message, and says so.
func TestDelete(t *testing.T) {
	s := keptSite(t)
	if got := s.post("/quarantine/"+id(1)+"/delete", "root", "sure", "1"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/quarantine?done=deleted" {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	if _, err := s.Quarantine().Entry(t.Context(), id(1)); !errors.Is(err, quarantine.ErrUnknown) {
		t.Errorf("%v", err)
	}
	if got := s.ask("GET", "/messages/"+id(1), "root", nil); got.Code != 200 || !strings.Contains(got.Body.String(), "It is not there any more") {
		t.Errorf("%d %s", got.Code, text(got.Body.String()))
	}
}

// TestInfectedGoesAttached: what is sent of an infected message is a mail of ours.
func TestInfectedGoesAttached(t *testing.T) {
	s := keptSite(t)
	s.post("/quarantine/"+id(2)+"/release", "root", "infected", "1")
	if len(s.mta.Got) != 1 || !strings.Contains(s.mta.Got[0], "Content-Type: message/rfc822") || !strings.Contains(s.mta.Got[0], "INFECTED: ") {
		t.Errorf("%q", s.mta.Got)
	}
}

// TestClean sends what is left without the bad parts: neither the script nor the virus
// is in it.
func TestClean(t *testing.T) {
	s := keptSite(t)
	for n := 1; n <= 2; n++ {
		if got := s.post("/quarantine/"+id(n)+"/clean", "root"); got.Code != http.StatusSeeOther {
			t.Errorf("%d: %d %s", n, got.Code, text(got.Body.String()))
		}
	}
	if len(s.mta.Got) != 2 {
		t.Fatalf("%d mails", len(s.mta.Got))
	}
	if m := s.mta.Got[0]; strings.Contains(m, "<script>") || strings.Contains(m, "onload") || !strings.Contains(m, "Dear customer") {
		t.Errorf("%q", m)
	}
	if m := s.mta.Got[1]; strings.Contains(m, "EICAR") || !strings.Contains(m, "see the file") {
		t.Errorf("%q", m)
	}
	if e := s.stored(2).Events[0]; !strings.HasPrefix(e.Note, "without ") {
		t.Errorf("%+v", e)
	}
}

// TestTwoAtOnce has many release the same message: it is sent once, and all others are
// told.
func TestTwoAtOnce(t *testing.T) {
	s := keptSite(t)
	var wg sync.WaitGroup
	codes := make([]int, 6)
	for i := range codes {
		wg.Go(func() {
			got := s.post("/quarantine/"+id(1)+"/release", []string{"root", "desk"}[i%2])
			codes[i] = got.Code
			if got.Code == http.StatusConflict && !strings.Contains(got.Body.String(), "released") {
				t.Errorf("%s", text(got.Body.String()))
			}
		})
	}
	wg.Wait()
	slices.Sort(codes)
	if len(s.mta.Got) != 1 || codes[0] != http.StatusSeeOther || codes[1] != http.StatusConflict {
		t.Errorf("%v, %d mails", codes, len(s.mta.Got))
	}
}

// TestReleaseUnsure shows that a release may have been sent, and does not send it again
// unasked.
func TestReleaseUnsure(t *testing.T) {
	s := keptSite(t)
	s.mta.Err = submission.ErrUnsure
	for range 2 {
		if got := s.post("/quarantine/"+id(1)+"/release", "root"); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "not known whether") {
			t.Errorf("%d %s", got.Code, text(got.Body.String()))
		}
	}
	if got := s.ask("GET", "/", "root", nil); !strings.Contains(got.Body.String(), "how the release of message "+id(1)) {
		t.Error("the overview does not say so")
	}
	s.mta.Err = nil
	if got := s.post("/quarantine/"+id(1)+"/release", "root", "again", "1"); got.Code != http.StatusSeeOther || len(s.mta.Got) != 1 {
		t.Errorf("%d", got.Code)
	}
}

// TestBulk does something with several messages, of which one is not there and one may not
// be touched.
func TestBulk(t *testing.T) {
	s := keptSite(t)
	form := []string{"id", id(1), "id", id(2), "id", id(9), "act", "handled"}
	got := s.post("/quarantine", "desk", form...)
	if got.Code != 200 || s.stored(1).Handled() == nil || s.stored(2).Handled() == nil || !strings.Contains(text(got.Body.String()), "Done: 2 of 3.") {
		t.Errorf("%d %s", got.Code, text(got.Body.String()))
	}
	form[7] = "release"
	if got := s.post("/quarantine", "desk", form...); len(s.mta.Got) != 1 || !strings.Contains(text(got.Body.String()), "Done: 1 of 3.") {
		t.Errorf("%d sent: %s", len(s.mta.Got), text(got.Body.String()))
	}
	form[7] = "delete"
	if got := s.post("/quarantine", "root", form...); got.Code != 200 || !strings.Contains(got.Body.String(), `name="sure"`) || s.stored(1).SHA256 == "" {
		t.Errorf("%d %s", got.Code, text(got.Body.String()))
	}
	got = s.post("/quarantine", "root", append(form, "sure", "1")...)
	if !strings.Contains(text(got.Body.String()), "Done: 2 of 3.") {
		t.Errorf("%s", text(got.Body.String()))
	}
	for _, c := range []struct {
		who  string
		form []string
		want int
	}{
		{"audit", form, 403}, {"desk", form, 403}, {"root", []string{"act", "delete"}, 400}, {"root", []string{"act", "explode", "id", id(1)}, 400},
		{"root", []string{"act", "forward", "id", id(1)}, 400},
	} {
		if got := s.post("/quarantine", c.who, c.form...); got.Code != c.want {
			t.Errorf("%s %v: %d", c.who, c.form, got.Code)
		}
	}
}

// TestAGetChangesNothing asks for every page there is, with every parameter that a form
// would send.
func TestAGetChangesNothing(t *testing.T) {
	s := keptSite(t)
	before := s.stored(1)
	q := "?" + url.Values{"act": {"delete"}, "id": {id(1)}, "sure": {"1"}, "to": {"x@example.net"}, "infected": {"1"}, "again": {"1"}, "language": {"de"}}.Encode()
	for _, route := range s.Routes() {
		s.ask("GET", s.filled(route.Pattern)+q, "root", nil)
		s.ask("HEAD", s.filled(route.Pattern)+q, "root", nil)
	}
	if after := s.stored(1); after.State != before.State || len(after.Events) != 0 || len(s.mta.Got) > 0 {
		t.Errorf("%+v", after)
	}
}
