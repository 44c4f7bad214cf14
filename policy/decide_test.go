package policy

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Findings the tests use, by a short name.
var finds = map[string]scan.Finding{
	"virus":     {Kind: scan.Infected, Scanner: "virus", Rule: "virus/Eicar-Test-Signature", Part: 1, Detail: "stream: Eicar-Test-Signature FOUND"},
	"down":      {Kind: scan.Failed, Scanner: "virus", Rule: "virus/failed/clam2", Part: scan.WholeMessage, Detail: "connection refused"},
	"spam-down": {Kind: scan.Failed, Scanner: "spam", Rule: "spam/failed", Part: scan.WholeMessage},
	"exe":       {Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/name", Part: 1},
	"inner-exe": {Kind: scan.Forbidden, Scanner: "attachment", Rule: "attachment/member-name", Part: 3},
	"locked":    {Kind: scan.Unscannable, Scanner: "archive", Rule: "archive/encrypted-member", Part: 2},
	"bomb":      {Kind: scan.Unscannable, Scanner: "archive", Rule: "archive/ratio", Part: 2},
	"damaged":   {Kind: scan.Unscannable, Scanner: "archive", Rule: "archive/damaged-container", Part: 2},
	"ambiguous": {Kind: scan.Ambiguous, Scanner: "mime", Rule: "mime/duplicate-content-type", Part: 0},
	"untidy":    {Kind: scan.Malformed, Scanner: "mime", Rule: "mime/stray-byte", Part: 0},
	"spam":      {Kind: scan.Note, Scanner: "spam", Rule: "spam/list", Part: scan.WholeMessage, Score: 6},
	"macro":     {Kind: scan.Suspicious, Scanner: "attachment", Rule: "attachment/macro-name", Part: 1},
	"autorun":   {Kind: scan.Suspicious, Scanner: "attachment", Rule: "attachment/macro-autorun", Part: 1},
	"piece":     {Kind: scan.Suspicious, Scanner: "mime", Rule: "mime/partial", Part: 0},
}

// parts are those the findings point at.
var parts = []scan.Part{
	{Parent: -1, Path: "1", Type: "text/plain"},
	{Parent: -1, Path: "2", Names: []string{"invoice.pdf.exe"}},
	{Parent: -1, Path: "3", Names: []string{"docs.zip"}},
	{Parent: 2, Path: "3/\"set\"\x00up.exe", Names: []string{"\"set\"\x00up.exe"}, Archived: true},
}

func found(names ...string) []scan.Finding {
	var list []scan.Finding
	for _, n := range names {
		f, ok := finds[n]
		if !ok {
			panic("no finding " + n)
		}
		list = append(list, f)
	}
	return list
}

// inbound is a complete message from elsewhere with these findings.
func inbound(names ...string) Input {
	return Input{
		ID: "id1", Stage: scan.StageMessage, Size: 5000, Parts: parts, Found: found(names...),
		Envelope: scan.Envelope{Client: netip.MustParseAddrPort("192.0.2.7:25"), Sender: "eve@sender.example", Recipients: []string{"a@ours.example"}},
		Header:   entity.Header{Fields: []entity.Field{{Name: "From", Value: " Eve <eve@sender.example>"}}},
	}
}

func outbound(names ...string) Input {
	in := inbound(names...)
	in.Envelope.AuthUser, in.Envelope.Sender, in.Envelope.Recipients = "joe", "joe@ours.example", []string{"x@else.example"}
	return in
}

var ours = Local{Domains: []Domain{"ours.example"}}

func mustNew(t testing.TB, rules []Rule) *Policy {
	t.Helper()
	p, err := New(rules, ours)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func profile(t testing.TB, name string, before ...Rule) *Policy {
	t.Helper()
	rules, err := Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	return mustNew(t, append(before, rules...))
}

func pattern(s string) AddressPattern {
	p, err := ParseAddressPattern(s)
	if err != nil {
		panic(err)
	}
	return p
}

func fromRule(name, from string, o Outcome) Rule {
	return Rule{Ref: RuleRef{Name: name}, Scope: Scope{From: []AddressPattern{pattern(from)}}, Outcome: o}
}

func toRule(name, to string, o Outcome) Rule {
	return Rule{Ref: RuleRef{Name: name}, Scope: Scope{To: []AddressPattern{pattern(to)}}, Outcome: o}
}

// header is what the profiles mark mail with.
func header(d Decision) string {
	var values []string
	for _, h := range d.Headers {
		values = append(values, h.Value)
	}
	return strings.Join(values, " ")
}

func TestProfiles(t *testing.T) {
	tests := []struct {
		found                              string
		normal, hosting, tagOnly, strictly string // action, then the header added
	}{
		{"", "deliver", "deliver", "deliver", "deliver"},
		{"untidy", "deliver", "deliver", "deliver", "deliver"},
		{"virus", "reject", "quarantine", "reject", "reject"},
		{"down", "tempfail", "tempfail", "tempfail", "tempfail"},
		{"virus down", "reject", "quarantine", "reject", "reject"},
		{"spam-down", "deliver", "deliver", "deliver", "deliver"},
		{"exe", "reject", "reject", "deliver attachment/name", "reject"},
		{"exe down", "reject", "reject", "tempfail", "reject"},
		{"inner-exe", "reject", "deliver", "deliver attachment/member-name", "reject"},
		{"inner-exe locked", "reject", "reject", "deliver attachment/member-name archive/encrypted-member", "reject"},
		{"locked", "reject", "deliver archive/encrypted-member", "deliver archive/encrypted-member", "reject"},
		{"damaged", "deliver archive/damaged-container", "deliver archive/damaged-container", "deliver archive/damaged-container", "reject"},
		{"bomb", "reject", "reject", "deliver archive/ratio", "reject"},
		{"ambiguous", "deliver mime/duplicate-content-type", "deliver mime/duplicate-content-type", "deliver mime/duplicate-content-type", "reject"},
		{"macro", "deliver attachment/macro-name", "deliver attachment/macro-name", "deliver attachment/macro-name", "reject"},
		{"autorun", "reject", "deliver attachment/macro-autorun", "deliver attachment/macro-autorun", "reject"},
		{"piece", "reject", "reject", "deliver mime/partial", "reject"},
		{"macro ambiguous untidy", "deliver attachment/macro-name mime/duplicate-content-type", "deliver attachment/macro-name mime/duplicate-content-type",
			"deliver attachment/macro-name mime/duplicate-content-type", "reject"},
	}
	for _, test := range tests {
		for name, want := range map[string]string{
			ProfileDefault: test.normal, ProfileHosting: test.hosting, ProfileTagOnly: test.tagOnly, ProfileStrict: test.strictly,
		} {
			d := profile(t, name).Decide(inbound(strings.Fields(test.found)...))
			got := strings.TrimSpace(d.Action() + " " + header(d))
			if got != want {
				t.Errorf("%s, %q: %s, want %s", name, test.found, got, want)
			}
		}
	}
}

func TestProfilesOutbound(t *testing.T) {
	tests := []struct{ found, normal, hosting string }{
		{"virus", "reject", "reject"},
		{"locked", "deliver", "deliver"},
		{"exe", "reject", "reject"},
	}
	for _, test := range tests {
		for name, want := range map[string]string{ProfileDefault: test.normal, ProfileHosting: test.hosting} {
			if d := profile(t, name).Decide(outbound(test.found)); d.Action() != want {
				t.Errorf("%s, %q: %s, want %s", name, test.found, d.Action(), want)
			}
		}
	}
}

func TestReplies(t *testing.T) {
	tests := []struct{ found, want string }{
		{"virus", "550 5.7.1 Message refused: it contains a virus. [id1]"},
		{"virus exe spam", "550 5.7.1 Message refused: it contains a virus. [id1]"},
		{"exe", `550 5.7.1 Message refused: attachment "invoice.pdf.exe" is of a kind that is not accepted. [id1]`},
		{"inner-exe", `550 5.7.1 Message refused: the file "'set'?up.exe" in attachment "docs.zip" is of a kind that is not accepted. [id1]`},
		{"bomb", `554 5.6.0 Message refused: attachment "docs.zip" cannot be examined within the limits of this server. [id1]`},
		{"locked", `550 5.7.1 Message refused: attachment "docs.zip" is protected by a password and cannot be examined; please send it without one, or agree with the recipient on another way. [id1]`},
		{"piece", "554 5.6.1 Message refused: it is only a piece of a message. [id1]"},
		{"down", "451 4.3.0 The message could not be examined now; please try again later. [id1]"},
		{"macro", ""},
	}
	p := profile(t, ProfileDefault)
	for _, test := range tests {
		if got := p.Decide(inbound(strings.Fields(test.found)...)).Reply.String(); got != test.want {
			t.Errorf("%s:\n%s, want\n%s", test.found, got, test.want)
		}
	}
}

func TestReplyTellsNoSecrets(t *testing.T) {
	block := fromRule("competitor list", "@sender.example", refuse)
	for name, f := range finds {
		r := profile(t, ProfileStrict, block).Decide(inbound(name)).Reply.String()
		for _, secret := range []string{f.Rule, f.Detail, "Eicar", "clam2", "competitor", "strict"} {
			if secret != "" && strings.Contains(r, secret) {
				t.Errorf("%s: the reply tells %q: %s", name, secret, r)
			}
		}
		if len(r) > 500 || strings.ContainsFunc(r, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: the reply is no line of printable ASCII: %q", name, r)
		}
	}
}

func TestLongNameInReply(t *testing.T) {
	in := inbound("exe")
	in.Parts = slices.Clone(in.Parts)
	in.Parts[1].Names = []string{strings.Repeat("ü \t", 50) + strings.Repeat("x", 5000)}
	r := profile(t, ProfileDefault).Decide(in).Reply
	name := strings.Split(r.Text, `"`)[1]
	if len(name) > 60 || strings.Trim(name, "?x ") != "" || strings.Contains(name, "  ") {
		t.Errorf("the name in the reply is %q", name)
	}
}

func TestOwnReply(t *testing.T) {
	o := Outcome{Answer: Reject, Reply: Reply{554, "5.7.0", "Talk to us first."}}
	d := profile(t, ProfileDefault, fromRule("own", "@sender.example", o)).Decide(inbound())
	if got, want := d.Reply.String(), "554 5.7.0 Talk to us first. [id1]"; got != want {
		t.Errorf("reply %q, want %q", got, want)
	}
	d = profile(t, ProfileDefault, fromRule("own", "@sender.example", o)).Decide(inbound("virus"))
	if d.Verdicts[0].Rule.Name != "own" {
		t.Errorf("a blocked sender's virus is refused by %v", d.Verdicts[0].Rule)
	}
}

func TestAllowRuleLetsNoVirusThrough(t *testing.T) {
	p := profile(t, ProfileDefault, fromRule("partner", "@sender.example", deliver))
	for name, want := range map[string]Answer{
		"exe": Deliver, "locked": Deliver, "bomb": Deliver, "virus": Reject, "down": Tempfail, "spam-down": Deliver,
	} {
		d := p.Decide(inbound(name))
		if d.Answer != want {
			t.Errorf("%s from an allowed sender: %v, want %v", name, d.Answer, want)
		}
	}
	d := p.Decide(inbound("exe", "virus", "spam"))
	v := d.Verdicts[0]
	if d.Answer != Reject || v.Because != 1 || v.Rule.Name != "default/infected" {
		t.Errorf("virus, name and spam from an allowed sender: %v because of %d by %v", d.Answer, v.Because, v.Rule)
	}
	for i := range 3 {
		if !slices.ContainsFunc(v.Matches, func(m Match) bool { return m.Finding == i && m.Decides }) {
			t.Errorf("no reason is given for finding %d", i)
		}
	}
	named := fromRule("researcher", "@sender.example", deliver)
	named.Grounds.When = kind(scan.Infected)
	if d := profile(t, ProfileDefault, named).Decide(inbound("virus")); d.Answer != Deliver {
		t.Errorf("a rule that names viruses gives %v", d.Answer)
	}
}

func TestAllowRuleAndForgedFrom(t *testing.T) {
	allow := Rule{Ref: RuleRef{Name: "boss"}, Scope: Scope{HeaderFrom: []AddressPattern{pattern("boss@ours.example")}}}
	block := Rule{Ref: RuleRef{Name: "block"}, Scope: allow.Scope, Outcome: refuse}
	tests := []struct {
		from            []string
		allowed, blocks Answer
	}{
		{[]string{"The Boss <Boss@Ours.Example>"}, Deliver, Reject},
		{[]string{"boss@ours.example, eve@sender.example"}, Reject, Reject},
		{[]string{"boss@ours.example", "eve@sender.example"}, Reject, Reject},
		{[]string{"\"boss@ours.example\" <eve@sender.example>"}, Reject, Reject},
		{[]string{"(boss@ours.example)"}, Deliver, Reject},
		{[]string{"eve@sender.example"}, Reject, Deliver},
		{nil, Reject, Deliver},
	}
	for _, test := range tests {
		in := inbound("exe")
		in.Header = entity.Header{}
		for _, v := range test.from {
			in.Header.Fields = append(in.Header.Fields, entity.Field{Name: "FROM ", Value: v})
		}
		if d := profile(t, ProfileDefault, allow).Decide(in); d.Answer != test.allowed {
			t.Errorf("%q: an allow rule gives %v, want %v", test.from, d.Answer, test.allowed)
		}
		in.Found = nil
		if d := profile(t, ProfileDefault, block).Decide(in); d.Answer != test.blocks {
			t.Errorf("%q: a block rule gives %v, want %v", test.from, d.Answer, test.blocks)
		}
	}
}

func TestDirections(t *testing.T) {
	joe := scan.Envelope{AuthUser: "joe", Recipients: []string{"x@else.example", "B@OURS.example"}}
	eve := scan.Envelope{Sender: "boss@ours.example", Recipients: joe.Recipients}
	printer := scan.Envelope{Client: netip.MustParseAddrPort("[::ffff:198.51.100.9]:1"), Recipients: joe.Recipients}
	local := Local{Domains: []Domain{"ours.example"}, Networks: []Network{{netip.MustParsePrefix("198.51.100.0/24")}}}
	tests := []struct {
		name  string
		env   scan.Envelope
		local Local
		want  []Directions
	}{
		{"authenticated", joe, local, []Directions{Outbound, Internal}},
		{"own network", printer, local, []Directions{Outbound, Internal}},
		{"own sender address from elsewhere", eve, local, []Directions{Relayed, Inbound}},
		{"nothing configured", printer, Local{}, []Directions{Inbound, Inbound}},
		{"nothing configured, authenticated", joe, Local{}, []Directions{Outbound, Outbound}},
	}
	for _, test := range tests {
		p, err := New(nil, test.local)
		if err != nil {
			t.Fatal(err)
		}
		f := p.facts(&Input{Stage: scan.StageMessage, Envelope: test.env})
		var got []Directions
		for _, to := range f.recipients() {
			got = append(got, f.directions(to))
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	tests := []struct {
		name    string
		scope   Scope
		grounds Grounds
		found   string
		want    bool
	}{
		{"anything", Scope{}, Grounds{}, "", true},
		{"client", Scope{Client: []Network{{netip.MustParsePrefix("192.0.2.0/24")}}}, Grounds{}, "", true},
		{"other client", Scope{Client: []Network{{netip.MustParsePrefix("192.0.3.0/24")}}}, Grounds{}, "", false},
		{"login", Scope{Auth: []Login{"*"}}, Grounds{}, "", false},
		{"no login", Scope{Auth: []Login{NoLogin}}, Grounds{}, "", true},
		{"size", Scope{Size: SizeRange{Min: 5000, Max: 5000}}, Grounds{}, "", true},
		{"too small", Scope{Size: SizeRange{Min: 5001}}, Grounds{}, "", false},
		{"too large", Scope{Size: SizeRange{Max: 4999}}, Grounds{}, "", false},
		{"kind", Scope{}, Grounds{When: kind(scan.Note)}, "spam", true},
		{"name", Scope{}, Grounds{When: named("spam/*")}, "spam", true},
		{"other name", Scope{}, Grounds{When: named("spam")}, "spam", false},
		{"score", Scope{}, Grounds{When: []Condition{{compare: ">=", limit: 6}}}, "spam", true},
		{"score is added up", Scope{}, Grounds{When: []Condition{{compare: ">", limit: 11}}}, "spam spam", true},
		{"low score", Scope{}, Grounds{When: []Condition{{compare: ">", limit: 6}}}, "spam", false},
		{"part by name", Scope{}, Grounds{Part: []string{"*.EXE"}}, "macro", true},
		{"part by path", Scope{}, Grounds{Part: []string{"2"}}, "macro", true},
		{"other part", Scope{}, Grounds{Part: []string{"*.zip"}}, "macro", false},
		{"no part", Scope{}, Grounds{Part: []string{"*"}}, "spam", false},
		{"name and part", Scope{}, Grounds{When: named("attachment/macro-name"), Part: []string{"*.exe"}}, "macro damaged", true},
		{"name and other part", Scope{}, Grounds{When: named("attachment/macro-name"), Part: []string{"*.zip"}}, "macro damaged", false},
		{"requires", Scope{}, Grounds{Requires: named("spam/*", "archive/*")}, "spam damaged", true},
		{"requires more", Scope{}, Grounds{Requires: named("spam/*", "archive/*")}, "spam", false},
		{"unless", Scope{}, Grounds{When: named("spam/*"), Unless: named("archive/*")}, "spam damaged", false},
		{"unless it is not there", Scope{}, Grounds{When: named("spam/*"), Unless: named("archive/*")}, "spam", true},
		{"unless by score", Scope{}, Grounds{Unless: []Condition{{compare: "<", limit: 5}}}, "", false},
	}
	for _, test := range tests {
		p := mustNew(t, []Rule{{Scope: test.scope, Grounds: test.grounds, Outcome: Outcome{Answer: Hold}}})
		if got := p.Decide(inbound(strings.Fields(test.found)...)).Answer == Hold; got != test.want {
			t.Errorf("%s: matches = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestModes(t *testing.T) {
	watch := fromRule("watch", "@sender.example", refuse)
	watch.Mode = Watches
	add := fromRule("add", "@sender.example", Outcome{Tag: "{Ext}", Add: []string{"archive@ours.example"}})
	add.Mode = Adds
	d := profile(t, ProfileDefault, watch, add).Decide(inbound("macro"))
	if d.Answer != Deliver || d.Tag != "{Ext}" || !slices.Equal(d.Add, []string{"archive@ours.example"}) || header(d) != "attachment/macro-name" {
		t.Errorf("decision %+v", d)
	}
	var observed int
	for _, m := range d.Verdicts[0].Matches {
		if m.Observed {
			observed++
		}
		if m.Decides && m.Rule.Name != "default/suspicious" && m.Rule.Name != "default/macro-name" {
			t.Errorf("%v decides", m.Rule)
		}
	}
	if observed != 2 {
		t.Errorf("observed %d times, want for the message and its finding", observed)
	}
}

func TestEditsAndElse(t *testing.T) {
	rules := []Rule{
		shipped("clean", named("attachment/name"), Outcome{Edit: Clean, Else: &quarantine}),
		shipped("replace", kind(scan.Infected), Outcome{Edit: Replace}),
		shipped("rename", named("attachment/m*"), Outcome{Edit: Rename, Else: &Outcome{Tag: "{!}"}}),
	}
	p := mustNew(t, rules)
	d := p.Decide(inbound("exe", "virus", "inner-exe"))
	want := []Edit{{Replace, 1, RuleRef{Name: "replace"}, []int{1}}, {Rename, 3, RuleRef{Name: "rename"}, []int{2}}}
	if !reflect.DeepEqual(d.Edits, want) || d.Answer != Deliver {
		t.Errorf("%v with %v, want %v", d.Answer, d.Edits, want)
	}
	tests := []struct {
		fixed []int
		found string
		want  string
	}{
		{[]int{1}, "exe", "quarantine"},
		{[]int{scan.WholeMessage}, "exe", "quarantine"},
		{[]int{3}, "exe", "deliver"},
		{[]int{1}, "exe virus", "reject"},
		{[]int{3}, "inner-exe", "deliver"},
	}
	for _, test := range tests {
		in := inbound(strings.Fields(test.found)...)
		in.Fixed = test.fixed
		if d := p.Decide(in); d.Action() != test.want {
			t.Errorf("%s with %v fixed: %s, want %s", test.found, test.fixed, d.Action(), test.want)
		}
	}
	in := inbound("inner-exe")
	in.Fixed = []int{3}
	if d := p.Decide(in); d.Tag != "{!}" || len(d.Edits) > 0 {
		t.Errorf("else gives %+v", d)
	}
}

func TestCheckRefusesContradictions(t *testing.T) {
	tests := []struct {
		rule Rule
		want string
	}{
		{Rule{Outcome: Outcome{Answer: Reject, Tag: "x"}}, "a tag has no effect"},
		{Rule{Outcome: Outcome{Answer: Discard, Add: []string{"a@b"}}}, "another recipient has no effect"},
		{Rule{Outcome: Outcome{Answer: Tempfail, Keep: true}}, "keeping a copy has no effect"},
		{Rule{Outcome: Outcome{Edit: Clean}}, "which part"},
		{Rule{Grounds: Grounds{Part: []string{"*"}}, Outcome: Outcome{Edit: Clean, Else: &disarmed}}, "no other can"},
		{Rule{Outcome: Outcome{Else: &refuse}}, "else is for edits"},
		{Rule{Outcome: refuse, Mode: Adds}, "only adds"},
		{Rule{Outcome: Outcome{Answer: Reject, Reply: Reply{451, "4.7.1", "x"}}}, "no code for reject"},
		{Rule{Outcome: Outcome{Answer: Tempfail, Reply: Reply{451, "5.7.1", "x"}}}, "does not go with 451"},
		{Rule{Outcome: Outcome{Answer: Reject, Reply: Reply{550, "5.7.1", "a\nb"}}}, "printable"},
		{Rule{Outcome: Outcome{Reply: Reply{550, "5.7.1", "x"}}}, "not with deliver"},
		{Rule{Outcome: Outcome{Headers: []HeaderField{{"a b", ""}}}}, "no name of a header field"},
		{Rule{Outcome: Outcome{Headers: []HeaderField{{"A", "b\r\nc"}}}}, "one line"},
		{Rule{Outcome: Outcome{Answer: 9}}, "no answer"},
		{Rule{Scope: Scope{Size: SizeRange{Min: 2, Max: 1}}}, "no size"},
	}
	for _, test := range tests {
		_, err := New([]Rule{test.rule}, Local{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: error %v, want one with %q", test.rule, err, test.want)
		}
	}
}
