package mtalog

import (
	"regexp"
	"strconv"
	"strings"
)

// postfix reads a line of Postfix, "ID: text" of "postfix/smtp" or "postfix-out/smtp"
// or, with syslog_name set for a service, "postfix/submission/smtpd".
func postfix(l line) (e Event, ok bool) {
	slash := strings.LastIndexByte(l.tag, '/')
	if slash < 1 {
		return e, false
	}
	queue, text, found := strings.Cut(l.text, ": ")
	if !found || !isPostfixQueue(queue) {
		return e, false
	}
	instance, _, _ := strings.Cut(l.tag, "/")
	e = Event{MTA: "postfix", Instance: cut(instance, maxID), Agent: cut(l.tag[slash+1:], maxQueue), Queue: queue}
	if read, known := postfixServices[e.Agent]; known {
		return e, read(&e, text)
	}
	return e, delivery(&e, text) // a transport with another name
}

// postfixServices read what the programs of Postfix write of a message.
var postfixServices = map[string]func(*Event, string) bool{
	"smtpd": client, "qmqpd": client, "postscreen": never,
	"pickup": pickedUp, "cleanup": cleanup,
	"qmgr": manager, "nqmgr": manager, "oqmgr": manager,
	"bounce": notified, "defer": notified, "trace": notified,
	"postsuper": super,
}

func never(*Event, string) bool { return false }

// isPostfixQueue reports whether a word is a queue id: short ones are the microseconds
// and the inode in hexadecimal digits, long ones have the digits and letters that are
// no vowels.
func isPostfixQueue(s string) bool {
	short := strings.Trim(s, "0123456789ABCDEF") == "" && len(s) >= 6
	long := len(s) >= 10 && strings.Trim(s, "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz") == ""
	return len(s) <= maxQueue && (short || long)
}

// client reads "client=name[192.0.2.1]:port, sasl_method=...". A name of the DNS that
// Postfix has verified has neither blanks nor commas.
func client(e *Event, text string) bool {
	if who, ok := strings.CutPrefix(text, "client="); ok {
		who, _, _ = strings.Cut(who, ", ")
		e.Kind, e.Client = Queued, cut(who, maxAddress)
		return true
	}
	return refusal(e, text)
}

// pickedUp reads "uid=0 from=<a@example.com>", "uid=0 from=<> orig_id=ID".
func pickedUp(e *Event, text string) bool {
	uid, from, ok := strings.Cut(text, " from=<")
	if !ok || !strings.HasPrefix(uid, "uid=") {
		return false
	}
	address := from[:max(0, strings.LastIndexByte(from, '>'))]
	e.Kind, e.Client, e.Sender = Queued, "local "+cut(uid, maxQueue), sender(address)
	return true
}

// cleanup reads "message-id=<...>", which is foreign to its end, and what milters and
// header checks did.
func cleanup(e *Event, text string) bool {
	if id, ok := strings.CutPrefix(text, "message-id="); ok {
		e.Kind, e.MessageID = Named, bracketless(id)
		return true
	}
	return refusal(e, text)
}

// bracketless returns a Message-ID as records have it.
func bracketless(id string) string { return cut(strings.Trim(strings.TrimSpace(id), "<>"), maxID) }

// refusals are the words by which smtpd and cleanup say what they did instead of taking
// the message as it is.
var refusals = map[string]Kind{
	"reject": Refused, "milter-reject": Refused, "discard": Refused, "milter-discard": Refused,
	"hold": Held, "milter-hold": Held,
}

// refusal reads "milter-reject: END-OF-MESSAGE from ...". Only the first word is
// Postfix' own.
func refusal(e *Event, text string) bool {
	word, rest, ok := strings.Cut(text, ": ")
	kind, known := refusals[word]
	if !ok || !known {
		return false
	}
	e.Kind, e.Text = kind, cut(word+": "+rest, maxText)
	return true
}

var (
	queueActive = regexp.MustCompile(`^from=<(.*)>, size=(\d+), nrcpt=(\d+) \(queue active\)$`)
	expiredAll  = regexp.MustCompile(`^from=<(.*)>, status=((?:force-)?expired), returned to sender$`)
)

// manager reads the queue manager. Its lines begin and end with its own words.
func manager(e *Event, text string) bool {
	if text == "removed" {
		e.Kind = Removed
		return true
	}
	if m := queueActive.FindStringSubmatch(text); m != nil {
		e.Kind, e.Sender, e.Text = Active, sender(m[1]), "size "+m[2]+", recipients "+m[3]
		return true
	}
	if m := expiredAll.FindStringSubmatch(text); m != nil {
		e.Kind, e.Sender, e.Text = Expired, sender(m[1]), m[2]+", returned to sender"
		return true
	}
	return delivery(e, text) // of a transport that cannot be started
}

var notification = regexp.MustCompile(`^((?:sender|postmaster) (?:non-delivery|delay|delivery status) notification|` +
	`postmaster copy): (\w+)$`)

// notified reads "sender non-delivery notification: ID".
func notified(e *Event, text string) bool {
	m := notification.FindStringSubmatch(text)
	if m == nil {
		return delivery(e, text)
	}
	if !isPostfixQueue(m[2]) {
		return false
	}
	e.Kind, e.Text, e.Next = Notified, m[1], m[2]
	return true
}

// superseded are the words of postsuper.
var superseded = map[string]Kind{
	"removed": Removed, "placed on hold": Held, "released from hold": Freed, "requeued": Requeued, "expired": Expired,
}

func super(e *Event, text string) bool {
	e.Kind = superseded[text]
	e.Text = cut(text, maxText)
	return e.Kind != ""
}

// states are the values of "status=". Probes of addresses, which are (un)deliverable, are
// no mail.
var states = map[string]Kind{
	"sent": Sent, "deferred": Deferred, "bounced": Bounced, "expired": Expired,
}

// outcome is what follows the recipient in the line of a delivery, up to the answer.
var outcome = regexp.MustCompile(`, relay=([^ ,]+), (?:conn_use=\d+, )?delay=([0-9.]+), delays=[0-9./]+, ` +
	`dsn=([245]\.\d+\.\d+), status=(\w+)(?: |$)`)

// delivery reads "to=<a@example.com>, orig_to=<b>, relay=..., status=sent (answer)". The
// address is the sender's choice and the answer that of another host: the words between
// them must follow the address and be there once, or the line tells nothing but that it
// is odd.
func delivery(e *Event, text string) bool {
	if strings.HasPrefix(text, "host ") && (e.Agent == "smtp" || e.Agent == "lmtp") {
		e.Kind, e.Text = Tried, cut(text, maxText)
		return true
	}
	if !strings.HasPrefix(text, "to=<") || !outcome.MatchString(text) {
		return false
	}
	to, rest := deliveredTo(text)
	all := outcome.FindAllStringSubmatchIndex(rest, 2)
	if len(all) != 1 || all[0][0] != 0 {
		e.Kind, e.Text = Unclear, cut(text, maxText)
		return true
	}
	part := func(i int) string { return rest[all[0][2*i]:all[0][2*i+1]] }
	e.Kind = states[part(4)]
	e.Recipient, e.Relay, e.DSN = cut(to, maxAddress), cut(part(1), maxAddress), strings.Clone(part(3))
	if e.Relay == "none" {
		e.Relay = ""
	}
	e.After = seconds(part(2))
	e.answered(rest[all[0][1]:])
	return e.Kind != ""
}

// answered takes over the answer in brackets, and the queue id in it.
func (e *Event) answered(text string) {
	text = strings.TrimPrefix(text, "(")
	text = strings.TrimSuffix(text, ")")
	e.Text = cut(text, maxText)
	if e.Kind == Sent {
		e.Next = QueueIn(text)
	}
}

// deliveredTo takes "to=<a@example.com>" or "to=<a@example.com>, orig_to=<b>" off a text.
// Addresses are as RFC 5321 writes them. Postfix before 3.5 wrote no quotes, so that an
// address may seem to end before it does.
func deliveredTo(text string) (to, rest string) {
	to, rest = untilUnquoted(strings.TrimPrefix(text, "to=<"), '>')
	if orig, ok := strings.CutPrefix(rest, ", orig_to=<"); ok {
		_, rest = untilUnquoted(orig, '>')
	}
	return to, rest
}

// untilUnquoted reads an address up to the first end that is in no quotes; rest is empty
// if there is none.
func untilUnquoted(text string, end byte) (address, rest string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == end && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// seconds returns a number of seconds as milliseconds.
func seconds(s string) Millis {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e8 {
		return 0
	}
	return Millis(f*1000 + 0.5)
}

var queuedAs = []*regexp.Regexp{
	regexp.MustCompile(`\bqueued as ([0-9A-Za-z]{6,32})\b`),                                      // Postfix
	regexp.MustCompile(`^(?:\d{3} )?2\.0\.0 ([0-9A-Za-z]{14,20}) Message accepted for delivery`), // Sendmail
	regexp.MustCompile(`\bOK id=([0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4})\b`),          // Exim
}

// QueueIn returns the queue id that a host names in its answer to a message it has
// taken, "" if it names none. Any host may name any.
func QueueIn(answer string) string {
	for _, form := range queuedAs {
		if m := form.FindStringSubmatch(answer); m != nil {
			return strings.Clone(m[1])
		}
	}
	return ""
}
