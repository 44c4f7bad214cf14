package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// wrongValues has, for every section of the file and every kind of entry in one, a
// key with a wrong value.
var wrongValues = map[string]string{
	"version":                 "version = 7",
	"profile":                 "profile = \"lenient\"",
	"milter":                  "progress = \"20s\"",
	"spool":                   "memory = \"much\"",
	"limits":                  "parts = 0",
	"limits.mime":             "depth = 0",
	"limits.archive":          "depth = 0",
	"console":                 "file = \"here\"",
	"console.oidc":            "issuer = \"http://idp.example.com\"",
	"console.sso":             "key_file = \"here\"",
	"console.ldap":            "url = \"http://ldap.example.com\"",
	"metrics":                 "listen = [\"nowhere\"]",
	"virus":                   "feed = \"some\"",
	"attachment":              "longest_name = 0",
	"document":                "max_unpacked = \"1KB\"",
	"content":                 "redirectors = [\"/\"]",
	"content.limits":          "token = \"1B\"",
	"content.list":            "patterns = [\"(\"]",
	"dns":                     "tries = 0",
	"auth":                    "signatures = 0",
	"dmarc_reports":           "file = \"here\"",
	"geo":                     "country = \"countries.mmdb\"",
	"relay":                   "scores = { bogus = 1.0 }",
	"bounce":                  "valid = \"1h\"",
	"greylist":                "ipv4 = 64",
	"contact":                 "keep = \"1h\"",
	"rate":                    "entries = 0",
	"rate.limit":              "recipients = 0",
	"spam":                    "list_time = \"0s\"",
	"spam.list":               "zone = \".\"",
	"spam.spamassassin":       "connections = 0",
	"spam.rspamd":             "connections = 0",
	"feed":                    "interval = \"1m\"",
	"edit":                    "notice_name = \"../a.txt\"",
	"edit.banner":             "text = [\"\"]",
	"local":                   "domains = [\"two words\"]",
	"quarantine":              "dir = \"here\"",
	"history":                 "file = \"here\"",
	"history.retro":           "back = \"1m\"",
	"replay":                  "for = \"1m\"",
	"mta_log":                 "file = \"mail.log\"",
	"notices":                 "queue = 0",
	"submission":              "via = \"pigeon\"",
	"log":                     "level = \"loud\"",
	"people":                  "file = \"here\"",
	"people.appeal":           "per_day = 0",
	"store.s3":                "bucket = \"mail\"",
	"people.score":            "least = -1",
	"people.pages":            "login = [\"telephone\"]",
	"people.lists":            "firm = [\"lists\"]",
	"people.lists.recipients": "allow = \"all\"",
	"people.lists.domains":    "entries = -1",
	"people.digest":           "default = \"weekly\"",
	"store":                   "connections = 0",
	"store.redis":             "prefix = \"\"",
	"people.source":           "every = \"1s\"",
	"per_domain":              "actions = [\"explode\"]",
	"people.domain_admins":    "may = [\"everything\"]",
	"rule":                    "action = \"explode\"",
	"test":                    "expect = \"explode\"",
}

// complete makes an entry valid but for its wrong value.
var complete = map[string]string{
	"virus":         "name = \"c\"\ntype = \"clamd\"\naddress = [\"unix:/c\"]\n",
	"content.list":  "name = \"l\"\nwords = [\"w\"]\n",
	"rate.limit":    "name = \"l\"\nby = \"sender\"\nper = \"1h\"\n",
	"spam.list":     "name = \"l\"\nlookup = \"client\"\nanswers = [\"127.0.0.2\"]\n",
	"feed":          "name = \"f\"\nurl = \"https://lists.example.com/\"\nkind = \"hosts\"\n",
	"edit.banner":   "name = \"b\"\n",
	"people.source": "name = \"s\"\ntype = \"csv\"\nfile = \"/people.csv\"\n",
	"rule":          "name = \"r\"\n",
	"test":          "mail = \"/dev/null\"\n",
}

// sectionsOf returns the paths of all sections below v, and of the lists of them.
func sectionsOf(path string, v reflect.Type) (single, lists []string) {
	for _, f := range reflect.VisibleFields(v) {
		key, t := keyOf(f), f.Type
		if key == "" {
			continue
		}
		list := t.Kind() == reflect.Slice
		if list {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || isText(reflect.New(t).Elem()) {
			continue
		}
		if list {
			lists = append(lists, join(path, key))
		} else {
			single = append(single, join(path, key))
		}
		s, l := sectionsOf(join(path, key), t)
		single, lists = append(single, s...), append(lists, l...)
	}
	return single, lists
}

// TestEverySectionIsChecked writes a wrong value into every section of one file.
// All are reported, each with its own line and key.
func TestEverySectionIsChecked(t *testing.T) {
	single, lists := sectionsOf("", reflect.TypeFor[Config]())
	for section := range wrongValues {
		if section != "version" && section != "profile" && !slices.Contains(single, section) && !slices.Contains(lists, section) {
			t.Errorf("there is no section [%s]", section)
		}
	}
	text := wrongValues["version"] + "\n" + wrongValues["profile"] + "\n"
	var wants []string
	note := func(section, key string) {
		wants = append(wants, fmt.Sprintf(":%d: %s", strings.Count(text, "\n"), join(section, key)))
	}
	wants = append(wants, ":1: version", ":2: profile")
	for _, section := range slices.Concat(single, lists) {
		wrong, ok := wrongValues[section]
		if !ok {
			t.Errorf("[%s] is not in the table of wrong values", section)
			continue
		}
		key, _, _ := strings.Cut(wrong, " ")
		if slices.Contains(lists, section) {
			text += "[[" + section + "]]\n" + complete[section] + wrong + "\n"
			section += "[0]"
		} else {
			text += "[" + section + "]\n" + wrong + "\n"
		}
		note(strings.ReplaceAll(section, `"`, ""), key)
	}
	path := write(t, map[string]string{"milterscan.toml": text})
	_, err := Load(path)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	got := strings.Split(err.Error(), "\n")
	for _, want := range wants {
		n := 0
		for _, line := range got {
			if rest, ok := strings.CutPrefix(line, path+want); ok && strings.ContainsAny(rest[:1], ":.[") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is reported %d times", want, n)
		}
	}
	if t.Failed() {
		t.Logf("the file is\n%s\nand the errors are\n%s", text, err)
	}
}

// TestErrorsOfASectionHaveTheirKeys: each error of one section has the line of its
// own key, not that of the section.
func TestErrorsOfASectionHaveTheirKeys(t *testing.T) {
	path := write(t, map[string]string{"milterscan.toml": "[document]\nauto_run = [\"AutoOpen\", \"*\"]\n\nmax_unpacked = \"1KB\"\n[spam.spamassassin]\nconnections = 0\ntimeout = \"0s\"\n[attachment]\ndeny = [\"exe\",\n\"/(/\"]\n"})
	_, err := Load(path)
	want := []string{":2: document.auto_run[1]: ", ":4: document.max_unpacked: ", ":6: spam.spamassassin.connections: ", ":7: spam.spamassassin.timeout: ", ":10: attachment.deny[1]: "}
	got := strings.Split(fmt.Sprint(err), "\n")
	for i, w := range want {
		if len(got) != len(want) || !strings.HasPrefix(got[i], path+w) {
			t.Fatalf("want %q, got\n%v", want, err)
		}
	}
}
