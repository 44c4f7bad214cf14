package initial

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/survey"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// Draft is a configuration for a host.
type Draft struct {
	Text    string
	Beside  string // the file with our domains that it names; "" for none
	Domains string // the content of that file
	Sockets []Socket
	Notes   []Note
}

// Socket is a socket of milterscan's whose directory has to be made.
type Socket struct{ Dir, Group string }

// Note tells the administrator what to know, or to do.
type Note struct {
	What string `json:"what"`
	Fix  string `json:"fix,omitempty"` // "" if there is nothing to do
}

// mostInLine is how many domains are written into the configuration itself.
const mostInLine = 20

// domainsFile holds the domains if there are more; it is in the directory of the configuration.
const domainsFile = "local-domains"

// writer puts a configuration together.
type writer struct {
	b       strings.Builder
	section string
	scored  bool // something that is written gives scores
	Draft
}

// set writes a key with its reason as a comment, after the head of its section if that is a new one.
// An empty reason leaves the comment out.
func (w *writer) set(section, why, key, value string) {
	if section != w.section {
		w.section = section
		if section != "" {
			fmt.Fprintf(&w.b, "\n%s\n", section)
		}
	}
	for _, line := range wrapped(why) {
		fmt.Fprintf(&w.b, "# %s\n", line)
	}
	fmt.Fprintf(&w.b, "%s = %s\n", key, value)
}

func (w *writer) note(fix, format string, args ...any) {
	w.Notes = append(w.Notes, Note{fmt.Sprintf(format, args...), fix})
}

// lineWidth is how long lines of comments are.
const lineWidth = 96

// wrapped breaks a text into lines.
func wrapped(text string) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > lineWidth {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// list writes texts as TOML does.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = strconv.Quote(t)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Compose writes the configuration for a host and the administrator's answers. It leaves out
// settings that keep their default.
func Compose(h *survey.Host, mtas []survey.MTA, a Answers, file string) Draft {
	w := &writer{}
	w.milter(mtas, a)
	w.local(mtas, a, file)
	w.limits(mtas)
	w.engine(h.Clamd)
	w.resolvers(h.Resolvers, a)
	w.scorer(h.Scorers, mtas)
	w.room(h.Room)
	w.rule()
	w.Text = header(mtas) + w.b.String()
	return w.Draft
}

func header(mtas []survey.MTA) string {
	of := "no MTA"
	if len(mtas) > 0 {
		of = strings.TrimSpace(mtas[0].Name + " " + mtas[0].Version)
	}
	return "# Written by \"milterscan init\" for " + of + ". What is not here has its default:\n" +
		"# \"milterscan config\" prints every key, explained; \"milterscan check --effective\" what is in force.\n"
}

// milter writes where milterscan listens.
func (w *writer) milter(mtas []survey.MTA, a Answers) {
	var sockets []string
	for _, m := range mtas {
		if m.Socket != "" && !slices.Contains(sockets, m.Socket) && a.Listen == "" {
			sockets = append(sockets, m.Socket)
			w.Sockets = append(w.Sockets, Socket{filepath.Dir(strings.TrimPrefix(m.Socket, "unix:")), m.Group})
		}
		w.otherMilters(m)
	}
	switch {
	case a.Listen != "":
		w.set("[milter]", "As --listen says.", "listen", list([]string{a.Listen}))
	case len(sockets) > 0:
		w.set("[milter]", "Below the queue directory, as Postfix may run its servers in a chroot there.",
			"listen", list(sockets))
	}
}

// otherMilters notes in which order milters are asked, and which other programs look at the mail.
func (w *writer) otherMilters(m survey.MTA) {
	if len(m.Asks) > 0 {
		w.note("", "%s asks %s already; \"milterscan setup\" puts milterscan before them, so that what signs, "+
			"signs what milterscan leaves",
			m.Name, strings.Join(m.Asks, ", "))
	}
	if m.Hands != "" {
		w.note("take it out when milterscan does what it did: docs/migrating.md",
			"%s hands mail to another filter, content_filter = %s: both look at each mail", m.Name, m.Hands)
	}
}

// local writes our domains and networks. It writes domains only if all of them are known, and all
// clients that may send to others, since milterscan refuses all other mail to others.
func (w *writer) local(mtas []survey.MTA, a Answers, file string) {
	domains, networks := slices.Clone(a.Domains), []string{}
	for _, m := range mtas {
		domains, networks = append(domains, m.Domains...), append(networks, m.Networks...)
	}
	more, clients := unlisted(mtas)
	if len(a.Domains) > 0 {
		more = nil
	}
	if more = append(more, clients...); len(more) > 0 {
		w.note("write local.domains yourself, with all of them, if mail to other domains is to be refused "+
			"(docs/senders.md)",
			"whose mail is yours cannot be listed (%s): local.domains is left empty, and mail from elsewhere "+
				"counts as inbound", brief(more))
	} else {
		w.domains(domains, file)
	}
	if ours := validNetworks(networks); len(ours) > 0 {
		w.set("[local]", "The networks whose mail the MTA passes on anywhere: their mail is yours.",
			"networks", list(ours))
	}
}

// domains writes our domains, into a separate file if they are many.
func (w *writer) domains(domains []string, file string) {
	good, bad := sorted(domains)
	if len(bad) > 0 {
		w.note("", "these are no domains that mail can be compared with, so mail to them is refused: %s", brief(bad))
	}
	const why = "that the MTA takes mail for. Mail from elsewhere to others is refused."
	switch {
	case len(good) > mostInLine:
		w.Beside, w.Domains = filepath.Join(filepath.Dir(file), domainsFile), domainList(good)
		w.set("[local]", fmt.Sprintf("The %d domains %s", len(good), why),
			"domains", list([]string{"file:" + w.Beside}))
	case len(good) > 0:
		w.set("[local]", "All domains "+why, "domains", list(good))
	}
}

// domainList writes the file of domains.
func domainList(domains []string) string {
	return "# Written by \"milterscan init\": the domains that the MTA takes mail for, one on each line.\n" +
		strings.Join(domains, "\n") + "\n"
}

// brief returns the first of many.
func brief(texts []string) string {
	const most = 3
	if more := len(texts) - most; more > 0 {
		return strings.Join(texts[:most], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(texts, "; ")
}

// sorted returns the domains that can be written into local.domains, each once, and those that cannot.
func sorted(domains []string) (good, bad []string) {
	seen := map[string]bool{}
	for _, text := range domains {
		var d policy.Domain
		err := d.UnmarshalText([]byte(text))
		switch {
		case err != nil && !slices.Contains(bad, text):
			bad = append(bad, text)
		case err == nil && !seen[string(d)]:
			seen[string(d)] = true
			good = append(good, string(d))
		}
	}
	return good, bad
}

// validNetworks returns the networks that can be written into local.networks, each once.
func validNetworks(networks []string) (good []string) {
	for _, text := range networks {
		var n policy.Network
		if n.UnmarshalText([]byte(text)) == nil && !slices.Contains(good, text) {
			good = append(good, text)
		}
	}
	return good
}

// largestMessage is the largest limit that is taken over from an MTA.
const largestMessage = units.GB

// limits writes the size of messages if the MTA takes larger ones than milterscan does by default.
func (w *writer) limits(mtas []survey.MTA) {
	ours := config.Default().Limits.Message
	most := ours
	for _, m := range mtas {
		switch {
		case m.Size == 0 || units.Size(m.Size) > largestMessage:
			w.note(largeFix(m, ours),
				"%s takes messages of any size, or of more than %v: milterscan refuses those of more than %v", m.Name,
				largestMessage, ours)
		case units.Size(m.Size) > most:
			most = units.Size(m.Size)
		}
	}
	if most > ours {
		rounded := (most + units.MB - 1) / units.MB * units.MB
		w.set("[limits]", "No less than the MTA takes, so that its users get one answer.",
			"message", strconv.Quote(rounded.String()))
	}
}

// largeFix says how the MTA is given a limit.
func largeFix(m survey.MTA, most units.Size) string {
	switch m.Name {
	case "postfix":
		return fmt.Sprintf("postconf -c %s -e message_size_limit=%d", m.Dir, int64(most))
	case "sendmail":
		return fmt.Sprintf("define confMAX_MESSAGE_SIZE as %d in sendmail.mc", int64(most))
	}
	return fmt.Sprintf("set its limit to %d", int64(most))
}

// engine writes how clamd is asked.
func (w *writer) engine(c *survey.Clamd) {
	switch {
	case c == nil:
		w.note("apt-get install clamav-daemon, then \"milterscan init\" again",
			"no clamd was found: nothing but the EICAR test file is known as a virus")
		return
	case c.Address == "":
		w.note("see "+c.File, "clamd cannot be asked: %v", c.Err)
		return
	}
	why := "The clamd that was named."
	if c.File != "" {
		why = "As " + c.File + " says."
	}
	w.set("[[virus]]", why, "name", `"clamd"`)
	w.set("[[virus]]", "", "type", `"clamd"`)
	w.set("[[virus]]", "", "address", strconv.Quote(c.Address))
	if c.Least > 0 && c.Least != leastUsual {
		w.set("[[virus]]", "The least of StreamMaxLength, MaxFileSize and MaxScanSize there.",
			"max_stream", strconv.Quote(c.Least.String()))
	}
	if c.Err != nil {
		w.note("start it: systemctl start clamav-daemon (once freshclam has fetched signatures)",
			"clamd does not answer now, and all mail is deferred until it does: %v", c.Err)
	}
	if !c.Admits {
		w.note("echo 'AlertExceedsMax yes' >>"+c.File+" && systemctl restart clamav-daemon",
			"clamd calls clean what is beyond its limits")
	}
}

// leastUsual is the default of max_stream.
const leastUsual = 25 * units.MB

// resolvers writes the resolvers that answer.
func (w *writer) resolvers(all []survey.Resolver, a Answers) {
	var good []string
	heard := false
	for _, r := range all {
		switch {
		case r.Hears == survey.Silent:
			w.note("start it, or correct resolv.conf", "the resolver %s does not answer", r.Server)
			continue
		case r.Hears == survey.Lost:
			w.note("see why, before you name it in dns.servers",
				"the resolver %s denies names that are there, so it is not asked: no sender's domain would exist",
				r.Server)
			continue
		case r.Hears == survey.Refused, r.Hears == survey.Deaf:
			w.note("run a resolver of your own, such as unbound, before you name DNS lists in spam.list",
				"the resolver %s gets no answers from the DNS list that was tried", r.Server)
		default:
			heard = true
		}
		good = append(good, string(r.Server))
	}
	if len(good) == 0 {
		w.note("write one into dns.servers when there is one (docs/senders.md)",
			"no resolver can be used: nothing is asked about senders")
		return
	}
	w.set("[dns]", "As resolv.conf says. With local.domains, senders whose domain does not exist are refused.",
		"servers", list(good))
	if a.List != "" && heard {
		w.set("[[spam.list]]", "Asked, as you agreed to its terms. What it finds adds to the score.", "name", `"list"`)
		w.set("[[spam.list]]", "", "zone", strconv.Quote(a.List))
		w.set("[[spam.list]]", "", "answers", `["127.0.0.2-127.0.0.11"]`)
		w.set("[[spam.list]]", "", "score", "5")
		w.scored = true
	}
}

// scorer writes the first scorer that answers, unless the MTA asks it already.
func (w *writer) scorer(all []survey.Scorer, mtas []survey.MTA) {
	for _, s := range all {
		if asked := asksIt(mtas, s.Name); asked != "" {
			w.note("", "%s is asked by the MTA itself (%s), so milterscan does not ask it as well", s.Name, asked)
			continue
		}
		w.set("["+s.Section+"]", s.Name+" answers there.", "address", list([]string{s.Address}))
		w.scored = true
		return
	}
}

// rule writes the rule that needs scores.
func (w *writer) rule() {
	if !w.scored {
		return
	}
	w.set("[[rule]]", "Scores are asked only where a rule wants them. This one marks, and refuses nothing.",
		"name", `"spam is marked"`)
	w.set("[[rule]]", "", "direction", `["inbound"]`)
	w.set("[[rule]]", "", "when", `["score >= 5"]`)
	w.set("[[rule]]", "", "headers", `{ X-Spam-Flag = "YES" }`)
}

// asksIt returns the milter by which an MTA asks a scorer itself: by its name, or rspamd's
// port; "" for none.
func asksIt(mtas []survey.MTA, scorer string) string {
	marks := map[string][]string{"rspamd": {"rspamd", ":11332"}, "SpamAssassin": {"spamass"}}[scorer]
	for _, m := range mtas {
		for _, milter := range m.Asks {
			if slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(milter, mark) }) {
				return milter
			}
		}
	}
	return ""
}

// room writes smaller sizes if the defaults do not fit on this host.
func (w *writer) room(r survey.Room) {
	d := config.Default()
	if r.Spool > 0 && r.Spool < d.Spool.Disk {
		w.set("[spool]", "Half of what is free there now.", "disk", strconv.Quote(half(r.Spool).String()))
	}
	if r.State > 0 && r.State < d.Quarantine.Size {
		w.set("[quarantine]", "Half of what is free there now.", "size", strconv.Quote(half(r.State).String()))
	}
	if r.Memory > 0 && r.Memory < leastMemory {
		w.note("see docs/sizing.md", "only %v of memory are free, and milterscan takes some 600 MB at the worst",
			r.Memory/units.MB*units.MB)
	}
}

// leastMemory is the memory that milterscan may take at the worst (docs/sizing.md).
const leastMemory = 640 * units.MB

// half returns half a size in whole megabytes, and one at least.
func half(s units.Size) units.Size { return max(s/2/units.MB, 1) * units.MB }
