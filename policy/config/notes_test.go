package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// noted are findings as scanners list them.
var noted = []scan.Rule{
	{Name: "attachment/name", Kind: scan.Forbidden}, {Name: "archive/encrypted", Kind: scan.Unscannable},
	{Name: "virus/found/x", Kind: scan.Infected}, {Name: "virus/failed/x", Kind: scan.Failed}, {Name: "virus/old", Kind: scan.Note},
	{Name: "spam/list/x", Kind: scan.Suspicious},
}

const (
	deliverAll = "[[rule]]\nname = \"all\"\naction = \"deliver\"\n"
	onScore    = "[[rule]]\nname = \"s\"\nwhen = [\"score >= 5\"]\naction = \"reject\"\n"
	isScored   = "rule: \"s\" rests on the score, to which only pages and links add here; name a [[spam.list]]"
)

func TestNotes(t *testing.T) {
	later := func(keys string) string { return deliverAll + "[[rule]]\nname = \"b\"\n" + keys }
	hidden := `:4: rule: "b" never decides: all it is for is decided by "all" at FILE:1; put it in front`
	graveOnly := `:4: rule: "b" decides about viruses and failures only: all else is delivered by "all" at FILE:1; put it in front`
	for text, want := range map[string]string{
		"": "",
		"[[rule]]\nname = \"p\"\ncountry = [\"DE\"]\naction = \"reject\"\n":                               `:1: rule: "p" never matches: no database says in which country`,
		"[[rule]]\nname = \"p\"\nasn = [64496]\naction = \"reject\"\n":                                    `:1: rule: "p" never matches: no database says in which network`,
		"[geo]\ncountry = \"/c.mmdb\"\n[[rule]]\nname = \"p\"\ncountry = [\"DE\"]\naction = \"reject\"\n": "",
		onScore: ":1: " + isScored,
		"[[rule]]\nname = \"s\"\nrequires = [\"score < 5\"]\naction = \"deliver\"\n":                                     ":1: " + isScored,
		"[[rule]]\nname = \"s\"\nunless = [\"score > 5\"]\naction = \"deliver\"\n":                                       ":1: " + isScored,
		"[spam.rspamd]\naddress = [\"unix:/run/rspamd\"]\n" + onScore:                                                    "",
		"[spam.spamassassin]\naddress = [\"tcp:127.0.0.1:783\"]\n" + onScore:                                             "",
		"[dns]\nservers = [\"127.0.0.1:53\"]\n[[spam.list]]\nname = \"x\"\nzone = \"bl.example\"\n" + onScore:            "",
		"[dns]\nservers = [\"127.0.0.1:53\"]\n[[spam.list]]\nname = \"x\"\nzone = \"bl.example\"\nscore = 0\n" + onScore: ":7: " + isScored,
		"[content]\nscores = { link-bad = 9 }\n" + onScore:                                                               "",
		"[[content.list]]\nname = \"w\"\nwords = [\"w\"]\nscore = 2\n" + onScore:                                         "",
		"[[content.list]]\nname = \"w\"\nwords = [\"w\"]\n" + onScore:                                                    ":4: " + isScored,
		"[dns]\nservers = [\"127.0.0.1:53\"]\n[auth]\nspf = true\nscores = { spf-fail = 5 }\n" + onScore:                 "",
		"[auth]\nscores = { spf-fail = 5 }\n" + onScore:                                                                  ":3: " + isScored,
		"[relay]\nhelo = true\nscores = { helo-forged = 3 }\n" + onScore:                                                 "",
		"[relay]\nscores = { helo-forged = 3 }\n" + onScore:                                                              ":3: " + isScored,
		"[spam]\nscore_header = \"X-Score\"\n":                                                                           ":2: spam.score_header: it rests on the score",
		"[greylist]\nmax_score = 5\n":                                                                                    "",
		later("action = \"reject\"\n"):                                                                                   graveOnly,
		later("tag = \"{X}\"\n"):                                                                                         graveOnly,
		later("when = [\"attachment/*\"]\naction = \"reject\"\n"):                                                        hidden,
		later("when = [\"attachment/name\", \"archive/*\"]\naction = \"reject\"\n"):                                      hidden,
		later("to = [\"a@example.com\"]\nwhen = [\"attachment/name\"]\naction = \"reject\"\n"):                           hidden,
		later("part = [\"*.exe\"]\naction = \"reject\"\n"):                                                               graveOnly,
		later("when = [\"attachment/name\", \"virus/*\"]\naction = \"reject\"\n"):                                        graveOnly,
		later("when = [\"virus/*\"]\naction = \"reject\"\n"):                                                             "",
		later("when = [\"infected\"]\naction = \"quarantine\"\n"):                                                        "",
		later("when = [\"attachment/name\"]\nobserve = true\naction = \"reject\"\n"):                                     "",
		strings.Replace(later("action = \"reject\"\n"), "deliver", "reject", 1):                                          "", // an error of Contradictions
		strings.Replace(later("action = \"reject\"\n"), "action", "from = [\"x@example.net\"]\naction", 1):               "",
		strings.Replace(later("when = [\"attachment/name\"]\naction = \"reject\"\n"), "action", "tag = \"{A}\"\n#", 1):   "",
		strings.Replace(later("action = \"reject\"\n"), "action", "part = [\"*.pdf\"]\naction", 1):                       "",
		strings.Replace(later("action = \"reject\"\n"), "action", "unless = [\"spam/list/x\"]\naction", 1):               "",
	} {
		c, file := notedConfig(t, text)
		wantNote(t, text, c.Notes(noted), file, want)
	}
}

// TestNotesOnHeldMail warns of rules that leave to the MTA what a verdict is to release.
func TestNotesOnHeldMail(t *testing.T) {
	const poll = "poll = \"https://sandbox.example/jobs/{id}\"\nid_at = \"id\"\nverdict_at = \"state\"\nclean_words = [\"clean\"]\ninfected_words = [\"bad\"]\npending_words = [\"running\"]\n"
	engine := func(keys string) string {
		return "[[virus]]\nname = \"box\"\ntype = \"http\"\naddress = \"https://sandbox.example/submit\"\n" + keys
	}
	rule := func(when, action string) string {
		return "[[rule]]\nname = \"r\"\nwhen = [\"" + when + "\"]\n" + action + "\n"
	}
	const hold = "action = \"hold\""
	for _, test := range []struct {
		text string
		line string // of the warning, "" for none
	}{
		{rule("virus/pending/box", hold) + engine(poll), ":1: "},
		{rule("virus/pending/*", hold) + engine(poll), ":1: "},
		{rule("virus/*", hold) + engine(poll), ":1: "},
		{engine(poll) + rule("failed", hold), ":11: "},
		{rule("virus/pending/box", "action = \"quarantine\"") + engine(poll), ""},
		{rule("virus/pending/box", hold+"\nobserve = true") + engine(poll), ""},
		{rule("virus/pending/other", hold) + engine(poll), ""},
		{rule("virus/failed/box", hold) + engine(poll), ""},
		{rule("infected", hold) + engine(poll), ""},
		{rule("failed", hold), ""},
	} {
		c, file := notedConfig(t, test.text)
		want := test.line
		if want != "" {
			want += `rule.action: "r" leaves mail to the MTA for which engine "box" has no verdict yet`
		}
		wantNote(t, test.text, c.heldNotes(), file, want)
	}
}

func TestNotesOnAddresses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"unix:/run/milterscan/milter.sock": "",
		"unix:" + dir + "/milter.sock":     "",
		"unix:" + dir + "/none/m.sock":     "directory " + dir + "/none does not exist",
		"unix:" + dir + "/file/m.sock":     dir + "/file is not a directory",
		"tcp:127.0.0.1:7357":               "",
		"tcp:[::1]:7357":                   "",
		"tcp:localhost:7357":               "",
		"tcp:10.1.2.3:7357":                "",
		"tcp:100.64.0.9:7357":              "",
		"tcp:[fd00::1]:7357":               "",
		"tcp:[fe80::1%eth0]:7357":          "",
		"tcp:[::ffff:10.0.0.1]:7357":       "",
		"tcp:0.0.0.0:7357":                 "tcp:0.0.0.0:7357 is every address of this host",
		"tcp:[::]:7357":                    "tcp:[::]:7357 is every address of this host",
		"tcp::7357":                        "tcp::7357 is every address of this host",
		"tcp:[::ffff:0.0.0.0]:7357":        "tcp:[::ffff:0.0.0.0]:7357 is every address of this host",
		"tcp:203.0.113.9:7357":             "tcp:203.0.113.9:7357 is a public address",
		"tcp:[2001:db8::1]:7357":           "tcp:[2001:db8::1]:7357 is a public address",
	} {
		text := "[milter]\nlisten = [\"tcp:127.0.0.1:1\", \"" + address + "\"]\n"
		c, file := notedConfig(t, text)
		if want != "" {
			want = ":2: milter.listen[1]: " + want
		}
		wantNote(t, text, c.Notes(noted), file, want)
	}
}

// TestNotesOnDomains: what the host delivers altogether, domains do not decide.
func TestNotesOnDomains(t *testing.T) {
	path := write(t, map[string]string{
		"milterscan.toml":            "[per_domain]\ndir = \"domains.d\"\nfindings = [\"attachment/*\"]\nactions = [\"reject\"]\nkeys = [\"when\", \"action\"]\n" + deliverAll,
		"domains.d/example.com.toml": "[[rule]]\nwhen = [\"attachment/name\"]\naction = \"reject\"\n",
	})
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	domain := filepath.Join(filepath.Dir(path), "domains.d", "example.com.toml")
	wantNote(t, "a domain's rule", c.Notes(noted), domain, `:1: rule: "example.com: rule 2" never decides: all it is for is decided by "all" at `+path+`:6`)
}

// notedConfig loads a configuration, and returns the name of its file.
func notedConfig(t *testing.T, text string) (*Config, string) {
	t.Helper()
	path := write(t, map[string]string{"milterscan.toml": text})
	c, err := Load(path)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c, path
}

// wantNote wants one note that begins with want after the file's name, or none.
func wantNote(t *testing.T, text string, notes Problems, file, want string) {
	t.Helper()
	want = strings.ReplaceAll(want, "FILE", file)
	if want == "" && len(notes) == 0 || want != "" && len(notes) == 1 && strings.HasPrefix(notes[0].String(), file+want) {
		return
	}
	t.Errorf("%s\nnotes\n%v\nwant %q", text, notes, want)
}
