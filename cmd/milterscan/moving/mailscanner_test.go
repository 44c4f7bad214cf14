package moving

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
)

var update = flag.Bool("update", false, "write the expected configurations and reports anew")

// written returns the texts of a result, with the directory that it was written into left out.
func written(t *testing.T, r *Result) (conf, report string) {
	t.Helper()
	files := r.files()
	dir := confDir(t, files)
	if err := os.WriteFile(filepath.Join(dir, ConfigName), []byte(strings.ReplaceAll(r.Config, outputMark, dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(filepath.Join(dir, ConfigName)); err != nil {
		t.Errorf("the configuration is wrong: %v\n%s", err, r.Config)
	}
	report = r.Report()
	return strings.ReplaceAll(r.Config, outputMark, "/etc/milterscan"), report
}

// golden compares a text with the file that has it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%s is not what is made (%v); look at what differs, and run go test ./cmd/milterscan/moving -update\n%s", path, err, got)
	}
}

func TestMailScanner(t *testing.T) {
	r, err := MailScanner(filepath.Join("testdata", "mailscanner"), unseen)
	if err != nil {
		t.Fatal(err)
	}
	conf, report := written(t, r)
	golden(t, "mailscanner.toml", conf)
	golden(t, "mailscanner.txt", report)
	if r.Complete() {
		t.Error("with all these differences it is said to be complete")
	}
	origins(t, conf)
}

// origins holds every line that sets something to naming where it comes from.
func origins(t *testing.T, conf string) {
	t.Helper()
	for line := range strings.Lines(conf) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != '[' && !regexp.MustCompile(`  # \S`).MatchString(line) {
			t.Errorf("the line %q does not say where it comes from", line)
		}
	}
}

// confDir makes a directory with files.
func confDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEveryKey walks the table of settings: each has one row, and whatever it is set to, the report says what
// became of it, and the configuration is valid.
func TestEveryKey(t *testing.T) {
	seen := map[string]bool{}
	var keys []string
	for _, g := range keyGroups {
		for _, key := range g.keys {
			if name := normal(key); seen[name] {
				t.Errorf("%s has two rows", key)
			} else {
				seen[name] = true
			}
			keys = append(keys, key)
		}
		if g.how != Taken && g.why == "" {
			t.Errorf("the settings %q have no reason", g.keys)
		}
	}
	if len(keys) < 388 {
		t.Errorf("there are %d settings; MailScanner has 388", len(keys))
	}
	dir := confDir(t, map[string]string{"rules/some.rules": "From: a@example.com yes\nTo: 192.0.2.1 no\nFromOrTo: default no\n"})
	for _, value := range []string{"", "yes", "no", "7", "disarm", "%rules-dir%/some.rules", "&Function"} {
		for _, key := range keys {
			conf := "%rules-dir% = /etc/MailScanner/rules\n" + key + " = " + value + "\n"
			if err := os.WriteFile(filepath.Join(dir, mainConf), []byte(conf), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := MailScanner(dir, unseen)
			if err != nil {
				t.Fatalf("%s = %s: %v", key, value, err)
			}
			n := 0
			for _, note := range r.Notes {
				if note.Place == (Place{mainConf, 2}) && strings.HasPrefix(note.What, key+" =") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s = %s: the report has it %d times\n%s", key, value, n, r.Report())
			}
		}
	}
}

// TestKeysTogether sets all settings to one value, and loads what is made of that.
func TestKeysTogether(t *testing.T) {
	for _, value := range []string{"", "yes", "no", "7", "0", "-1", "disarm", "k", "store", "ann@example.com", "/etc/MailScanner/some.rules", "&F", "a\x01\\\"b", "clamd", "1g"} {
		var b strings.Builder
		for _, g := range keyGroups {
			for _, key := range g.keys {
				fmt.Fprintf(&b, "%s = %s\n", key, value)
			}
		}
		r, err := MailScanner(confDir(t, map[string]string{
			"MailScanner.conf": b.String(), "some.rules": "FromAndTo: *@example.com yes\nFrom: 10. 7\nTo: b@example.com store\nFrom: default no\n",
			"spam.lists.conf": "yes bl.example\nZEN zen.example\n",
		}), unseen)
		if err != nil {
			t.Fatal(err)
		}
		conf, _ := written(t, r)
		origins(t, conf)
	}
}

func TestRulesets(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"From: ann@example.com yes", "from ann@example.com: yes"},
		{"from:\tANN@Example.com\tyes", "from ann@example.com: yes"},
		{"FromTo: *@example.com yes", "from @example.com: yes; to @example.com: yes"},
		{"FromAndTo: example.com no", "from @example.com to @example.com: no"},
		{"To: *@*.example.com 5", "to .example.com: 5"},
		{"To: *.example.com 5", "to .example.com: 5"},
		{"To: user@* 5", "to user@*: 5"},
		{"From: 192.168. yes", "client 192.168.0.0/16: yes"},
		{"From: 192.168.21 yes", "client 192.168.21.0/24: yes"},
		{"From: 192.168.21.7 yes", "client 192.168.21.7/32: yes"},
		{"From: 10.0.0.0/255.255.0.0 yes", "client 10.0.0.0/16: yes"},
		{"From: 2001:db8::/32 yes", "client 2001:db8::/32: yes"},
		{`From: /^192\.168\.1[45]\./ yes`, "client 192.168.14.0/24 192.168.15.0/24: yes"},
		{`From: /@example\.com$/ yes`, "from @example.com: yes"},
		{`From: /^(ann|bob)@example\.com$/ deliver header "X: Y"`, `from ann@example.com bob@example.com: deliver header "X: Y"`},
		{"From: *@example.com and To: bob@example.net 7", "from @example.com to bob@example.net: 7"},
		{"From: *@example.com and From: 10. 7", "from @example.com client 10.0.0.0/8: 7"},
		{"FromOrTo: a@example.com and To: b@example.com 7", "from a@example.com to b@example.com: 7"},
		{"FromOrTo: default no", ": no"}, {"To: *@* no", ": no"},
		{"Virus: Joke no", "!the name of a virus"}, {"host: x", "!is no direction"}, {"From: host:mail.example.com yes", "!names of clients"},
		{"To: 192.168. yes", "!where mail comes from"}, {"From: ann@example.com", "!has no value"}, {"From:", "!has no pattern"},
		{"From: /(?<=x)y@example.com/ yes", "!looks ahead or behind"}, {`From: /(a)\1@example.com/ yes`, "!refers back"},
		{"From: /a*+@example.com/ yes", "!is possessive"}, {"From: /[/ yes", "!not understood"}, {`From: /[a-z]+@example\.com/ yes`, "!too much"},
		{"From: 10.0.0.0/255.0.255.0 yes", "!"}, {"From: a@example.com and To: 10. yes", "!where mail comes from"},
		{"From: file:/etc/passwd yes", "!"}, {"From: list:allowed yes", "!"}, {"From: a@x.example and From: b@y.example yes", "!no mail can match"},
	} {
		list, err := ruleLine(row.line, Place{"x", 1})
		got := ""
		for i, l := range list {
			if i > 0 {
				got += "; "
			}
			var words []string
			for k, scoped := range l.scope.lists() {
				if len(*scoped) > 0 {
					words = append(words, scopeKeys[k])
				}
				for _, e := range *scoped {
					words = append(words, e.value)
				}
			}
			got += strings.Join(words, " ") + ": " + l.value
		}
		if want, wrong := strings.CutPrefix(row.want, "!"); wrong && (err == nil || !strings.Contains(err.Error(), want)) || !wrong && (err != nil || got != row.want) {
			t.Errorf("%s: %q, %v; want %q", row.line, got, err, row.want)
		}
	}
}

func TestActions(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`deliver header "X-Spam-Status: Yes"`, "{deliver:true store:false bounce:false notify:false forward:[] headers:[[X-Spam-Status Yes]] left:[]}"},
		{"store, delete notify", "{deliver:false store:true bounce:false notify:true forward:[] headers:[] left:[]}"},
		{"forward ann@example.com bounce", "{deliver:false store:false bounce:true notify:false forward:[ann@example.com] headers:[] left:[]}"},
		{"deliver striphtml attachment custom(x)", "{deliver:true store:false bounce:false notify:false forward:[] headers:[] left:[striphtml attachment custom(x)]}"},
		{`header "no colon" forward`, `{deliver:false store:false bounce:false notify:false forward:[] headers:[] left:[header no colon forward]}`},
	} {
		if got := fmt.Sprintf("%+v", actions(row.text)); got != row.want {
			t.Errorf("%s: %s, want %s", row.text, got, row.want)
		}
	}
}

// TestHostileFiles reads files that mean harm, or that were broken.
func TestHostileFiles(t *testing.T) {
	long := "Max Children = " + strings.Repeat("9", 10<<20) + "\n"
	for name, row := range map[string]struct {
		files map[string]string
		want  string // in the report
	}{
		"a line of 10 MB":        {map[string]string{"MailScanner.conf": long + "Virus Scanners = clamd\n"}, "MailScanner.conf:1  Max Children = 9"},
		"NUL":                    {map[string]string{"MailScanner.conf": "Max Children = 1\x002\n"}, "the line has a NUL"},
		"not UTF-8":              {map[string]string{"MailScanner.conf": "Spam Subject Text = {M\xfcll?}\n"}, "the line is not in UTF-8"},
		"no setting":             {map[string]string{"MailScanner.conf": "hello\n"}, "MailScanner.conf:1  hello\n      the line is no setting"},
		"includes itself":        {map[string]string{"MailScanner.conf": "include MailScanner.conf\n"}, "MailScanner.conf includes itself"},
		"includes in a circle":   {map[string]string{"MailScanner.conf": "include a\n", "a": "include b\n", "b": "include a\n"}, "b:1  include a\n      a was not read: a includes itself"},
		"includes what is gone":  {map[string]string{"MailScanner.conf": "include gone.conf\n"}, "gone.conf was not read: there is no such file"},
		"includes from outside":  {map[string]string{"MailScanner.conf": "include /etc/passwd\ninclude ../x\n"}, "/etc/passwd is outside"},
		"a variable not set":     {map[string]string{"MailScanner.conf": "Max Children = %no-such%\n"}, "%no-such% is not set"},
		"variables that grow":    {map[string]string{"MailScanner.conf": "%a% = 0123456789\n" + strings.Repeat("%a% = %a%%a%\n", 64) + "Max Children = %a%\n"}, "more than 65536 bytes"},
		"an unknown setting":     {map[string]string{"MailScanner.conf": "Virus Scaners = clamd\n"}, `did you mean "Virus Scanners"?`},
		"a ruleset that is gone": {map[string]string{"MailScanner.conf": "Is Definitely Not Spam = /etc/MailScanner/rules/gone.rules\n"}, "the ruleset cannot be read: there is no such file"},
		"sizes without a limit":  {map[string]string{"MailScanner.conf": "Maximum Message Size = a.rules\n", "a.rules": "From: 10. 0\nFrom: default 0\n"}, "there is always a limit"},
		"a function":             {map[string]string{"MailScanner.conf": "Is Definitely Not Spam = &SQLWhitelist\n"}, "a function in Perl decides"},
		"a name that is code":    {map[string]string{"MailScanner.conf": "Spam Subject Text = \"\"\"\\\n]]\n"}, "Spam Subject Text"},
	} {
		r, err := MailScanner(confDir(t, row.files), unseen)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, report := written(t, r); !strings.Contains(report, row.want) {
			t.Errorf("%s: %q is not in the report\n%s", name, row.want, report)
		}
	}
}

// TestLongLists leaves out what would take for ever to compare, and says so once.
func TestLongLists(t *testing.T) {
	var checks, black strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&checks, "From: a%d@example.org yes\n", n)
		fmt.Fprintf(&black, "From: b%d@example.org yes\n", n)
	}
	r, err := MailScanner(confDir(t, map[string]string{"MailScanner.conf": "Spam Checks = checks.rules\nIs Definitely Spam = black.rules\nSpam Actions = store\n",
		"checks.rules": checks.String() + "FromOrTo: default no\n", "black.rules": black.String() + "FromOrTo: default no\n"}), unseen)
	if err != nil {
		t.Fatal(err)
	}
	if _, report := written(t, r); strings.Count(report, "the rest was left out") != 1 {
		t.Errorf("the report does not say once what was left out:\n%.4000s", report)
	}
}

// TestLinks: nothing outside of the directory is read, and what is no file is not waited for.
func TestLinks(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("From: hidden@example.com yes\nFrom: default no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := confDir(t, map[string]string{"MailScanner.conf": "Is Definitely Not Spam = away.rules\nIs Definitely Spam = loop.rules\nRequired SpamAssassin Score = pipe.rules\n"})
	for name, target := range map[string]string{"away.rules": secret, "loop.rules": "loop.rules"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.rules"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := MailScanner(dir, unseen)
	if err != nil {
		t.Fatal(err)
	}
	conf, report := written(t, r)
	if strings.Contains(conf+report, "hidden@example.com") || strings.Count(report, "the ruleset cannot be read") != 3 {
		t.Error(report)
	}
	for _, gone := range []string{filepath.Join(dir, "nowhere"), t.TempDir()} {
		if _, err := MailScanner(gone, unseen); err == nil {
			t.Errorf("%s: there is no MailScanner.conf, and no error", gone)
		}
	}
}

// TestWriteRefuses writes nothing where something is.
func TestWriteRefuses(t *testing.T) {
	dir := confDir(t, map[string]string{"report.txt": "mine"})
	err := (&Result{Program: "MailScanner", Config: "version = 1\n"}).Write(dir)
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if text, _ := os.ReadFile(filepath.Join(dir, "report.txt")); err == nil || string(text) != "mine" || len(names) != 1 {
		t.Errorf("%v; %q", err, names)
	}
}

// TestLongList puts a long list into a file, which the configuration reads.
func TestLongList(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, "From: sender%d@partner.example yes\n", i)
	}
	r, err := MailScanner(confDir(t, map[string]string{"MailScanner.conf": "Is Definitely Not Spam = white.rules\n", "white.rules": b.String() + "FromOrTo: default no\n"}), unseen)
	if err != nil {
		t.Fatal(err)
	}
	if conf, _ := written(t, r); strings.Count(conf, "definitely not spam") != 1 || !strings.Contains(conf, `from = ["file:lists/from-1.txt"]`) {
		t.Error(conf)
	}
	if lines := strings.Count(r.Lists["lists/from-1.txt"], "\n"); lines != 501 {
		t.Errorf("the list has %d lines", lines)
	}
}
