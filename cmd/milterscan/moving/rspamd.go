package moving

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// rspamd is a running import of rspamd.
type rspamd struct {
	*conf
	actions map[string]entry // thresholds
	subject entry
}

// rspamdFiles are the files of rspamd that are not read, and where milterscan has the same.
var rspamdFiles = map[string]string{
	"dkim_signing.conf":      "signing stays with a signer after milterscan",
	"arc.conf":               "sealing stays with a signer after milterscan",
	"greylist.conf":          "[greylist] puts off new senders, with times of its own: docs/greylisting.md",
	"ratelimit.conf":         "[[rate.limit]]: docs/rates.md",
	"rbl.conf":               "[[spam.list]]: docs/senders.md; as a scorer rspamd goes on asking its own",
	"dmarc.conf":             "auth.dmarc, and [dmarc_reports]",
	"spf.conf":               "auth.spf",
	"dkim.conf":              "auth.dkim",
	"mime_types.conf":        "[attachment]",
	"phishing.conf":          "content.phishing",
	"milter_headers.conf":    "headers of rules, spam.score_header and auth.results",
	"external_services.conf": "[[virus]] with type = \"icap\", and [spam.spamassassin]",
}

// Rspamd takes over local.d and override.d of rspamd, which goes on as a scorer that milterscan asks.
func Rspamd(dir string, step func()) (*Result, error) {
	t, err := begin(dir, step)
	if err != nil {
		return nil, err
	}
	r := &rspamd{conf: &conf{taking: t, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}},
		actions: map[string]entry{}}
	var names []string
	for _, pattern := range []string{"local.d/*", "override.d/*"} {
		some, _ := fs.Glob(t.root.FS(), pattern) // the patterns are valid
		slices.Sort(some)
		names = append(names, some...)
	}
	if len(names) == 0 {
		t.root.Close()
		return nil, fmt.Errorf("%s: there is neither local.d nor override.d in it, with files", dir)
	}
	t.out.top.set("profile", "default", "the rules that come after those below")
	t.out.table("spam.rspamd").words("address", []string{"http://127.0.0.1:11333"},
		"milterscan's own: rspamd's normal worker is asked, which goes on scoring")
	later := map[string][]*uclNode{}
	for _, name := range names {
		if root := r.file(name); root != nil {
			later[path.Base(name)] = append(later[path.Base(name)], root)
		}
	}
	for _, step := range []struct {
		file string
		take func(*uclNode)
	}{{"antivirus.conf", r.antivirus}, {"multimap.conf", r.multimap}, {"force_actions.conf", r.force},
		{"actions.conf", r.thresholds}, {"settings.conf", r.settings}} {
		for _, root := range later[step.file] {
			step.take(root)
		}
	}
	r.scored("", scope{}, r.actions)
	return t.end("rspamd", []string{
		"rspamd goes on as a scorer that milterscan asks: symbols, weights, words it has learned, " +
			"and its own lists stay with it. Its milter and its proxy are taken out of the MTA.",
		"What rspamd would do by itself does not count; the rules that were made of its thresholds do.",
		defaultProfile + "rspamd adds such findings to the score, and greylists or defers what it is to.",
	}), nil
}

// file reads a file that is taken over; it notes any other.
func (r *rspamd) file(name string) *uclNode {
	at, base := Place{File: name}, path.Base(name)
	switch base {
	case "antivirus.conf", "multimap.conf", "force_actions.conf", "actions.conf", "settings.conf":
	default:
		if why, ok := rspamdFiles[base]; ok {
			r.note(Impossible, at, "", "it is not read: %s", why)
		} else if strings.HasSuffix(base, ".conf") || strings.HasSuffix(base, ".inc") {
			r.note(Needless, at, "", "it is about rspamd itself, which goes on as a scorer")
		}
		return nil
	}
	text, err := r.bytes(name)
	if err != nil {
		r.note(Unclear, at, "", "the file cannot be read: %v", err)
		return nil
	}
	root, err := readUCL(name, strings.ToValidUTF8(string(text), "\ufffd"), func(at Place, what string) {
		r.note(Unclear, at, what, "directives are not followed; put what it names into this file")
	})
	if err != nil {
		r.broken(name, err)
	}
	return root
}

// act writes the outcome of a rule for one of rspamd's actions, and reports whether there is such an action.
func (r *rspamd) act(rule *section, action, message, origin string) bool {
	switch strings.ReplaceAll(strings.ToLower(action), "_", " ") {
	case "reject":
		rule.set("action", "reject", origin)
		if message != "" && oneLine(message) == message &&
			!strings.ContainsFunc(message, func(c rune) bool { return c > '~' }) && len(message) < 200 {
			rule.set("reply", policy.Reply{Code: policy.Refused.Code, Enhanced: policy.Refused.Enhanced,
				Text: message}.String(), origin)
		}
	case "soft reject":
		rule.set("action", "tempfail", origin)
	case "discard":
		rule.set("action", "discard", origin)
	case "quarantine":
		rule.set("action", "quarantine", origin)
	case "no action", "accept":
		rule.set("action", "deliver", origin)
	case "add header":
		rule.set("action", "deliver", origin)
		rule.raw("headers", inline([][2]string{{"X-Spam", "Yes"}}), origin)
	case "rewrite subject":
		rule.set("action", "deliver", origin)
		tag := strings.TrimSpace(strings.NewReplacer("%s", "", "%d", "").Replace(r.subject.value))
		if tag == "" {
			tag = "***SPAM***"
		}
		rule.set("tag", tag, origin)
	default:
		rule.set("action", "deliver", origin)
		return false
	}
	return true
}

// antivirus takes over the engines.
func (r *rspamd) antivirus(root *uclNode) {
	for _, n := range root.nodes {
		what := "antivirus " + n.key
		if n.kind != "object" {
			r.note(Needless, n.at, n.key+" = "+n.text, "it is about all engines of rspamd")
			continue
		}
		if isOff(n.word("enabled")) {
			r.note(Needless, n.at, what, "it is off")
			continue
		}
		kind := n.word("type")
		if kind == "" {
			kind = n.key
		}
		server := n.get("servers").words()
		if kind != "clamav" || len(server) == 0 {
			r.note(Impossible, n.at, what, "engines of the type %q are asked by [[virus]] with type = \"icap\", "+
				"\"http\" or \"command\": docs/engines.md", oneLine(kind))
			continue
		}
		var addresses []string
		for _, s := range strings.FieldsFunc(strings.Join(server, ","),
			func(c rune) bool { return c == ',' || c == ' ' }) {
			switch {
			case strings.HasPrefix(s, "/"):
				addresses = append(addresses, "unix:"+s)
			case strings.Contains(s, ":"):
				addresses = append(addresses, "tcp:"+s)
			default:
				addresses = append(addresses, "tcp:"+s+":3310")
			}
		}
		if len(addresses) == 0 {
			r.note(Unclear, n.at, what, "servers names no server")
			continue
		}
		t := r.out.add("virus")
		t.set("name", r.nameList(n.key), n.at.String())
		t.set("type", "clamd", n.at.String())
		t.words("address", addresses, n.at.String())
		if size, err := number(n.word("max_size")); err == nil && size >= 1<<20 { // less is refused
			t.set("max_stream", bytesText(size), n.get("max_size").at.String())
		}
		r.note(Taken, n.at, what, "[[virus]]; infected mail is refused, whatever action it has here")
	}
}
