package moving

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/listfile"
)

// unseen is for who does not look how far an import has come.
func unseen() {}

// others are the imports of filters other than MailScanner.
var others = map[string]func(string, func()) (*Result, error){"mailwatch": MailWatch, "amavis": Amavis, "rspamd": Rspamd, "mimedefang": Mimedefang}

// TestOthers takes over a directory of each filter, and compares what is made with what is expected.
func TestOthers(t *testing.T) {
	for name, read := range others {
		r, err := read(filepath.Join("testdata", name), unseen)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conf, report := written(t, r)
		golden(t, name+".toml", conf)
		golden(t, name+".txt", report)
		origins(t, conf)
		if _, err := read(t.TempDir(), unseen); err == nil {
			t.Errorf("%s: a directory without files is no error", name)
		}
		if _, err := read(filepath.Join(t.TempDir(), "nowhere"), unseen); err == nil {
			t.Errorf("%s: a directory that is not there is no error", name)
		}
	}
}

// TestMailWatchLists: "milterscan list import" takes every entry, and no command has a name that a shell would read.
func TestMailWatchLists(t *testing.T) {
	r, err := MailWatch(filepath.Join("testdata", "mailwatch"), unseen)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range listfile.Read("senders.csv", []byte(r.Lists["lists/senders.csv"]), people.Entry{Maker: "import"}) {
		if err != nil {
			t.Error(err)
		}
		if n++; e.Owner == "" || e.Pattern == "" {
			t.Errorf("%+v", e)
		}
	}
	if n != 6 {
		t.Errorf("%d entries\n%s", n, r.Lists["lists/senders.csv"])
	}
	commands := r.Lists["lists/commands.txt"]
	if strings.Contains(commands, "rm -rf") || strings.Contains(commands+r.Config, "$2y$") || !strings.Contains(commands, "milterscan people limit bob@example.com 5.5\n") {
		t.Error(commands)
	}
}

// TestBrokenDumps says where a dump cannot be followed, and keeps what comes before.
func TestBrokenDumps(t *testing.T) {
	const table = "CREATE TABLE `whitelist` (`id` int, `to_address` text, `to_domain` text, `from_address` text);\nINSERT INTO `whitelist` VALUES (1,'default','','a@b.example')"
	for text, want := range map[string]string{
		table + ",(2,'default','','c@d.example": "a.sql:2 the file cannot be followed to its end: a text has no end",
		table + ",(2,'default')":                "a row has 2 values for 4 columns",
		table + ",(2,'default','','x','y')":     "more values than the 4 columns",
		table + ",2":                            "does not begin with a bracket",
		"INSERT INTO `whitelist` VALUES (1)":    "more values than the 0 columns",
		"CREATE TABLE `whitelist` (`id` int":    "a.sql:1 the file cannot be followed to its end: the table \"whitelist\" has no end",
		table + ";\n/* for ever":                "a.sql:3 the file cannot be followed to its end: a comment has no end",
	} {
		r, err := MailWatch(confDir(t, map[string]string{"a.sql": text}), unseen)
		if err != nil {
			t.Fatal(err)
		}
		if report := strings.Join(strings.Fields(r.Report()), " "); !strings.Contains(report, want) || strings.HasPrefix(text, table) != (len(r.Lists) > 0) {
			t.Errorf("%q: %q is not in\n%s", text, want, report)
		}
	}
}

// TestPerlData tells values that stand there from those that are computed.
func TestPerlData(t *testing.T) {
	for text, want := range map[string]string{
		`$x = 'it''s';`: "code", `$x = 'it\'s';`: "it's", `$x = "a\n";`: "a\n", `$x = "a$y";`: "code", `$x = "a$known";`: "aK", `$x = "a${known}b";`: "aKb", `$x = 3*1024;`: "3072", `$x = -1.5;`: "-1.5",
		`$x = f(1);`: "", `$x = $y;`: "code", `$x = 'a' . 'b';`: "code", `$x =~ s/a/b/;`: "code", `$x == 1;`: "code", `@x = (1, 'b', [2]);`: "1 b 2", `@x = qw(a b);`: "a b",
		`$x = undef;`: "", `$x = D_REJECT;`: "D_REJECT", `$x = reject;`: "code", `system('rm');`: "code", "$x = `rm`;": "code", `$x = do { 1 };`: "code", `$x = "a`: "code", `$x = q{a{b}c};`: "a{b}c",
		`$x = 0x10;`: "code", `$x = ` + strings.Repeat("[", 100) + `;`: "code",
	} {
		list := assignments([]line{{text, Place{"x", 1}}}, map[string]string{"$known": "K"})
		if len(list) != 1 {
			t.Errorf("%s: %+v", text, list)
			continue
		}
		got := strings.Join(list[0].value.texts(), " ")
		if list[0].err != nil {
			got = "code"
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", text, got, want, list[0].err)
		}
	}
}

// TestUCL reads what rspamd's files have, and says where they are broken.
func TestUCL(t *testing.T) {
	root, err := readUCL("x", "a = 1; b { c: \"d;e\" } b \"f\" { g = [1, two, \"3\"]; }\n# comment\nh <<EOD\ntext\nEOD\ni = yes\n.include \"x\"\n", func(Place, string) {})
	if err != nil || root.word("a") != "1" || root.nodes[1].word("c") != "d;e" || strings.Join(root.get("b").nodes[0].get("g").words(), " ") != "1 two 3" ||
		root.word("h") != "text" || !isOn(root.word("i")) {
		t.Errorf("%v, %+v", err, root)
	}
	for text, want := range map[string]string{
		"a {": "not closed", "a = [1": "not closed", "}": "closes nothing", "a = [1}": "closes a bracket", "/*": "no end", `a = "x`: "no end", "a <<EOD\nx": "no end",
		strings.Repeat("a {", 100): "in each other", "a = " + strings.Repeat("[", 100): "in each other", "= 1": "is no key",
		"a = 1\x00; b = 2": "a NUL", "# a\x00\nb = 2": "a NUL",
	} {
		if _, err := readUCL("x", text, func(Place, string) {}); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

// TestOddEngines leaves out what [[virus]] would refuse.
func TestOddEngines(t *testing.T) {
	r, err := Rspamd(confDir(t, map[string]string{"local.d/antivirus.conf": "clamav { servers = \",\"; }\nsmall { type = clamav; servers = \"/run/clamd\"; max_size = 2000; }\n"}), unseen)
	if err != nil {
		t.Fatal(err)
	}
	if conf, report := written(t, r); strings.Contains(conf, "max_stream") || !strings.Contains(report, "servers names no server") {
		t.Error(conf, report)
	}
}

// TestLongReport: a report that would have too many lines ends with one that says so.
func TestLongReport(t *testing.T) {
	r, err := Mimedefang(confDir(t, map[string]string{"mimedefang-filter": strings.Repeat("sub f {\n", maxNotes+5)}), unseen)
	if err != nil {
		t.Fatal(err)
	}
	last := r.Notes[len(r.Notes)-1]
	if len(r.Notes) != maxNotes || last.How != Unclear || last.Line != maxNotes || !strings.Contains(last.Why, "from here on nothing is said") {
		t.Errorf("%d notes, the last is %+v", len(r.Notes), last)
	}
}

// TestReferences follows variables that name others, and reads hashes from files.
func TestReferences(t *testing.T) {
	r, err := Amavis(confDir(t, map[string]string{
		"amavisd.conf": "@mine = ('a@b.example', \\@mine);\n@whitelist_sender_maps = (\\@mine, \\%whitelist_sender, \\$nothing);\n" +
			"read_hash(\\%whitelist_sender, '/etc/amavis/white');\nread_hash($x, 'white');\n" +
			"@spam_lovers_maps = (\\%spam_lovers, \\@spam_lovers_acl);\n@bypass_virus_checks_maps = (\\%bypass_virus_checks);\n",
		"white": "c@d.example 1\ne@f.example 0\n",
	}), unseen)
	if err != nil {
		t.Fatal(err)
	}
	conf, report := written(t, r)
	for _, want := range []string{`"a@b.example",  # amavisd.conf:1 @mine`, `"c@d.example",  # white:1`} {
		if strings.Count(conf, want) != 1 {
			t.Errorf("%q is not there once\n%s", want, conf)
		}
	}
	if strings.Contains(conf, "e@f.example") || strings.Contains(conf, "lovers") || strings.Count(report, otherLists) != 1 ||
		!strings.Contains(report, "amavisd.conf:4  read_hash($x, 'white');\n      it is code") {
		t.Error(conf, report)
	}
}

// TestSteps counts a step for each line of a file, and for each row of a dump.
func TestSteps(t *testing.T) {
	rows := "CREATE TABLE `whitelist` (`to_address` text, `from_address` text);\nINSERT INTO `whitelist` VALUES " +
		strings.Repeat("('ann@example.com','a@example.net'),", 8) + "('ann@example.com','b@example.net');\n"
	for name, c := range map[string]struct {
		read  func(string, func()) (*Result, error)
		files map[string]string
		want  int
	}{
		"lines": {MailScanner, map[string]string{"MailScanner.conf": "# one\nMax Children = 5\n\nVirus Scanning = yes\n"}, 4},
		"rows":  {MailWatch, map[string]string{"a.sql": rows}, 9},
	} {
		steps := 0
		if _, err := c.read(confDir(t, c.files), func() { steps++ }); err != nil || steps != c.want {
			t.Errorf("%s: %d steps, %v", name, steps, err)
		}
	}
}
