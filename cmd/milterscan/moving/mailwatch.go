package moving

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// watch is a running import of MailWatch.
type watch struct {
	*taking
	entries  [][]string // rows for "milterscan list import"
	commands []string
	least    float64 // the lowest limit that a user has set
}

// watchTables are the tables that are taken over.
var watchTables = []string{"whitelist", "blacklist", "users", "user_filters"}

// MailWatch takes over the lists and users in dumps of MailWatch's database, the files *.sql of a directory.
func MailWatch(dir string, step func()) (*Result, error) {
	t, err := begin(dir, step)
	if err != nil {
		return nil, err
	}
	w := &watch{taking: t, least: math.Inf(1)}
	names, err := fs.Glob(t.root.FS(), "*.sql")
	if err == nil && len(names) == 0 {
		err = errors.New("it has no file *.sql, such as \"mysqldump mailscanner whitelist blacklist " +
			"users user_filters\" writes")
	}
	if err != nil {
		t.root.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	slices.Sort(names)
	for _, name := range names {
		w.file(name)
	}
	w.write()
	return t.end("MailWatch", []string{
		"Entries of lists are data, and not in the configuration: " +
			"\"milterscan list import lists/senders.csv\" makes them, and the pages of recipients and administrators " +
			"show them. What an entry allows still may not be infected, forbidden, or not examined.",
		"Passwords are not taken over: neither their hashes nor their second factors. " +
			"lists/commands.txt makes accounts with passwords of their own.",
	}), nil
}

// file reads one dump.
func (w *watch) file(name string) {
	text, err := w.bytes(name)
	if err != nil {
		w.note(Unclear, Place{File: name}, "", "the file cannot be read: %v", err)
		return
	}
	if err := readDump(path.Base(name), string(text), watchTables, w.row); err != nil {
		w.broken(name, err)
	}
}

// row takes over one row.
func (w *watch) row(table string, r dumpRow) {
	w.step()
	switch table {
	case "whitelist":
		w.entry(r, people.Allow)
	case "blacklist":
		w.entry(r, people.Block)
	case "users":
		w.user(r)
	case "user_filters":
		w.filter(r)
	}
}

// entry takes over a sender that a user allows or blocks.
func (w *watch) entry(r dumpRow, act people.Act) {
	to, from := strings.ToLower(strings.TrimSpace(r.cells["to_address"])),
		strings.ToLower(strings.TrimSpace(r.cells["from_address"]))
	what := fmt.Sprintf("%s %s for %s", act, from, to)
	owner := strings.TrimPrefix(to, "@")
	if owner == "default" || owner == "" {
		owner = people.Host
		if domain := strings.ToLower(strings.TrimSpace(r.cells["to_domain"])); to == "" && domain != "" {
			owner = domain
		}
	}
	sender := strings.TrimPrefix(from, "*@")
	switch n, ok := network(from); {
	case from == "default" || from == "" || from == "*":
		w.note(Impossible, r.at, what, "an entry is about a sender; for whoever wants all mail, or none, "+
			"a rule with to = [\"ADDRESS\"] is written")
		return
	case ok:
		sender = n
		if p, err := netip.ParsePrefix(n); err == nil && p.IsSingleIP() {
			sender = p.Addr().String()
		}
	}
	e, err := people.Entry{Owner: owner, Act: act, Pattern: sender}.Folded(time.Now())
	if err != nil {
		w.note(Unclear, r.at, what, "%v", err)
		return
	}
	w.entries = append(w.entries, []string{e.Owner, string(e.Act), e.Pattern, "MailWatch " + r.at.String()})
	if act == people.Block {
		w.note(Differs, r.at, what, "lists/senders.csv; mail of a sender who is blocked is refused, where MailScanner "+
			"does what \"Spam Actions\" say, and also if a list of others allows the sender: docs/lists.md")
		return
	}
	w.note(Taken, r.at, what, "lists/senders.csv")
}

// account reports whether a name can be that of an account, and be written into a command as it is.
func account(name string) bool {
	return name != "" && len(name) <= 200 && name[0] != '-' &&
		strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.@_-+") == ""
}

// user takes over a user.
func (w *watch) user(r dumpRow) {
	name := r.cells["username"]
	what := "user " + name
	if !account(name) {
		w.note(Unclear, r.at, what, "the name has other signs than letters, digits and .@_-+; make the account by hand")
		return
	}
	switch kind := strings.ToUpper(r.cells["type"]); kind {
	case "A":
		w.commands = append(w.commands, "milterscan user add --role administrator --generate "+name)
		w.note(Differs, r.at, what, "an account of an administrator, by lists/commands.txt; "+
			"its password is a new one, as hashes are not taken over")
	case "D":
		_, domain, ok := strings.Cut(name, "@")
		if !ok {
			domain = name
		}
		if !zoneName(strings.ToLower(domain)) {
			w.note(Impossible, r.at, what, "whose domain it is the name does not say: "+
				"\"milterscan user add --role domain --domains DOMAIN %s\"", name)
			return
		}
		w.commands = append(w.commands, fmt.Sprintf("milterscan user add --role domain --domains %s --generate %s",
			strings.ToLower(domain), name))
		w.note(Differs, r.at, what, "an account for %s, by lists/commands.txt; further domains are in its filters, "+
			"and its password is a new one", domain)
	case "U", "R":
		w.note(Needless, r.at, what,
			"recipients need no accounts: people.pages.login says how they show that an address is theirs")
	default:
		w.note(Unclear, r.at, what, "there is no type of user %q", oneLine(kind))
	}
	w.settings(name, r)
}

// settings takes over the spam score of a user, and notes the settings that milterscan does not have.
func (w *watch) settings(name string, r dumpRow) {
	score, err := strconv.ParseFloat(r.cells["spamscore"], 64)
	if err == nil && score > 0 && score <= 100 && mailbox(name) {
		w.least = min(w.least, score)
		w.commands = append(w.commands, fmt.Sprintf("milterscan people limit %s %g", name, score))
		w.note(Differs, r.at, name+": spam score "+r.cells["spamscore"],
			"lists/commands.txt sets the limit; rules go by it where they say \"score >= own 6\"")
	}
	if high, err := strconv.ParseFloat(r.cells["highspamscore"], 64); err == nil && high > 0 {
		w.note(Impossible, r.at, name+": high spam score "+r.cells["highspamscore"],
			"a person has one limit; a second one is a rule with to = [\"ADDRESS\"]")
	}
	if r.cells["noscan"] == "1" {
		w.note(Impossible, r.at, name+": no scanning",
			"nobody is left out of all checks; per_domain and rules with to say which findings do not count")
	}
}

// filter notes a further address or domain of a user.
func (w *watch) filter(r dumpRow) {
	what := fmt.Sprintf("filter %s of %s", r.cells["filter"], r.cells["username"])
	if r.cells["active"] == "N" {
		w.note(Needless, r.at, what, "it is not active")
		return
	}
	w.note(Impossible, r.at, what, "which addresses are one person's is said by [[people.source]], "+
		"which domains are an administrator's by \"milterscan user add --domains\"")
}

// write writes the configuration and the lists.
func (w *watch) write() {
	w.out.top.set("profile", "default", "milterscan's own: lists and users are all that MailWatch has settled")
	if !math.IsInf(w.least, 1) {
		score := w.out.table("people.score")
		score.raw("least", strconv.FormatFloat(w.least, 'f', -1, 64),
			"users.spamscore: the lowest limit that somebody has set")
		score.raw("most", "100", "users.spamscore")
	}
	var b strings.Builder
	table := csv.NewWriter(&b)
	_ = table.Write([]string{"owner", "act", "pattern", "note"}) // into memory, which does not fail
	_ = table.WriteAll(w.entries)
	if len(w.entries) > 0 {
		w.lists["lists/senders.csv"] = b.String()
	}
	if len(w.commands) > 0 {
		w.lists["lists/commands.txt"] = "# Commands that make what MailWatch had; look at them first.\n" +
			strings.Join(w.commands, "\n") + "\n"
	}
}
