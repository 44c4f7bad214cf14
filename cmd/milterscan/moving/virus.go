package moving

import (
	"fmt"
	"slices"
	"strings"
)

// otherEngines are scanners of MailScanner that milterscan cannot call without more settings, with a remedy.
var otherEngines = map[string]string{
	"kse":       "Kaspersky Scan Engine speaks ICAP: [[virus]] with type = \"icap\"",
	"kaspersky": "[[virus]] with type = \"icap\" or \"command\"",
	"drweb":     "[[virus]] with type = \"icap\" or \"command\"",
	"esets":     "[[virus]] with type = \"icap\" or \"command\"",
	"esetsefs":  "[[virus]] with type = \"icap\" or \"command\"",
	"generic":   "[[virus]] with type = \"command\"",
}

// viruses takes over the engines, and the actions for infected mail.
func (c *conf) viruses() {
	s := c.get("Virus Scanners", "auto")
	scanning := c.get("Virus Scanning", "yes")
	for _, l := range c.clauses(scanning) {
		if is, ok := yes(l.value); ok && !is && !l.scope.everybody() {
			c.about(Impossible, scanning, l, "milterscan shows all mail to the engines; "+
				"mail with a virus is let through by no list. A rule of your own with when = [\"infected\"] would")
		}
	}
	if is, ok := yes(c.last(scanning).value); ok && !is {
		c.done(Differs, scanning,
			"no engine is asked; the built-in one, which knows the EICAR test string, is always on")
		c.done(Needless, s, "MailScanner does not scan for viruses")
		return
	}
	c.done(Taken, scanning, "all mail is shown to all engines")
	names := strings.FieldsFunc(strings.ToLower(c.single(s).value),
		func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	var made, left []string
	for _, name := range names {
		if c.engine(s, name) {
			made = append(made, name)
			continue
		}
		why, known := otherEngines[name]
		switch {
		case name == "none":
		case name == "auto":
			left = append(left, "auto takes whatever is installed, which files do not tell: "+
				"name your engines in [[virus]], as docs/engines.md shows")
		case known:
			left = append(left, name+": "+why)
		default:
			left = append(left, name+": [[virus]] with type = \"command\" runs a program, "+
				"with \"icap\" asks a server; docs/engines.md shows both")
		}
	}
	switch {
	case len(left) > 0:
		c.done(Impossible, s, "%s", strings.Join(left, "; "))
	case len(made) == 0:
		c.done(Needless, s, "it names no engine")
	default:
		c.done(Taken, s, "[[virus]]")
	}
}

// engine writes one engine, and reports whether it is one of ClamAV.
func (c *conf) engine(s setting, name string) bool {
	if name != "clamd" && name != "clamav" {
		return false
	}
	wait := c.get("Virus Scanner Timeout", "300")
	t := c.out.add("virus")
	t.set("name", name, s.origin())
	if name == "clamd" {
		t.set("type", "clamd", s.origin())
		socket := c.get("Clamd Socket", "/var/run/clamav/clamd.ctl")
		address := c.single(socket).value
		if port := c.get("Clamd Port", "3310"); !strings.HasPrefix(address, "/") {
			t.words("address", []string{"tcp:" + address + ":" + port.value}, socket.origin())
			c.done(Taken, port, "virus.address")
		} else {
			t.words("address", []string{"unix:" + address}, socket.origin())
			c.done(Needless, port, "clamd listens on a socket")
		}
		c.done(Taken, socket, "virus.address")
	} else {
		t.set("type", "command", s.origin())
		t.words("command", []string{"/usr/bin/clamscan", "--no-summary", "-r", "{dir}"}, s.origin())
		t.set("signature", `: (\S+) FOUND`, s.origin())
		t.words("read", []string{"/var/lib/clamav"}, s.origin())
	}
	n, err := number(c.single(wait).value)
	if err != nil || n < 1 {
		return true
	}
	const most = 45
	t.raw("timeout", quoted(fmt.Sprintf("%ds", int(min(n, most)))), wait.origin())
	if n > most {
		c.done(Differs, wait, "%ds: the client of the MTA waits for the answer, "+
			"and limits.time is 1m for all of them; an engine that does not answer in time defers the mail", most)
	} else {
		c.done(Taken, wait, "virus.timeout")
	}
	return true
}

// infected writes the rule for infected mail.
func (c *conf) infected() {
	silent := c.get("Silent Viruses", "HTML-IFrame All-Viruses")
	still := c.get("Still Deliver Silent Viruses", "no")
	keeps := c.get("Quarantine Silent Viruses", "no")
	all := slices.ContainsFunc(strings.Fields(c.single(silent).value),
		func(w string) bool { return strings.EqualFold(w, "All-Viruses") })
	if all && !c.is("Still Deliver Silent Viruses", "no") {
		rule := c.out.rule(c.nameRule("infected"), silent.origin())
		rule.words("when", []string{"infected"}, silent.origin())
		rule.set("action", "reject", silent.origin())
		if c.is("Quarantine Silent Viruses", "no") {
			rule.raw("keep", "true", keeps.origin())
		}
		c.notify(rule)
		c.done(Differs, silent, "infected mail is refused, where MailScanner drops it without a word: "+
			"no notice goes to a forged sender, and the server that sends it hears why")
		c.done(Taken, still, "infected mail is not delivered")
		c.done(Taken, keeps, "keep of the rule about infected mail")
		return
	}
	rule := c.out.rule(c.nameRule("infected"), silent.origin())
	rule.words("when", []string{"infected"}, silent.origin())
	c.takenOut(rule, c.tag("Virus Modify Subject", "Virus Subject Text", "{Virus?}"))
	c.done(Differs, silent, "the rule about infected mail does not tell viruses apart: what is infected is taken "+
		"out, and the rest arrives. A rule with when = [\"virus/NAME*\"] before it can refuse some")
	c.done(Differs, still, "see Silent Viruses")
	c.done(Differs, keeps, "the original is kept as of any other virus")
}
