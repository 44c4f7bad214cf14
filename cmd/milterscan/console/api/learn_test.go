package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/fakes"
)

// TestLearn: a program says that a message is spam, once, with a token of one who may; an administrator of a domain
// where the host leaves it that.
func TestLearn(t *testing.T) {
	s, fake := newSite(t), &fakes.Rspamd{}
	s.Config().Spam.Rspamd.Controller = fake.Start(t)
	path := "/api/v1/quarantine/" + id(1) + "/learn-spam"
	for _, c := range []struct {
		who    string
		status int
		says   string
	}{
		{"audit", http.StatusForbidden, "forbidden"},
		{"root", http.StatusOK, `"what":"learned"`}, {"root", http.StatusConflict, "act-taught"},
	} {
		if got := s.ask(c.who, "POST", path, ""); got.Code != c.status || !strings.Contains(got.Body.String(), c.says) {
			t.Errorf("%s: %d %s; want %d and %q", c.who, got.Code, got.Body, c.status, c.says)
		}
	}
	if got := s.ask("own", "POST", strings.Replace(path, "spam", "ham", 1), ""); got.Code != http.StatusOK {
		t.Errorf("an administrator of the domain: %d %s", got.Code, got.Body)
	}
	asked, _ := fake.Got()
	if len(asked) != 2 || asked[0].URL.Path != "/learnspam" || asked[1].URL.Path != "/learnham" {
		t.Errorf("rspamd was asked %v", asked)
	}
}
