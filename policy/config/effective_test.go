package config

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// files are a configuration of several files.
var files = map[string]string{
	"milterscan.toml": `profile = "hosting"
[limits]
time = "90s"
[local]
domains = ["Example.COM"]
[[virus]]
name = "c1"
type = "clamd"
address = "unix:/run/c1"
on_failure = "hold"
[[rule]]
name = "partners"
from = ["file:partners.txt"]
action = "deliver"
`,
	"partners.txt": "# who may\n@partner.example\n\n.partner.example # subdomains\n",
	"policy.d/20-b.toml": `[[rule]]
from = ["<>"]
tag = "{Bounce}"
`,
	"policy.d/10-a.toml": `
[[rule]]
name = "ten"
to = ["a@example.com"]
when = ["infected"]
action = "quarantine"
headers = { X-B = "2", X-A = "1" }
`,
	"policy.d/ignored.txt": "nonsense",
}

func TestRulesOfAllFilesInOrder(t *testing.T) {
	broken := strings.Replace(files["policy.d/10-a.toml"], "headers", "#", 1)
	good := map[string]string{}
	for name, text := range files {
		good[name] = text
	}
	good["policy.d/10-a.toml"] = broken
	path := write(t, good)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := c.AllRules()
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSuffix(path, "milterscan.toml")
	rules = rules[len(policy.ListRules(c.Profile, c.People.Lists.Skips)):]
	want := []string{"milterscan.toml:11 partners", "policy.d/10-a.toml:2 ten", "policy.d/20-b.toml:1 rule 3", "milterscan.toml:10 c1 on_failure", "milterscan.toml:5 relay control", ":0 hosting/check-unavailable"}
	for i, w := range want {
		ref := rules[i].Ref
		if got := strings.TrimPrefix(ref.File, dir) + strings.TrimPrefix(policy.RuleRef{File: "x", Line: ref.Line}.String(), "x"); !strings.HasPrefix(w, strings.Split(got, ": rule")[0]) || !strings.HasSuffix(w, ref.Name) {
			t.Errorf("rule %d is %v, want %s", i, ref, w)
		}
	}
	if len(rules[0].Scope.From) != 2 || rules[2].Mode != policy.Adds || rules[3].Outcome.Answer != policy.Hold {
		t.Errorf("rules %v", rules[:4])
	}
}

func TestEngineFailureIsHeldAsConfigured(t *testing.T) {
	c, err := Load(write(t, map[string]string{"milterscan.toml": files["milterscan.toml"], "partners.txt": files["partners.txt"]}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	for engine, want := range map[string]policy.Answer{"c1": policy.Hold, "c2": policy.Tempfail} {
		down := scan.Finding{Kind: scan.Failed, Scanner: "virus", Rule: scan.FailedRule("virus/" + engine), Part: scan.WholeMessage}
		in := policy.Input{Stage: scan.StageMessage, Found: []scan.Finding{down}}
		in.Envelope.Client = netip.MustParseAddrPort("192.0.2.1:25")
		if d := p.Decide(in); d.Answer != want {
			t.Errorf("%s down: %v, want %v", engine, d.Answer, want)
		}
	}
}

func TestRuleThatContradictsItselfIsRefusedAtItsPlace(t *testing.T) {
	path := write(t, files)
	_, err := Load(path)
	if err == nil || !strings.Contains(err.Error(), "policy.d/10-a.toml:2: rule[0]: a header has no effect on mail that is answered with discard") {
		t.Errorf("error %v", err)
	}
}

func TestEffectiveSaysWhereEverythingComesFrom(t *testing.T) {
	good := map[string]string{"milterscan.toml": files["milterscan.toml"], "partners.txt": files["partners.txt"]}
	path := write(t, good)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(c.Effective().String(), path, "FILE")
	var squeezed []string
	for _, line := range strings.Split(text, "\n") {
		squeezed = append(squeezed, strings.Join(strings.Fields(line), " "))
	}
	text = strings.Join(squeezed, "\n")
	for _, want := range []string{
		`profile = "hosting" # FILE:1`,
		`limits.time = "1m30s" # FILE:3`,
		`limits.message = "64MB" # default`,
		`local.domains = ["example.com"] # FILE:5`,
		`virus[0].name = "c1" # FILE:7`,
		`virus[0].feed = "auto" # default`,
		`6. "partners" (FILE:11): from @partner.example, .partner.example → deliver`,
		`7. "c1 on_failure" (FILE:10): when virus/failed/c1 → hold`,
		`profile hosting/infected: when infected → quarantine`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, text)
		}
	}
}

func TestContradictionsAndEdges(t *testing.T) {
	tests := []struct{ text, want string }{
		{"[limits]\nmessage = \"6GB\"", ":2: limits.message: a message of 6GB has no room in the spool"},
		{"[milter]\nprogress = \"10s\"", ":2: milter.progress: 10s is too seldom"},
		{"[milter]\nprogress = \"0s\"", ":2: milter.progress: there must be some time"},
		{"[milter]\nidle_timeout = \"1m\"", ":2: milter.idle_timeout: 1m is shorter"},
		{"[milter]\nlisten = []", ":2: milter.listen: no MTA could connect"},
		{"[milter]\nlisten = \"tcp:[::1]:7357\"", ":2: milter.listen: the text"},
		{"[milter]\nsocket_mode = 660", ":2: milter.socket_mode: the number 660 where text is needed; put it in quotes, such as \"0660\""},
		{"[limits]\ntime = \"40s\"\n[[virus]]\nname = \"c\"\ntype = \"clamd\"\naddress = \"unix:/c\"", ":3: virus[0].timeout: 45s for the engine is not less than limits.time, which is 40s"},
		{"[[virus]]\nname = \"c\"\ntype = \"clamd\"\naddress = \"unix:/c\"\n[[virus]]\nname = \"d\"\ntype = \"icap\"\naddress = \"icap://h/s\"\nbackup_for = \"c\"", ":1: virus[0].timeout: 1m30s for the engine and its backups is not less"},
		{"[[virus]]\nname = \"d\"\ntype = \"icap\"\naddress = \"icap://h/s\"\nbackup_for = \"c\"", ":5: virus[0].backup_for: there is no engine called \"c\""},
		{"[[virus]]\nname = \"c\"\ntype = \"clamav\"", ":3: virus[0].type: \"clamav\""},
		{"profile = \"defualt\"", `:1: profile: "defualt" is not known; did you mean "default"?`},
		{"spool = 5", ":1: spool: the number 5 where a section is needed; write [spool]"},
		{"rule = 5", ":1: rule: the number 5 where a list is needed"},
		{"version = -1", ":1: version: -1 is negative"},
		{"version = 99999999999999999999", ":1: version: "},
		{"[log]\nlevel = 1979-05-27", ":2: log.level: the date or time"},
		{"[[rule]]\naction = \"reject\"\nfrom = []", ":3: rule[0].from: the list is empty"},
		{"[attachment]\ndeny_files = [\"/nonexistent/x\"]", ":2: attachment.deny_files: the list cannot be read: stat /nonexistent/x: no such file or directory; create it"},
		{"[content]\nsafe_files = [\"/nonexistent/x\"]", ":2: content.safe_files: the list cannot be read"},
		{"[[content.list]]\nname = \"a\"\nfiles = [\"/nonexistent/x\"]", ":3: content.list[0].files: the list cannot be read"},
		{"[[content.list]]\nname = \"a\"\nfiles = [\"words\"]", ":3: content.list[0].files: \"words\" is no whole path; write one such as \"/etc/milterscan/words\""},
		{"[[virus]]\nname = \"h\"\ntype = \"hashes\"\nlists = [\"/nonexistent/x\"]", ":4: virus[0].lists: the list cannot be read"},
		{"[local]\ndomains = [\"file:/etc/domains\"]", ":2: local.domains[0]: the list cannot be read: stat /etc/domains: no such file or directory"},
		{"[local]\ndomains = [\"a.example, b.example\"]", ":2: local.domains[0]: \"a.example, b.example\" is no domain"},
		{"[[rule]]\naction = \"reject\"\nfrom = [\"file:nowhere\"]", ":3: rule[0].from[0]: the list cannot be read"},
		{"[[rule]]\nname = \"x\"", ":1: rule[0]: the rule does nothing"},
		{"[[rule]]\ncopy = [\"nobody\"]", ":2: rule[0].copy[0]: \"nobody\" is no address"},
		{"[[rule]]\naction = \"deliver\"\ndirection = [\"in\"]", ":3: rule[0].direction[0]: \"in\" is no direction"},
		{"[[rule]]\naction = \"reject\"\nreply = \"450 4.7.1 Later.\"", ":1: rule[0]: 450 is no code for reject"},
		{"[milter\n", ":2: "},
		{"a = \"\xff\"", ":1: "},
		{"version = 1\nversion = 1", ":2: "},
		{"quarantine.dir = \"here\"", ":1: quarantine.dir: \"here\" is no absolute path"},
	}
	for _, test := range tests {
		path := write(t, map[string]string{"milterscan.toml": test.text})
		_, err := Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gives\n%v\nwant one line beginning\n%s", test.text, err, path+test.want)
		}
	}
	if _, err := Load("/nowhere/milterscan.toml"); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestNetworksInFiles(t *testing.T) {
	rule := "[[rule]]\naction = \"reject\"\nclient = [\"192.0.2.1\", \"file:list\"]"
	for text, want := range map[string]string{
		"":                                  "is empty",
		"192.0.2.0/24\n192.0.2.1/24\n":      "/list:2: rule[0].client[1]: \"192.0.2.1/24\" has bits set",
		"198.51.100.0/24\n2001:db8::1 #x\n": "",
	} {
		c, err := Load(write(t, map[string]string{"milterscan.toml": rule, "list": text}))
		if want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
		if err == nil && len(c.Rules[0].compiled.Scope.Client) != 3 {
			t.Errorf("the rule is for %v", c.Rules[0].compiled.Scope.Client)
		}
	}
}

func TestListsInFiles(t *testing.T) {
	rule := "[[rule]]\naction = \"reject\"\nfrom = [\"file:list\"]"
	for text, want := range map[string]string{
		"# nothing\n":          "is empty",
		"@a.example\nb\n":      "/list:2: rule[0].from[0]: \"b\" is no address pattern",
		"@a.example\n<> # x\n": "",
	} {
		_, err := Load(write(t, map[string]string{"milterscan.toml": rule, "list": text}))
		if want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

// Mail that is delivered although an engine failed bears a mark that says so.
func TestDeliveredUnscanned(t *testing.T) {
	for onFailure, want := range map[string]string{"deliver": "not scanned ({rule})", "hold": ""} {
		path := write(t, map[string]string{"milterscan.toml": "[[virus]]\nname = \"c1\"\ntype = \"clamd\"\naddress = \"unix:/run/c1\"\non_failure = \"" + onFailure + "\"\n"})
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := c.AllRules()
		if err != nil {
			t.Fatal(err)
		}
		mark := ""
		for _, r := range rules {
			if r.Ref.Name == "c1 on_failure" && len(r.Outcome.Headers) > 0 {
				mark = r.Outcome.Headers[0].Value
			}
		}
		if mark != want {
			t.Errorf("%s: the mark is %q, not %q", onFailure, mark, want)
		}
	}
}
