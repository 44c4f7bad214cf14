package rspamd

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

func always(scan.Envelope) bool { return true }

// asking returns a scanner that asks these addresses about any mail.
func asking(t *testing.T, addresses ...string) *Scanner {
	t.Helper()
	c := DefaultConfig()
	c.Addresses = addresses
	return with(t, c, With{Wanted: always})
}

func with(t *testing.T, c Config, w With) *Scanner {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	s, err := New(c, w)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mail(text string) *scan.Message { return scantest.Message("Subject: x\r\n\r\n" + text) }

func TestContract(t *testing.T) {
	scantest.Run(t, asking(t, (&fakes.Rspamd{Spam: "hello"}).Start(t)), Catalogue()...)
}

func TestScores(t *testing.T) {
	fake := &fakes.Rspamd{Spam: "pills"}
	s := asking(t, fake.Start(t))
	found, err := s.Scan(context.Background(), mail("buy pills"))
	want := []scan.Finding{
		{Rule: "spam/rspamd", Score: 17.5, Opinion: true, Detail: "17.5 of 15, reject: FAKE_ONE=15, FAKE_TWO=2.5"},
		{Rule: "spam/rspamd-action/reject"},
		{Rule: "spam/rspamd/FAKE_ONE", Detail: "15: a text for tests [pills, more]"},
		{Rule: "spam/rspamd/FAKE_TWO", Detail: "2.5:"},
	}
	for i := range want {
		want[i].Scanner, want[i].Part = "spam", scan.WholeMessage
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("spam: found %+v, error %v", found, err)
	}
	found, err = s.Scan(context.Background(), mail("hello"))
	if err != nil || len(found) != 2 || found[0].Score != -1.2 || found[0].Kind != scan.Note || found[1].Rule != "spam/rspamd-action/no-action" {
		t.Errorf("ham: found %+v, error %v", found, err)
	}
	asked, mails := fake.Got()
	if asked[0].Method != http.MethodPost || asked[0].URL.Path != "/checkv2" || string(mails[0]) != "Subject: x\r\n\r\nbuy pills" {
		t.Errorf("asked %v about %q", asked[0], mails[0])
	}
	if err := s.Ping(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestNotAsked: rspamd is not asked about what no rule wants to know, or what is too
// large.
func TestNotAsked(t *testing.T) {
	fake := &fakes.Rspamd{}
	c := DefaultConfig()
	c.Addresses, c.MaxSize = []string{fake.Start(t)}, 1*units.KB
	s := with(t, c, With{Wanted: func(e scan.Envelope) bool { return e.Sender == "a@example.net" }})
	m := mail("hello")
	m.Envelope.Sender = "another@else.example"
	if found, err := s.Scan(context.Background(), m); err != nil || len(found) != 0 {
		t.Errorf("unwanted: found %v, error %v", found, err)
	}
	found, err := s.Scan(context.Background(), mail(strings.Repeat("x", 2000)))
	if err != nil || len(found) != 1 || found[0].Rule != "spam/not-scored" || found[0].Detail != "rspamd: 2014 bytes" {
		t.Errorf("large: found %v, error %v", found, err)
	}
	if asked, _ := fake.Got(); len(asked) != 0 {
		t.Errorf("asked %v", asked)
	}
}

// TestEnvelope: rspamd is told what the MTA knows, and nothing a client says can end a
// field, forge another, or keep the message from being scored.
func TestEnvelope(t *testing.T) {
	fake := &fakes.Rspamd{}
	s := asking(t, fake.Start(t))
	m := mail("hello")
	m.Envelope = scan.Envelope{
		Client: netip.MustParseAddrPort("[::ffff:192.0.2.7]:2525"), ClientName: "mail.example.org", Helo: "helo\r\nX-Evil: yes\x00\x7f\xff",
		Sender: "", AuthUser: "joe", QueueID: "4ABC", Recipients: []string{"a@example.com>\r\nSettings: {}"},
	}
	if _, err := s.Scan(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	m.Envelope = scan.Envelope{Client: netip.MustParseAddrPort("[2001:db8::1]:25"), ClientName: "[2001:db8::1]", Sender: "a@example.org",
		Recipients: slices.Repeat([]string{"b@example.com"}, 2000)}
	if _, err := s.Scan(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	asked, _ := fake.Got()
	for name, want := range map[string]string{"Mta-Tag": "milterscan", "Ip": "192.0.2.7", "Hostname": "mail.example.org", "Helo": "heloX-Evil:yes\ufffd",
		"From": "<>", "User": "joe", "Queue-Id": "4ABC", "Rcpt": "<a@example.comSettings:{}>", "Deliver-To": "a@example.comSettings:{}",
		"X-Evil": "", "Settings": "", "Password": ""} {
		if got := strings.Join(asked[0].Header[name], " "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	h := asked[1].Header
	if h.Get("Hostname")+h.Get("Deliver-To")+h.Get("User")+h.Get("Helo") != "" || h.Get("Ip") != "2001:db8::1" || h.Get("From") != "<a@example.org>" ||
		len(h["Rcpt"]) != mostRecipients {
		t.Errorf("the second: %d recipients, %v", len(h["Rcpt"]), h)
	}
}

func TestFailsOver(t *testing.T) {
	s := asking(t, (&fakes.Rspamd{Hangup: true}).Start(t), (&fakes.Rspamd{Spam: "pills"}).Start(t))
	if found, err := s.Scan(context.Background(), mail("pills")); err != nil || len(found) != 4 {
		t.Errorf("found %v, error %v", found, err)
	}
	if err := s.Ping(context.Background()); err == nil || !strings.Contains(err.Error(), s.cfg.Addresses[0]) || strings.Contains(err.Error(), s.cfg.Addresses[1]) {
		t.Errorf("error %v; want it to name the first address only", err)
	}
}

// TestWays: a socket, TLS with the right authority and the wrong one, and a password.
func TestWays(t *testing.T) {
	socket := (&fakes.Rspamd{}).StartAt(t, "unix", filepath.Join(t.TempDir(), "s"))
	if _, err := asking(t, socket).Scan(context.Background(), mail("x")); err != nil {
		t.Errorf("socket: %v", err)
	}
	secure := &fakes.Rspamd{Secure: true, Password: "word"}
	c := DefaultConfig()
	c.Addresses = []string{secure.Start(t)}
	if _, err := with(t, c, With{Wanted: always}).Scan(context.Background(), mail("x")); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: error %v", err)
	}
	c.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate()})
	if err := os.WriteFile(c.CAFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := with(t, c, With{Wanted: always}).Scan(context.Background(), mail("x")); !errors.Is(err, ErrServer) || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a password: error %v", err)
	}
	password := func() (string, error) { return "word", nil }
	if _, err := with(t, c, With{always, password}).Scan(context.Background(), mail("x")); err != nil {
		t.Errorf("with a password: %v", err)
	}
	errLost := errors.New("the file is not there")
	if _, err := with(t, c, With{always, func() (string, error) { return "", errLost }}).Scan(context.Background(), mail("x")); !errors.Is(err, errLost) {
		t.Errorf("a password that is lost: %v", err)
	}
}

// TestMisbehaves: what is no clear opinion is an error, and no score.
func TestMisbehaves(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	good := `"required_score":15,"action":"no action","symbols":{}`
	for name, c := range map[string]struct {
		fake *fakes.Rspamd
		want error
	}{
		"hangs up":           {&fakes.Rspamd{Hangup: true}, ErrNoReply},
		"half an answer":     {&fakes.Rspamd{Half: true}, ErrNoReply},
		"500":                {&fakes.Rspamd{Status: 500, Answer: `{"score":1,` + good + "}"}, ErrServer},
		"moved":              {&fakes.Rspamd{Status: 302, Answer: "x"}, ErrServer},
		"no content":         {&fakes.Rspamd{Status: 204}, ErrServer},
		"an error":           {&fakes.Rspamd{Answer: `{"error":"too busy"}`}, ErrServer},
		"HTML":               {&fakes.Rspamd{Answer: "<html>hello</html>"}, ErrGarbage},
		"an array":           {&fakes.Rspamd{Answer: "[]"}, ErrGarbage},
		"null":               {&fakes.Rspamd{Answer: "null"}, ErrGarbage},
		"no score":           {&fakes.Rspamd{Answer: "{" + good + "}"}, ErrGarbage},
		"score of words":     {&fakes.Rspamd{Answer: `{"score":"7.5",` + good + "}"}, ErrGarbage},
		"NaN":                {&fakes.Rspamd{Answer: `{"score":NaN,` + good + "}"}, ErrGarbage},
		"infinite":           {&fakes.Rspamd{Answer: `{"score":1e999,` + good + "}"}, ErrGarbage},
		"unbelievable":       {&fakes.Rspamd{Answer: `{"score":-1e300,` + good + "}"}, ErrGarbage},
		"odd threshold":      {&fakes.Rspamd{Answer: `{"score":1,"required_score":1e300,"action":"reject"}`}, ErrGarbage},
		"no action":          {&fakes.Rspamd{Answer: `{"score":1}`}, ErrGarbage},
		"odd action":         {&fakes.Rspamd{Answer: `{"score":1,"action":"re/ject\n"}`}, ErrGarbage},
		"symbols in a list":  {&fakes.Rspamd{Answer: `{"score":1,"action":"reject","symbols":["A"]}`}, ErrGarbage},
		"a symbol of words":  {&fakes.Rspamd{Answer: `{"score":1,"action":"reject","symbols":{"A":{"score":"1"}}}`}, ErrGarbage},
		"a symbol of null":   {&fakes.Rspamd{Answer: `{"score":1,"action":"reject","symbols":{"A":null}}`}, ErrGarbage},
		"two answers":        {&fakes.Rspamd{Answer: `{"score":1,` + good + `}{"score":2,` + good + "}"}, ErrGarbage},
		"deep":               {&fakes.Rspamd{Answer: `{"score":1,"x":` + strings.Repeat("[", 100_000)}, ErrGarbage},
		"over all measure":   {&fakes.Rspamd{Answer: `{"score":1,` + good + `,"x":"` + long + `"}`}, ErrGarbage},
		"wants the password": {&fakes.Rspamd{Password: "word"}, ErrServer},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := asking(t, c.fake.Start(t)).Scan(context.Background(), mail(long[:400_000]))
			if !errors.Is(err, c.want) || len(found) != 0 {
				t.Errorf("found %v, error %v; want %v", found, err, c.want)
			}
		})
	}
}

// TestOddNames: names of symbols that could not be any are left out, texts are cut, and
// there is an end to them.
func TestOddNames(t *testing.T) {
	var many []string
	for i := range 2 * mostSymbols {
		many = append(many, `"S`+strings.Repeat("X", i%50)+string(rune('A'+i/50))+`":{"score":0.001}`)
	}
	many = append(many, `"a b":{"score":9}`, `"":{"score":9}`, `"a*":{"score":9}`, `"é":{"score":9}`, `"`+strings.Repeat("L", 200)+`":{"score":9}`,
		`"GOOD(1.2)":{"score":-3,"description":"`+strings.Repeat("é", 400)+`"}`)
	o, err := reply{200, "", []byte(`{"score":1,"required_score":null,"action":"soft reject","symbols":{` + strings.Join(many, ",") + "}}")}.opinion()
	if err != nil || len(o.hits) != mostSymbols || o.hits[0].name != "GOOD(1.2)" || len(o.hits[0].text) != longestText || o.action != "soft-reject" {
		t.Errorf("%d symbols, %+v, error %v", len(o.hits), o.hits[:1], err)
	}
	if got := (opinion{score: 1, required: o.required, action: "reject"}).String(); got != "1, reject: no symbol" {
		t.Errorf("without a threshold: %q", got)
	}
	o, err = reply{200, "", []byte(`{"is_skipped":true,"score":0,"required_score":15,"action":"no action"}`)}.opinion()
	if found := o.findings(); err != nil || found[0].Detail != "not examined, by rspamd's own settings" {
		t.Errorf("skipped: %v, error %v", found, err)
	}
}

func TestHangs(t *testing.T) {
	s := asking(t, (&fakes.Rspamd{Mute: true}).Start(t))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if found, err := s.Scan(ctx, mail("hello")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v, error %v", found, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"address[1]": func(c *Config) { c.Addresses = []string{"http://127.0.0.1:11333", "tcp:127.0.0.1:11333"} },
		"address[0]": func(c *Config) { c.Addresses = []string{"http://joe:word@host"} },
		"is \"unix:": func(c *Config) { c.Addresses = []string{"unix:relative"} },
		"ca_file":    func(c *Config) { c.CAFile = "/nowhere/ca.pem" },
		"timeout":    func(c *Config) { c.Timeout = 0 },
		"max_size":   func(c *Config) { c.MaxSize = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
	for address, want := range map[string]bool{"http://127.0.0.1:1": true, "unix:/s": true, "https://h.example": true, "http://h.example": false} {
		if err := (Config{Addresses: []string{address}}).CheckPassword(); (err == nil) != want {
			t.Errorf("%s with a password: %v", address, err)
		}
	}
}

// FuzzAnswer: no answer makes a finding that is no finding.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"is_skipped":false,"score":7.6,"required_score":15.0,"action":"add header","symbols":{"A":{"score":7.5,"description":"d","options":["o"]}}}`)
	f.Add(`{"error":"x"}`)
	s, err := New(DefaultConfig(), With{Wanted: always})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := reply{200, "200 OK", []byte(text)}.opinion()
		if err == nil {
			scantest.Check(t, s, mail(""), o.findings(), Catalogue()...)
		}
	})
}
