package policy

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// offer is a mail with a document in an archive, something found in the document,
// and a picture.
func offer(to string) Input {
	in := inbound()
	in.Envelope.Recipients = []string{to}
	in.Parts = []scan.Part{
		{Parent: -1, Path: "1", Names: []string{"files.zip"}, Type: "application/zip"},
		{Parent: 0, Path: "1/offer.docx", Names: []string{"offer.docx"}, Archived: true},
		{Parent: 1, Path: "1/offer.docx/word/_rels/settings.xml.rels", Names: []string{"word/_rels/settings.xml.rels"}, Archived: true},
		{Parent: -1, Path: "2", Names: []string{"a.png"}, Type: "image/png", Sniffed: "image/png"},
	}
	in.Found = []scan.Finding{{Kind: scan.Suspicious, Scanner: "attachment", Rule: "attachment/remote-template", Part: 2}}
	return in
}

// TestPartsByName holds rules for parts against a mail: by name and type alone, and
// with a finding in a part of the part.
func TestPartsByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		to    string
		when  []Condition
		parts []string
		want  bool
	}{
		{"by name", "a@ours.example", nil, []string{"*.docx"}, true},
		{"by name, upper case", "a@ours.example", nil, []string{"*.DOCX"}, true},
		{"by name, for another domain", "a@else.example", nil, []string{"*.docx"}, false},
		{"by name, not there", "a@ours.example", nil, []string{"*.xlsx"}, false},
		{"by type", "a@ours.example", nil, []string{"image/*"}, true},
		{"the archive", "a@ours.example", nil, []string{"files.zip"}, true},
		{"a finding in the document", "a@ours.example", named("attachment/remote-template"), []string{"*.docx"}, true},
		{"a finding in the archive", "a@ours.example", named("attachment/*"), []string{"*.zip"}, true},
		{"no such finding in it", "a@ours.example", named("virus/*"), []string{"*.docx"}, false},
		{"the finding is in another part", "a@ours.example", named("attachment/*"), []string{"*.png"}, false},
	} {
		r := Rule{Ref: RuleRef{Name: "own"}, Scope: Scope{To: []AddressPattern{pattern("@ours.example")}}, Grounds: Grounds{When: c.when, Part: c.parts}, Outcome: refuse}
		p := mustNew(t, []Rule{r})
		in := offer(c.to)
		in.Found = append(in.Found, p.Named(in.Envelope, in.Parts)...)
		if d := p.Decide(in); (d.Answer == Reject) != c.want {
			t.Errorf("%s: %v", c.name, d.Answer)
		}
	}
}

// TestRepliesNameWhatPeopleKnow has the document named, not a file inside it.
func TestRepliesNameWhatPeopleKnow(t *testing.T) {
	p := mustNew(t, []Rule{{Ref: RuleRef{Name: "own"}, Grounds: Grounds{When: named("attachment/*")}, Outcome: refuse}})
	in := offer("a@ours.example")
	if d := p.Decide(in); !strings.Contains(d.Reply.Text, `the file "offer.docx" in attachment "files.zip"`) || strings.Contains(d.Reply.Text, "rels") {
		t.Errorf("%q", d.Reply.Text)
	}
	in.Parts[1].Parent, in.Parts[1].Archived = -1, false
	if d := p.Decide(in); !strings.Contains(d.Reply.Text, `attachment "offer.docx"`) || strings.Contains(d.Reply.Text, "the file") {
		t.Errorf("%q", d.Reply.Text)
	}
}

// TestRulesThatCannotDoWhatTheySay are refused.
func TestRulesThatCannotDoWhatTheySay(t *testing.T) {
	score := []Condition{ScoreAtLeast(5)}
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Grounds: Grounds{When: score}, Outcome: Outcome{Edit: Simplify}}, "a score is about none"},
		{Rule{Grounds: Grounds{When: score, Part: []string{"*.docx"}}, Outcome: refuse}, "a score is about none"},
		{Rule{Outcome: Outcome{Edit: Replace}}, "needs to know of which part"},
		{Rule{Grounds: Grounds{When: named("content/*"), Requires: score}, Outcome: Outcome{Edit: Simplify}}, ""},
		{Rule{Grounds: Grounds{Part: []string{"*.docx"}}, Outcome: Outcome{Edit: Replace}}, ""},
		{Rule{Grounds: Grounds{When: score}, Outcome: refuse}, ""},
	} {
		err := c.rule.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.rule, err, c.want)
		}
	}
}

// TestPartsThatDeliver takes a rule that lets parts through by their name for one
// about harmless parts: a virus, or a scanner that did not answer, it does not name.
func TestPartsThatDeliver(t *testing.T) {
	p := mustNew(t, []Rule{
		{Ref: RuleRef{Name: "documents"}, Grounds: Grounds{Part: []string{"*.docx"}}},
		{Ref: RuleRef{Name: "rest"}, Grounds: Grounds{When: []Condition{OfKind(scan.Infected), OfKind(scan.Failed), OfKind(scan.Suspicious)}}, Outcome: refuse},
	})
	for kind, want := range map[scan.Kind]Answer{scan.Infected: Reject, scan.Failed: Reject, scan.Suspicious: Deliver} {
		in := offer("a@ours.example")
		in.Found = []scan.Finding{{Kind: kind, Rule: "any/rule", Part: 1}}
		if d := p.Decide(in); d.Answer != want {
			t.Errorf("%s: %v, want %v", kind, d.Answer, want)
		}
	}
}
