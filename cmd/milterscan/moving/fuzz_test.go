package moving

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seeds adds the files of testdata that a pattern names, each with a text for the second file.
func seeds(f *testing.F, pattern, beside string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no file is named %s (%v)", pattern, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), beside)
	}
}

// taken reads files and holds the result to what every import promises: the configuration can be loaded,
// each of its lines names its origin, what was not taken over is told by file and line, and neither is out of all
// proportion to what was read.
func taken(t *testing.T, read func(string, func()) (*Result, error), files map[string]string) {
	t.Helper()
	size := 0
	for _, text := range files {
		size += len(text)
	}
	r, err := read(confDir(t, files), unseen)
	if err != nil {
		t.Fatal(err)
	}
	conf, report := written(t, r)
	origins(t, conf)
	if most := 1<<20 + 4096*size; len(conf)+len(report) > most {
		t.Errorf("of %d bytes are made %d", size, len(conf)+len(report))
	}
	if r.Complete() == slices.ContainsFunc(r.Notes, func(n Note) bool { return n.How < Taken }) {
		t.Error("Complete is not what the notes say")
	}
	for _, n := range r.Notes {
		text, known := files[n.File]
		lines := strings.Count(text, "\n") + 1
		switch {
		case n.How >= Taken || known && n.Line >= 1 && n.Line <= lines:
		case n.Line == 0 && strings.Contains(n.Why, "is not read"): // a file of which nothing is read
		default:
			t.Errorf("%s: %q: %s: there is no such place", n.Place, n.What, n.Why)
		}
	}
}

func FuzzMailScanner(f *testing.F) {
	f.Add("Required SpamAssassin Score = a.rules\nSpam Actions = store forward a@b.example\nSpam List = X\n",
		"To: a@b.example 7\nFrom: default 5\n")
	f.Add("%a% = b\nArchive Mail = %a%\nFilename Rules = a.rules\n",
		"deny\t\\.exe$\t-\t-\nrename to x\t(a|b)c$\t-\t-\nx@y.example\t\\.z$\t-\t-\n")
	f.Add("Maximum Message Size = a.rules\nScan Messages = a.rules\nAllow Form Tags = a.rules\n",
		"From: 10. and To: x@y.example 5k\nFrom: /a|b/ no\nFromOrTo: default 9\n")
	seeds(f, "mailscanner/MailScanner.conf", "From: a@b.example yes\nFromOrTo: default no\n")
	f.Fuzz(func(t *testing.T, conf, rules string) {
		taken(t, MailScanner, map[string]string{"MailScanner.conf": conf, "a.rules": rules, "spam.lists.conf": rules,
			"phishing.bad.sites.conf": rules})
	})
}

func FuzzMailWatch(f *testing.F) {
	seeds(f, "mailwatch/*.sql", "INSERT INTO `users` (`username`, `type`) VALUES ('a@b.example','U');")
	f.Add("CREATE TABLE `whitelist` (`id` int, `to_address` text, `from_address` text);\n"+
		"INSERT INTO `whitelist` VALUES (1,'default','a@b.example');", "/* ' */ -- x\n# `\n")
	f.Fuzz(func(t *testing.T, first, second string) {
		taken(t, MailWatch, map[string]string{"a.sql": first, "b.sql": second})
	})
}

func FuzzAmavis(f *testing.F) {
	seeds(f, "amavis/amavisd.conf", "a@b.example 1\n.c.example\nd 0\n")
	f.Add("@whitelist_sender_maps = ( read_hash('/etc/amavis/list'), [qw(a@b.example)] );\n"+
		"$sa_kill_level_deflt = 5;\n@mynetworks = qw(10/8);\n"+
		"$banned_filename_re = new_RE( qr'\\.exe$'i, [ qr'x' => 0 ] );\n%spam_lovers = ('a@b.example' => 1);\n", "x\n")
	f.Fuzz(func(t *testing.T, conf, list string) {
		taken(t, Amavis, map[string]string{"amavisd.conf": conf, "conf.d/50-user": list, "list": list})
	})
}

func FuzzRspamd(f *testing.F) {
	seeds(f, "rspamd/local.d/*.conf", "a@b.example\n192.0.2.0/24\n")
	f.Add("a { type = \"from\"; map = \"a.map\"; action = \"reject\"; }\nreject = 5;\n"+
		"rules { x { action = \"discard\"; expression = \"A & !B\"; } }\nlovers { rcpt = \"a@b.example\"; want_spam = yes; }",
		"@b.example\n")
	f.Fuzz(func(t *testing.T, conf, list string) {
		files := map[string]string{"a.map": list}
		for _, name := range []string{"actions", "antivirus", "multimap", "force_actions", "settings"} {
			files["local.d/"+name+".conf"] = conf
		}
		taken(t, Rspamd, files)
	})
}

func FuzzMimedefang(f *testing.F) {
	seeds(f, "mimedefang/*", "")
	f.Add("$bad_exts = '(exe|com)';\n$AdminAddress = 'a@b.example';\n$MaxMIMEParts = 3;\n", "")
	f.Fuzz(func(t *testing.T, conf, more string) {
		taken(t, Mimedefang, map[string]string{"mimedefang-filter": conf + more})
	})
}

// The readers below are fuzzed by themselves as well: nothing is written, so that many more files are tried.

// placed holds an error of a reader to naming a line that is there.
func placed(t *testing.T, text string, err error) {
	t.Helper()
	var at *lineError
	if err != nil && (!errors.As(err, &at) || at.line < 1 || at.line > strings.Count(text, "\n")+1) {
		t.Errorf("%v is no place in %q", err, text)
	}
}

func FuzzDump(f *testing.F) {
	f.Add("CREATE TABLE IF NOT EXISTS `users` (`id` int, `x` enum('a;','b)'), KEY `k` (`id`));\nINSERT INTO `users` VALUES (1,'it''s'),(2,NULL);")
	f.Add("-- x\n/*!1 ' */; INSERT INTO `users` (`id`, `x`) VALUES (0x1, \"\\n\");\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows := 0
		placed(t, text, readDump("x", text, watchTables, func(_ string, r dumpRow) {
			if rows++; r.at.Line < 1 || r.at.Line > strings.Count(text, "\n")+1 || len(r.cells) == 0 {
				t.Errorf("the row %+v is nowhere in %q", r, text)
			}
		}))
		if rows > len(text) {
			t.Errorf("%d rows in %d bytes", rows, len(text))
		}
	})
}

func FuzzUCL(f *testing.F) {
	f.Add("a = 1; b { c: \"d\\n;e\" } b \"f\" { g = [1, two, '3']; }\n# comment\nh <<EOD\ntext\nEOD\ni = yes\n.include \"x\"\n/* x */")
	f.Fuzz(func(t *testing.T, text string) {
		root, err := readUCL("x", text, func(at Place, what string) {
			if at.Line < 1 || !strings.Contains(text, what) {
				t.Errorf("the directive %q of line %d is not in %q", what, at.Line, text)
			}
		})
		placed(t, text, err)
		count := 0
		var walk func(n *uclNode)
		walk = func(n *uclNode) {
			if count++; n != root && (n.at.Line < 1 || n.at.Line > strings.Count(text, "\n")+1) {
				t.Errorf("%q of line %d is not in %q", n.key, n.at.Line, text)
			}
			for _, sub := range n.nodes {
				walk(sub)
			}
		}
		if walk(root); count > 2*len(text)+1 {
			t.Errorf("%d values in %d bytes", count, len(text))
		}
	})
}

func FuzzPerl(f *testing.F) {
	f.Add("$x = \"a$y\\n\";\n@z = ( \\%a, [qw(b c)], { 'd' => qr'e'i }, f('g', 2*3) ); # h\nread_hash(\\%a, '/i');\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines := (&taking{step: unseen}).split("x", []byte(text))
		list := assignments(lines, map[string]string{})
		if len(list) > len(lines) {
			t.Errorf("%d statements on %d lines: %q", len(list), len(lines), text)
		}
		for _, a := range list {
			if a.at.Line < 1 || a.name == "" || a.err == nil && strings.IndexByte("$@%", a.name[0]) < 0 {
				t.Errorf("the assignment %+v is nowhere in %q", a, text)
			}
		}
	})
}
