package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// open returns a refusal that a sender may appeal against, for some classes.
func open(classes ...string) Outcome { return Outcome{Answer: Reject, Appeal: classes} }

// mild are the classes that a host allows by default, more or less.
var mild = []string{ByPolicy, "note", "suspicious"}

func TestAppeals(t *testing.T) {
	spam := shipped("spam", named("spam/list"), open(mild...))
	for _, c := range []struct {
		name  string
		rules []Rule
		found []string
		to    []string
		want  bool
	}{
		{"spam", []Rule{spam}, []string{"spam"}, nil, true},
		{"spam, by a rule without", []Rule{shipped("spam", named("spam/*"), refuse)}, []string{"spam"}, nil, false},
		{"spam with a virus that another rule refuses", []Rule{spam}, []string{"spam", "virus"}, nil, false},
		{"spam with a virus that another rule delivers", []Rule{spam, shipped("lab", kind(scan.Infected), deliver)}, []string{"spam", "virus"}, nil, false},
		{"spam with a virus, all by the same rule", []Rule{shipped("all", nil, open(Appealable()...))}, []string{"spam", "virus"}, nil, false},
		{"spam, and an engine does not answer", []Rule{spam, shipped("lenient", kind(scan.Failed), deliver)}, []string{"spam", "down"}, nil, false},
		{"spam, and a list does not answer", []Rule{spam}, []string{"spam", "spam-down"}, nil, true},
		{"spam with something locked", []Rule{spam, shipped("locked", kind(scan.Unscannable), deliver)}, []string{"spam", "locked"}, nil, false},
		{"something locked, which the host allows", []Rule{shipped("locked", kind(scan.Unscannable), open("unscannable"))}, []string{"locked"}, nil, true},
		{"something locked, which the host does not allow", []Rule{shipped("locked", kind(scan.Unscannable), open(mild...))}, []string{"locked"}, nil, false},
		{"spam with a program that another rule refuses", []Rule{spam}, []string{"spam", "exe"}, nil, false},
		{"spam with a program that is delivered", []Rule{spam, shipped("exe", named("attachment/name"), deliver)}, []string{"spam", "exe"}, nil, true},
		{"any mail of a sender", []Rule{fromRule("from", "@sender.example", open(mild...))}, nil, nil, true},
		{"any mail of a sender, not by policy", []Rule{fromRule("from", "@sender.example", open("note"))}, nil, nil, false},
		{"any mail of a sender, with a program in it", []Rule{fromRule("from", "@sender.example", open(mild...))}, []string{"exe"}, nil, false},
		{"spam that a second rule discards", []Rule{spam, shipped("macro", named("attachment/macro-name"), quarantine)}, []string{"spam", "macro"}, nil, false},
		{"spam that is greylisted as well", []Rule{spam, shipped("untidy", kind(scan.Malformed), retry)}, []string{"spam", "untidy"}, nil, true},
		{"an edit that cannot be made", []Rule{shipped("macro", named("attachment/macro-name"), Outcome{Edit: Replace, Else: &spam.Outcome})}, []string{"macro"}, nil, true},
		{"one of two may be asked", []Rule{toRule("no", "b@ours.example", refuse), spam}, []string{"spam"}, []string{"a@ours.example", "b@ours.example"}, true},
		{"one of two gets it", []Rule{toRule("yes", "b@ours.example", deliver), shipped("wants", named("spam/*"), deliver)}, []string{"spam"}, []string{"a@ours.example", "b@ours.example"}, false},
		{"twenty", []Rule{spam}, []string{"spam"}, crowd(mostAppealed), true},
		{"more than twenty", []Rule{spam}, []string{"spam"}, crowd(mostAppealed + 1), false},
		{"nobody", []Rule{spam}, []string{"spam"}, []string{}, false},
	} {
		in := inbound(c.found...)
		in.Fixed = []int{scan.WholeMessage}
		if c.to != nil {
			in.Envelope.Recipients = c.to
		}
		d := profile(t, ProfileDefault, c.rules...).Decide(in)
		if d.Appeal != c.want || d.Appeal && d.Answer != Reject {
			t.Errorf("%s: %v, appeal %v", c.name, d.Answer, d.Appeal)
		}
	}
}

func crowd(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("p%d@ours.example", i))
	}
	return list
}

// TestWhoIsAsked: of several recipients those whose rules say so.
func TestWhoIsAsked(t *testing.T) {
	in := inbound("spam")
	in.Envelope.Recipients = []string{"a@ours.example", "b@ours.example"}
	d := mustNew(t, []Rule{toRule("no", "b@ours.example", refuse), shipped("spam", named("spam/*"), open(mild...))}).Decide(in)
	if len(d.Verdicts) != 2 || len(d.Verdicts[0].Outcome.Appeal) == 0 || len(d.Verdicts[1].Outcome.Appeal) != 0 {
		t.Errorf("%+v", d.Verdicts)
	}
}

// TestAppealsWaitForTheMessage: without it there is nothing to keep. A later rule does not
// refuse in the meantime, but one before it does.
func TestAppealsWaitForTheMessage(t *testing.T) {
	from := fromRule("from", "@sender.example", open(mild...))
	listed := scan.Finding{Kind: scan.Suspicious, Scanner: "spam", Rule: "spam/dns-list", Part: scan.WholeMessage}
	for name, c := range map[string]struct {
		rules []Rule
		want  [5]string
	}{
		"alone":                       {[]Rule{from}, [5]string{"deliver", "deliver", "pending", "pending", "appeal"}},
		"before one that refuses":     {[]Rule{from, clientRule(refuse)}, [5]string{"pending", "pending", "pending", "pending", "appeal"}},
		"after one that refuses":      {[]Rule{clientRule(refuse), from}, [5]string{"reject", "reject", "reject", "reject", "reject"}},
		"for a finding about clients": {[]Rule{shipped("list", named("spam/dns-list"), open(mild...))}, [5]string{"pending", "pending", "pending", "pending", "appeal"}},
	} {
		p := mustNew(t, c.rules)
		for s := scan.StageConnect; s <= scan.StageMessage; s++ {
			in := at(s, listed)
			d := p.Decide(in)
			got := d.Answer.String()
			switch {
			case d.Appeal:
				got = "appeal"
			case d.Pending:
				got = "pending"
			}
			if want := c.want[s]; got != want && !(want == "pending" && got == "deliver") {
				t.Errorf("%s at %v: %s, want %s", name, s, got, want)
			}
			if s < scan.StageMessage && c.want[s] != "reject" && (p.Refuses(s) || p.RefusesOn([]scan.Rule{{Name: "spam/dns-list", Kind: scan.Suspicious}})) && name != "before one that refuses" {
				t.Errorf("%s at %v: it is asked for a refusal, which never comes", name, s)
			}
		}
	}
}

// TestInvitations: the link is whole, comes last, and the line is as long as one may be.
func TestInvitations(t *testing.T) {
	link := "https://" + strings.Repeat("a.", 60) + "example.com/a/06h08cfwgrgbyv96abcdefghjkm"
	for _, text := range []string{"Message refused: it looks like unsolicited mail. [06h08cfwgrgbyv96]",
		strings.Repeat("x", maxReply) + " [06h08cfwgrgbyv96]", strings.Repeat("[y] ", maxReply/4) + " [06h08cfwgrgbyv96]", "short"} {
		d := Decision{Answer: Reject, Reply: Reply{550, "5.7.1", text}}.Inviting(link)
		if line := d.Reply.String() + "\r\n"; !d.Appeal || len(line) > 512 || !strings.HasSuffix(line, " "+link+"\r\n") ||
			strings.HasSuffix(text, "]") && !strings.Contains(line, "[06h08cfwgrgbyv96]") {
			t.Errorf("%d octets: %q", len(line), line)
		}
		if len(text) < 100 && !strings.Contains(d.Reply.Text, text) {
			t.Errorf("%q was cut to %q", text, d.Reply.Text)
		}
	}
}

func TestAppealIsChecked(t *testing.T) {
	for _, o := range []Outcome{{Appeal: mild}, {Answer: Tempfail, Appeal: mild}, {Answer: Hold, Appeal: mild}, {Answer: Discard, Keep: true, Appeal: mild}} {
		if err := (Rule{Outcome: o}).Check(); err == nil || !strings.Contains(err.Error(), "appeal") {
			t.Errorf("%v: %v", o, err)
		}
	}
	if err := (Rule{Outcome: open(mild...)}).Check(); err != nil {
		t.Error(err)
	}
	for _, class := range Appealable() {
		if class == "infected" || class == "failed" {
			t.Errorf("%s is among %v", class, Appealable())
		}
	}
}
