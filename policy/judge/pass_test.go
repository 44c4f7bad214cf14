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
		if n := len(changesOf(r, policy.Delete, token.Field)); r.Answer == policy.Deliver && n != bytes.Count([]byte(c.mail), []byte(token.Field)) {
			t.Errorf("%s: %d passes are taken off", name, n)
		}
		if n := len(changesOf(r, policy.InsertTop, token.Released)); r.Answer == policy.Deliver && (n == 1) != (c.rule == released) {
			t.Errorf("%s: %d fields say that it was released", name, n)
		}
		release()
	}
}

// changesOf returns the changes of one kind of a field.
func changesOf(r policy.Ruling, op policy.HeaderOp, name string) (list []policy.HeaderChange) {
	for _, h := range r.Changes.Headers {
		if h.Op == op && h.Name == name {
			list = append(list, h)
		}
	}
	return list
}

// Nobody can say of a message of their own that we have released it.
func TestReleasedIsNotForged(t *testing.T) {
	forged := "X-Milterscan-Released: id=x\r\nx-milterscan-released: id=y\r\n"
	release := carrying(t, token.Grant{For: token.Release, ID: "06h08cfwgrgbyv96", Findings: []string{odd.Rule}})
	for about, c := range map[string]struct {
		mail         string
		gone, placed int
	}{
		"a stranger's":                {forged + mail, 2, 0},
		"a stranger's without":        {mail, 0, 0},
		"released, and forged before": {release[:len(release)-len(mail)] + forged + mail, 2, 1},
	} {
		var told []*Result
		j := judging(t, policy.Outcome{}, &keeper{}, &told)
		j.Key = func() ([]byte, error) { return key, nil }
		r, release := j.Message(t.Context(), received(j, c.mail))
		gone, placed := changesOf(r, policy.Delete, token.Released), changesOf(r, policy.InsertTop, token.Released)
		if len(gone) != c.gone || len(placed) != c.placed || c.placed == 1 && !strings.Contains(placed[0].Value, "06h08cfwgrgbyv96") {
			t.Errorf("%s: %+v", about, r.Changes.Headers)
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
