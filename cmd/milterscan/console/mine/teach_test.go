package mine

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
)

// learns makes the site one whose rspamd learns, from recipients if they may.
func (s *site) learns(fake *fakes.Rspamd, recipients bool) {
	s.config.Spam.Rspamd.Controller = fake.Start(s.t)
	s.config.People.Pages.Learn = recipients
}

// paths returns what an rspamd was asked.
func paths(fake *fakes.Rspamd) string {
	asked, _ := fake.Got()
	var all []string
	for _, r := range asked {
		all = append(all, r.URL.Path)
	}
	return strings.Join(all, " ")
}

// TestTeach: a person says that own mail is no spam, and then that it is; the mail stays where it is, and others learn
// nothing of that.
func TestTeach(t *testing.T) {
	s, fake := newSite(t), &fakes.Rspamd{}
	s.learns(fake, true)
	for _, path := range []string{"/mine", "/mine/" + id(1)} {
		if page := s.page("ann", path); strings.Count(page, `value="spam"`) != 1 || strings.Count(page, `value="ham"`) != 1 {
			t.Errorf("%s has no buttons", path)
		}
	}
	if to := s.led("ann", "/mine", "act", "ham", "id", id(1)); to != "/mine?done=learned-ham" {
		t.Errorf("led to %s", to)
	}
	if page := s.page("ann", "/mine?done=learned-ham"); !strings.Contains(page, "The spam filter has learned that this is no spam.") || listed(page) != "5 2 1" {
		t.Error("the page does not say so, or has lost a message")
	}
	if page := s.page("ben", "/mine/"+id(1)); !strings.Contains(page, "The filter was told that this is no spam.") {
		t.Error("the message does not say so")
	}
	if got := s.ask("ben", "POST", "/mine", "act", "ham", "id", id(1)); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "The spam filter was told so before") {
		t.Errorf("told twice: %d %s", got.Code, got.Body)
	}
	s.led("ben", "/mine", "act", "spam", "id", id(1))
	if got := s.ask("ann", "POST", "/mine", "act", "ham", "id", id(1)); !strings.Contains(got.Body.String(), "was told both already") {
		t.Errorf("told a third time: %s", got.Body)
	}
	if got := paths(fake); got != "/learnham /learnspam" || len(s.mta.Got) > 0 {
		t.Errorf("rspamd was asked %q, %d mails were sent", got, len(s.mta.Got))
	}
	if want := "recipient:ann@example.com teach scorers " + id(1) + ": done"; !slices.Contains(s.audit, want) {
		t.Errorf("audit log: %q", s.audit)
	}
}

// TestMayNotTeach: where the host does not want it there are no buttons, and no way; infected mail and that of others is
// not there.
func TestMayNotTeach(t *testing.T) {
	s, fake := newSite(t), &fakes.Rspamd{}
	s.learns(fake, false)
	for _, path := range []string{"/mine", "/mine/" + id(1)} {
		if page := s.page("ann", path); strings.Contains(page, `value="ham"`) {
			t.Errorf("%s has buttons", path)
		}
	}
	if got := s.ask("ann", "POST", "/mine", "act", "spam", "id", id(1)); !strings.Contains(got.Body.String(), "You may not") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	s.config.People.Pages.Learn = true
	for _, n := range []int{3, 4, 9} {
		if got := s.ask("ann", "POST", "/quarantine/"+id(n)+"/learn-spam"); got.Code != http.StatusNotFound {
			t.Errorf("message %d: %d", n, got.Code)
		}
	}
	if got := paths(fake); got != "" {
		t.Errorf("rspamd was asked %q", got)
	}
}

// TestTeachFails: a scorer that is down is said to be, in each language, and may be told later; there is an end to what one
// person teaches in a day.
func TestTeachFails(t *testing.T) {
	s := newSite(t)
	s.learns(&fakes.Rspamd{Hangup: true}, true)
	for range 50 {
		if got := s.ask("ann", "POST", "/mine", "act", "spam", "id", id(1)); !strings.Contains(got.Body.String(), "The spam filter has not learned it") {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	if got := s.ask("ann", "POST", "/mine", "act", "spam", "id", id(1)); !strings.Contains(got.Body.String(), "That is enough for today") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	s.learns(&fakes.Rspamd{}, true)
	s.led("ben", "/mine", "act", "spam", "id", id(1))
}
