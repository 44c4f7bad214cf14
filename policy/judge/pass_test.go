package judge

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

var key = []byte(strings.Repeat("k", 32))

// carrying is the mail with a pass on it.
func carrying(t *testing.T, g token.Grant) string {
	t.Helper()
	sum, err := token.Sum(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	g.Body, g.Issued = sum, time.Now()
	return token.Field + ": " + token.Write(key, g) + "\r\n" + mail
}

func TestPass(t *testing.T) {
	keep := policy.Outcome{Answer: policy.Discard, Keep: true}
	release := token.Grant{For: token.Release, ID: "06h08cfwgrgbyv96", Findings: []string{odd.Rule}}
	for name, c := range map[string]struct {
		mail   string
		answer policy.Answer
		rule   string // of the first finding
	}{
		"a release":                   {carrying(t, release), policy.Deliver, released},
		"a release of something else": {carrying(t, token.Grant{For: token.Release, Findings: []string{"virus/*"}}), policy.Discard, released},
		"a notice":                    {carrying(t, token.Grant{For: token.Notice}), policy.Deliver, ""},
		"a probe":                     {carrying(t, token.Grant{For: token.Probe, ID: "probe"}), policy.Reject, probed},
		"an unknown purpose":          {carrying(t, token.Grant{For: "fun"}), policy.Discard, notPass},
		"a forged one":                {token.Field + ": for=notice\r\n" + mail, policy.Discard, notPass},
		"another body":                {carrying(t, release) + "and more\r\n", policy.Discard, notPass},
		"two":                         {carrying(t, release)[:len(carrying(t, release))-len(mail)] + carrying(t, release), policy.Discard, notPass},
	} {
		var told []*Result
		k := &keeper{}
		j := judging(t, keep, k, &told, odd)
		j.Key = func() ([]byte, error) { return key, nil }
		r, release := j.Message(t.Context(), received(j, c.mail))
		if r.Answer != c.answer || c.rule != "" && told[0].Found[0].Rule != c.rule || c.rule == "" && len(told[0].Found) != 0 {
			t.Errorf("%s: %s, found %+v", name, r.Answer, told[0].Found)
		}
		if c.rule == probed && !policy.IsProbed(r.Reply.Text) {
			t.Errorf("%s: the reply is %v", name, r.Reply)
		}
		if n := bytes.Count([]byte(c.mail), []byte(token.Field)); r.Answer == policy.Deliver && len(r.Changes.Headers) != n {
			t.Errorf("%s: %d of %d passes are taken off", name, len(r.Changes.Headers), n)
		}
		release()
	}
}

// A pass whose key cannot be read is none.
func TestPassWithoutKey(t *testing.T) {
	var told []*Result
	j := judging(t, policy.Outcome{Answer: policy.Reject}, &keeper{}, &told)
	j.Key = func() ([]byte, error) { return nil, errors.New("permission denied") }
	_, release := j.Message(t.Context(), received(j, carrying(t, token.Grant{For: token.Notice})))
	defer release()
	if told[0].Found[0].Rule != notPass {
		t.Errorf("found %+v", told[0].Found)
	}
}

// A rule without a finding that kept a message does not keep it again.
func TestReleaseFromARule(t *testing.T) {
	rules, err := policy.New([]policy.Rule{{Ref: policy.RuleRef{Name: "everything"}, Outcome: policy.Outcome{Answer: policy.Discard, Keep: true}}}, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	var told []*Result
	j := judging(t, policy.Outcome{}, &keeper{}, &told)
	j.Policy, j.Key = rules, func() ([]byte, error) { return key, nil }
	r, release := j.Message(t.Context(), received(j, carrying(t, token.Grant{For: token.Release, Rules: []string{"everything"}})))
	defer release()
	if r.Answer != policy.Deliver {
		t.Errorf("%s", r.Answer)
	}
}

// TestReleaseOfAVirus lets a virus through only where the release says so.
func TestReleaseOfAVirus(t *testing.T) {
	virus := scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x", Part: scan.WholeMessage}
	for word, answer := range map[bool]policy.Answer{false: policy.Discard, true: policy.Deliver} {
		for _, covered := range []string{"virus/x", "virus/*", "*"} {
			var told []*Result
			j := judging(t, policy.Outcome{Answer: policy.Discard, Keep: true}, &keeper{}, &told, virus)
			j.Key = func() ([]byte, error) { return key, nil }
			rules, err := policy.New([]policy.Rule{{
				Ref:     policy.RuleRef{Name: "viruses"},
				Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Infected)}},
				Outcome: policy.Outcome{Answer: policy.Discard},
			}}, policy.Local{})
			if err != nil {
				t.Fatal(err)
			}
			j.Policy = rules
			g := token.Grant{For: token.Release, Findings: []string{covered}, Infected: word}
			r, release := j.Message(t.Context(), received(j, carrying(t, g)))
			if r.Answer != answer {
				t.Errorf("infected said: %v, covers %s: %s", word, covered, r.Answer)
			}
			release()
		}
	}
}
