package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
)

// asked is a scanner that counts how often it was asked.
type asked struct{ messages, envelopes, ahead int }

func (*asked) Name() string { return "spam/counting" }

func (a *asked) Scan(context.Context, *scan.Message) ([]scan.Finding, error) {
	a.messages++
	return nil, nil
}

func (a *asked) ScanEnvelope(context.Context, scan.Stage, scan.Envelope) ([]scan.Finding, error) {
	a.envelopes++
	return nil, nil
}

func (a *asked) Ahead(context.Context, scan.Received) scan.Begun {
	a.ahead++
	return nil
}

// Nothing is asked for mail that is only for domains which do not want it; what
// goes out is always looked at.
func TestSwitchedOff(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"milterscan.toml": "[local]\ndomains = [\"quiet.example\", \"other.example\"]\n[per_domain]\ndir = \"d\"\n", "d/quiet.example.toml": "off = [\"spam\"]\n",
	} {
		os.MkdirAll(filepath.Join(dir, "d"), 0o700)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "milterscan.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]struct {
		to    []string
		user  string
		times int // asked about the message, before and after it is opened, and about its last recipient
	}{
		"one who does not want it": {[]string{"a@quiet.example"}, "", 0},
		"two who do not want it":   {[]string{"a@quiet.example", "b@QUIET.example"}, "", 0},
		"somebody who wants it":    {[]string{"a@quiet.example", "b@other.example"}, "", 3},
		"mail that goes out":       {[]string{"a@quiet.example"}, "joe", 3},
		"nobody yet":               {nil, "", 3},
	} {
		a := &asked{}
		s := switched(c, []scan.Scanner{a})[0]
		env := scan.Envelope{Recipients: m.to, AuthUser: m.user}
		s.Scan(t.Context(), &scan.Message{Envelope: env})
		s.(scan.EnvelopeScanner).ScanEnvelope(t.Context(), scan.StageRcpt, env)
		scan.NewEngine(s).Ahead(t.Context(), scan.Received{Envelope: env})
		if n := a.messages + a.envelopes + a.ahead; n != m.times {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}
