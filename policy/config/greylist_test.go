package config

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// greyed is what becomes of mail with some findings and a score.
func greyed(t *testing.T, c *Config, stage scan.Stage, rule string, score float64) policy.Decision {
	t.Helper()
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	found := []scan.Finding{{Kind: scan.Note, Scanner: "greylist", Rule: rule, Part: scan.WholeMessage, Recipient: "b@example.com"}}
	if stage == scan.StageMessage {
		found = append(found, scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/x", Part: scan.WholeMessage, Score: score})
	}
	return p.Decide(policy.Input{Stage: stage, Envelope: scan.Envelope{Sender: "a@example.net", Recipients: []string{"b@example.com"}}, Found: found})
}

func TestGreylisting(t *testing.T) {
	always, band := Default(), Default()
	always.Greylist.Enabled, band.Greylist.Enabled = true, true
	band.Greylist.MinScore, band.Greylist.MaxScore = 3, 8
	for _, test := range []struct {
		name  string
		c     *Config
		stage scan.Stage
		rule  string
		score float64
		want  policy.Answer
	}{
		{"off", Default(), scan.StageRcpt, greylist.FirstSeen, 0, policy.Deliver},
		{"at RCPT", always, scan.StageRcpt, greylist.FirstSeen, 0, policy.Tempfail},
		{"too early", always, scan.StageRcpt, greylist.TooEarly, 0, policy.Tempfail},
		{"with the message", always, scan.StageMessage, greylist.FirstSeen, 0, policy.Tempfail},
		{"come back", always, scan.StageMessage, greylist.CameBack, 0, policy.Deliver},
		{"the score is not known yet", band, scan.StageRcpt, greylist.FirstSeen, 0, policy.Deliver},
		{"below the band", band, scan.StageMessage, greylist.FirstSeen, 2.5, policy.Deliver},
		{"in the band", band, scan.StageMessage, greylist.FirstSeen, 3, policy.Tempfail},
		{"above the band", band, scan.StageMessage, greylist.FirstSeen, 8, policy.Deliver},
		{"the store is gone", always, scan.StageMessage, "greylist/failed", 0, policy.Deliver},
	} {
		d := greyed(t, test.c, test.stage, test.rule, test.score)
		if d.Answer != test.want {
			t.Errorf("%s: %v, want %v", test.name, d.Answer, test.want)
		}
		if d.Answer == policy.Tempfail && !strings.HasPrefix(d.Reply.String(), "451 4.7.1 ") {
			t.Errorf("%s: %v", test.name, d.Reply)
		}
	}
}

func TestGreylistSectionIsChecked(t *testing.T) {
	_, err := Load(write(t, map[string]string{"milterscan.toml": "[greylist]\nenabled = true\nfile = \"greylist.db\"\ndelay = \"3d\"\nipv4 = 64\n"}))
	for _, want := range []string{"greylist.file", "greylist.window: 2d is not more than delay", "ipv4: 64"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
}
