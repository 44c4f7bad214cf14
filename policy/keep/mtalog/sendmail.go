package mtalog

import (
	"regexp"
	"strconv"
	"strings"
)

// sendmail reads a line of Sendmail, "ID: text" of "sendmail", "sm-mta" or "sm-msp-queue".
func sendmail(l line) (e Event, ok bool) {
	if l.tag != "sendmail" && !strings.HasPrefix(l.tag, "sm-") {
		return e, false
	}
	queue, text, found := strings.Cut(l.text, ": ")
	if !found || !isSendmailQueue(queue) {
		return e, false
	}
	e = Event{MTA: "sendmail", Queue: queue, Instance: cut(l.tag, maxID)}
	return e, sendmailText(&e, text)
}

// isSendmailQueue reports whether a word is a queue id: eight characters of the time,
// and digits of the process.
func isSendmailQueue(s string) bool {
	return len(s) >= 13 && len(s) <= 20 && digits(s[8:]) && strings.Trim(s[:8], alphanumeric) == ""
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func sendmailText(e *Event, text string) bool {
	switch {
	case strings.HasPrefix(text, "from="):
		return sendmailFrom(e, text)
	case strings.HasPrefix(text, "to="):
		return sendmailTo(e, text)
	case strings.HasPrefix(text, "quarantine="), milterHeld.MatchString(text):
		e.Kind, e.Text = Held, cut(text, maxText)
	case text == "unquarantine":
		e.Kind = Freed
	case strings.HasPrefix(text, "Milter: data, "), strings.HasPrefix(text, "Milter: data discard"), text == "discarded":
		e.Kind, e.Text = Refused, cut(text, maxText)
	case text == "done", strings.HasPrefix(text, "done; delay="):
		e.Kind = Removed
	default:
		return sendmailNotice(e, text)
	}
	return true
}

// sendmailNotice reads "ID: DSN: User unknown": the first id is of the message, the
// second of the mail that tells its sender.
func sendmailNotice(e *Event, text string) bool {
	next, what, ok := strings.Cut(text, ": ")
	if !ok || !isSendmailQueue(next) {
		return false
	}
	for _, word := range []string{"DSN", "postmaster notify", "return to sender", "sender notify"} {
		if strings.HasPrefix(what, word+": ") {
			e.Kind, e.Next, e.Text = Notified, next, cut(what, maxText)
			return true
		}
	}
	return false
}

var (
	fromFacts = regexp.MustCompile(`, size=(\d+), class=-?\d+, nrcpts=(\d+), `)
	toFacts   = regexp.MustCompile(`, delay=((?:\d+\+)?\d\d:\d\d:\d\d)(?:, xdelay=(?:\d+\+)?\d\d:\d\d:\d\d)?` +
		`(?:, mailer=([\w*]+))?, pri=\d+, `)
	toHeld     = regexp.MustCompile(`^quarantine=[^,]*, `)
	milterHeld = regexp.MustCompile(`^milter=[\w.-]+, quarantine=`)
	toRelay    = regexp.MustCompile(`^relay=([^,]*), `)
	toDSN      = regexp.MustCompile(`^dsn=([245]\.\d+\.\d+), `)
)

// sendmailFrom reads "from=<a@example.com>, size=12, class=0, nrcpts=1, msgid=<...>,
// proto=ESMTP, daemon=MTA, relay=host [192.0.2.1]". The text between the address and the
// Message-ID must be there once, or neither can be told from what the sender made up.
func sendmailFrom(e *Event, text string) bool {
	all := fromFacts.FindAllStringSubmatchIndex(text, 2)
	if len(all) == 0 {
		return false
	}
	e.Kind = Queued
	if len(all) > 1 {
		e.Kind, e.Text = Unclear, cut(text, maxText)
		return true
	}
	e.Sender = sender(strings.Trim(text[len("from="):all[0][0]], "<>"))
	e.Text = "size " + text[all[0][2]:all[0][3]] + ", recipients " + text[all[0][4]:all[0][5]]
	rest := text[all[0][1]:]
	if id, ok := strings.CutPrefix(rest, "msgid="); ok {
		if i := strings.LastIndexByte(id, '>'); i >= 0 {
			id, rest = id[:i], id[i+1:]
		} else {
			id, rest, _ = strings.Cut(id, ", ")
		}
		e.MessageID = bracketless(id)
	}
	if i := strings.LastIndex(rest, ", relay="); i >= 0 {
		e.Client = cut(rest[i+len(", relay="):], maxAddress)
	}
	return true
}

// sendmailTo reads "to=<a@example.com>,<b@example.com>, ctladdr=..., delay=00:00:01,
// xdelay=00:00:00, mailer=esmtp, pri=120, relay=host. [192.0.2.1], dsn=2.0.0, stat=Sent
// (answer)".
func sendmailTo(e *Event, text string) bool {
	all := toFacts.FindAllStringSubmatchIndex(text, 2)
	if len(all) == 0 {
		return false
	}
	if len(all) > 1 {
		e.Kind, e.Text = Unclear, cut(text, maxText)
		return true
	}
	to, _, _ := strings.Cut(text[len("to="):all[0][0]], ", ctladdr=")
	e.Recipient = cut(recipients(to), maxAddress)
	e.After = sendmailDelay(text[all[0][2]:all[0][3]])
	if all[0][4] >= 0 {
		e.Agent = cut(text[all[0][4]:all[0][5]], maxQueue)
	}
	rest := text[all[0][1]:]
	if m := toRelay.FindStringSubmatch(rest); m != nil {
		e.Relay, rest = cut(m[1], maxAddress), rest[len(m[0]):]
	}
	if m := toDSN.FindStringSubmatch(rest); m != nil {
		e.DSN, rest = m[1], rest[len(m[0]):]
	}
	rest = rest[len(toHeld.FindString(rest)):]
	if stat, ok := strings.CutPrefix(rest, "stat="); ok {
		e.stated(stat)
	}
	return e.Kind != ""
}

// recipients returns a list of addresses without their brackets.
func recipients(list string) string {
	return strings.ReplaceAll(strings.Trim(list, "<>"), ">,<", ", ")
}

// stated reads the state of a delivery.
func (e *Event) stated(text string) {
	e.Text = cut(text, maxText)
	switch {
	case strings.HasPrefix(text, "Sent"):
		e.Kind = Sent
		_, answer, _ := strings.Cut(text, " (")
		e.Next = QueueIn(strings.TrimSuffix(answer, ")"))
	case strings.HasPrefix(text, "Deferred"), text == "queued":
		e.Kind = Deferred
	case strings.HasPrefix(text, "quarantined"):
		e.Kind = Held
	case strings.HasPrefix(e.DSN, "4."):
		e.Kind = Deferred
	default:
		e.Kind = Bounced
	}
}

// sendmailDelay reads "00:01:02" or "3+00:01:02", with days.
func sendmailDelay(s string) Millis {
	var days int
	if before, after, ok := strings.Cut(s, "+"); ok {
		days, _ = strconv.Atoi(before)
		s = after
	}
	total := Millis(min(days, 1000)) * 86400_000
	for i, part := range strings.Split(s, ":") {
		n, _ := strconv.Atoi(part)
		total += Millis(n) * []Millis{3600_000, 60_000, 1000}[min(i, 2)]
	}
	return total
}
