package config

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/bounce"
)

func TestMarkIsPutOnMail(t *testing.T) {
	c := Default()
	c.Bounce.Keys = "/etc/milterscan/bounce.keys"
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(policy.Input{Stage: scan.StageMessage, Found: []scan.Finding{
		{Kind: scan.Note, Scanner: "bounce", Rule: bounce.Marked, Part: scan.WholeMessage, Detail: "1.a.20260304.x"},
	}})
	want := policy.HeaderField{Name: bounce.Field, Value: "1.a.20260304.x"}
	if d.Answer != policy.Deliver || len(d.Headers) != 1 || d.Headers[0] != want {
		t.Errorf("%v with %+v", d.Answer, d.Headers)
	}
}

func TestBounceSectionIsChecked(t *testing.T) {
	_, err := Load(write(t, map[string]string{"milterscan.toml": "[bounce]\nkeys = \"bounce.keys\"\nvalid = \"1h\"\n"}))
	for _, want := range []string{"no absolute path", "bounce.valid: 1h is too short"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
}
