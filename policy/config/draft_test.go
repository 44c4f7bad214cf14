package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// drafting writes a house and returns its file, and what reads a draft for it.
func drafting(t *testing.T) (file string, read func(text string) (*Config, []string, error)) {
	file = filepath.Join(housed(t), "milterscan.toml")
	return file, func(text string) (*Config, []string, error) {
		return Draft(file, strings.ReplaceAll(text, "DIR", filepath.Dir(file)))
	}
}

// TestDraftTakesRules has the rules of a draft, and those in files next to the one in force.
func TestDraftTakesRules(t *testing.T) {
	file, read := drafting(t)
	force, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	c, aside, err := read("profile = \"strict\"\n[attachment]\ndeny = [\"abc\"]\ndeny_files = [\"DIR/lists/denied\"]\n" +
		"[log]\nlevel = \"debug\"\n[[rule]]\nname = \"new\"\nto = [\"file:lists/senders\"]\naction = \"hold\"\n")
	if err != nil || !slices.Equal(aside, []string{"bounce", "content", "log", "per_domain", "virus"}) {
		t.Fatal(err, aside)
	}
	var names []string
	for _, r := range c.Rules {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{"new", "own"}) || c.Profile != "strict" || len(c.Attachment.Deny) != 1 {
		t.Errorf("%q %s %v", names, c.Profile, c.Attachment.Deny)
	}
	if !reflect.DeepEqual(c.Virus, force.Virus) || c.Bounce.Keys != force.Bounce.Keys || c.PerDomain.Dir != force.PerDomain.Dir {
		t.Errorf("%+v %+v", c.Virus, c.Bounce)
	}
	if c.Content.Lists == nil || len(c.Content.Lists) != 1 {
		t.Error("a section that the draft lacks is not the one in force")
	}
	text, _ := os.ReadFile(file)
	if _, aside, err := read("[[rule]]\nname = \"new\"\nfrom = [\"<>\"]\naction = \"hold\"\n"); err != nil || len(aside) > 0 {
		t.Errorf("some rules: %v, %q", err, aside)
	}
	if _, aside, err := read(string(text)); err != nil || len(aside) > 0 {
		t.Errorf("the file itself: %v, %q", err, aside)
	}
}

// TestDraftReadsNothingElse names what a person of the console could have run, asked or read: none of it is in the
// configuration, and of files that the one in force does not name no word is told.
func TestDraftReadsNothingElse(t *testing.T) {
	file, read := drafting(t)
	force, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("hush hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// What decides about a draft by itself is listed here, and has no file, program, socket or host in it but those that
	// are tried below: a further section is the administrator's of the host until it is in this list, too.
	if !slices.Equal(drafted, []string{"version", "profile", "local", "limits", "attachment", "document", "content", "edit", "rule"}) {
		t.Error(drafted)
	}
	for _, text := range []string{
		"[[virus]]\ntype = \"command\"\nname = \"mine\"\ncommand = [\"/bin/sh\", \"-c\", \"touch DIR/made\"]\nclean = [0]\ninfected = [1]\n",
		"[[virus]]\ntype = \"clamd\"\nname = \"mine\"\naddress = [\"tcp:192.0.2.1:3310\"]\n", "[quarantine]\ndir = \"/root\"\n", "[replay]\ndir = \"/root\"\n",
		"[history]\nfile = \"/root/x\"\n", "[people]\nfile = \"DIR/secret\"\n", "[geo]\ncountry = \"DIR/secret\"\n", "[store]\nurl = \"postgres://192.0.2.1/x\"\n",
		"[[feed]]\nname = \"x\"\nurl = \"https://192.0.2.1/\"\n", "[bounce]\nkeys = \"DIR/secret\"\n", "[spool]\ndir = \"/root\"\n", "feed_dir = \"/root\"\n",
		"[per_domain]\ndir = \"/root\"\n", "[[test]]\nfile = \"DIR/secret\"\n", "[log]\noutput = \"DIR/made\"\n", "[spam.spamassassin]\naddress = \"tcp:192.0.2.1:783\"\n",
		"[console]\nfile = \"DIR/made\"\n", "[dns]\nservers = [\"192.0.2.1\"]\n", "[mta_log]\nfile = \"DIR/secret\"\n",
	} {
		c, _, err := read(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, key := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
			if name := keyOf(key); name == "" || slices.Contains(drafted, name) || name == "test" {
				continue
			}
			if a, b := reflect.ValueOf(*c).FieldByIndex(key.Index), reflect.ValueOf(*force).FieldByIndex(key.Index); !reflect.DeepEqual(a.Interface(), b.Interface()) {
				t.Errorf("%s: %s is %+v", text, key.Name, a)
			}
		}
	}
	for _, text := range []string{
		"[[rule]]\nfrom = [\"file:DIR/secret\"]\naction = \"hold\"\n", "[[rule]]\nfrom = [\"a@example.net\", \"file:../../../../../../etc/passwd\"]\naction = \"hold\"\n",
		"[[rule]]\nclient = [\"file:DIR/lists/senders\"]\naction = \"hold\"\n", "[[rule]]\nto = [\"file:DIR/lists/words\"]\naction = \"hold\"\n",
		"[local]\ndomains = [\"file:DIR/secret\"]\n", "[local]\nnetworks = [\"file:DIR/lists/senders\"]\n", "[attachment]\ndeny_files = [\"DIR/lists/words\"]\n",
		"[content]\nsafe_files = [\"/etc/hostname\"]\n", "[content]\nname_files = [\"DIR/secret\"]\n", "[[content.list]]\nname = \"x\"\nfiles = [\"DIR/lists/../secret\"]\n",
		"[[content.list]]\nname = \"x\"\nfiles = [\"DIR/lists/denied\"]\n", "[[rule]]\nnot_to = [\"file:DIR/lists/keys\"]\naction = \"hold\"\n",
	} {
		_, _, err := read(text)
		if err == nil || !strings.Contains(err.Error(), "the configuration in force names no such file there") || strings.Contains(err.Error(), "hush") ||
			strings.Count(err.Error(), "\n") > 1 {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "made")); err == nil {
		t.Error("something was run, or written")
	}
}

// TestDraftWithMistakes names them by line, those in sections that are not taken left out.
func TestDraftWithMistakes(t *testing.T) {
	file, read := drafting(t)
	for text, want := range map[string]string{
		"\n[[rule]]\nactoin = \"hold\"\n": "3: rule[0].actoin: there is no such key", "[rulez]\n": "rulez: there is no such key",
		"x = [": "draft:1", "[limits]\nparts = \"many\"\n": "2: limits.parts", strings.Repeat("#", MostDraft+1): "it is larger than",
		"[[rule]]\nname = \"own\"\naction = \"hold\"\nfrom = [\"a@example.net\"]\n": `"own" is the name of the rule at`,
	} {
		_, _, err := read(text)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), filepath.Dir(file)+"/", ""), want) {
			t.Errorf("%.40q: %v, without %q", text, err, want)
		}
	}
	if DraftFile(file, filepath.Join(filepath.Dir(file), DraftName)) != "draft" || DraftFile(file, file) != file {
		t.Error("the draft has a wrong name")
	}
	if _, _, err := Draft(filepath.Join(t.TempDir(), "none.toml"), ""); err == nil {
		t.Error("there is no file in force")
	}
}
