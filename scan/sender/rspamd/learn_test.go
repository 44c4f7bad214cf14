package rspamd

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/tests/fakes"
)

// TestLearn: rspamd is told what a message is, with the password; what it learned before it has learned, and
// anything else that it says is an error.
func TestLearn(t *testing.T) {
	fake := &fakes.Rspamd{Password: "word"}
	c := Controller{Address: fake.Start(t), Password: func() (string, error) { return "word", nil }, Timeout: 5 * time.Second}
	for _, as := range []scorer.Lesson{scorer.Spam, scorer.Ham} {
		if err := c.Learn(t.Context(), as, scan.Envelope{Recipients: []string{"a@example.com"}}, mail("pills").Raw); err != nil {
			t.Errorf("%s: %v", as, err)
		}
	}
	asked, mails := fake.Got()
	if len(asked) != 2 || asked[0].URL.Path != "/learnspam" || asked[1].URL.Path != "/learnham" || asked[0].Method != http.MethodPost ||
		asked[0].Header.Get("Deliver-To") != "a@example.com" || string(mails[0]) != "Subject: x\r\n\r\npills" {
		t.Errorf("asked %v about %q", asked, mails)
	}
	if err := c.Ping(t.Context()); !errors.Is(err, ErrServer) { // the fake wants the password of all
		t.Errorf("ping: %v", err)
	}
	for name, one := range map[string]struct {
		fake *fakes.Rspamd
		want error
	}{
		"learned before":        {&fakes.Rspamd{Learned: true}, nil},
		"learned before, newer": {&fakes.Rspamd{Status: 208, Answer: `{"error":"already"}`}, nil},
		"denied":                {&fakes.Rspamd{Status: 204}, scorer.ErrNotLearned},
		"wrong password":        {&fakes.Rspamd{Password: "another"}, ErrServer},
		"too few words":         {&fakes.Rspamd{Status: 400, Answer: `{"error":"not enough tokens"}`}, ErrServer},
		"an error":              {&fakes.Rspamd{Answer: `{"error":"no classifier"}`}, ErrServer},
		"no success":            {&fakes.Rspamd{Answer: `{"success":false}`}, ErrGarbage},
		"garbage":               {&fakes.Rspamd{Answer: `<html>`}, ErrGarbage},
		"nothing":               {&fakes.Rspamd{Hangup: true}, ErrNoReply},
	} {
		c.Address = one.fake.Start(t)
		if err := c.Learn(t.Context(), scorer.Spam, scan.Envelope{}, mail("pills").Raw); !errors.Is(err, one.want) {
			t.Errorf("%s: %v; want %v", name, err, one.want)
		}
	}
	for _, secret := range []bool{true, false} {
		if err := CheckController("http://mx.example", secret); (err != nil) != secret {
			t.Errorf("in the clear, with a password %t: %v", secret, err)
		}
	}
}
