package mtalog

import (
	"regexp"
	"strings"
)

// eximID is a message id of Exim, before 4.97 and since.
var eximID = regexp.MustCompile(`^[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})(?: |$)`)

// isEximText reports whether a text is what follows the time in Exim's own log: the
// number of the process if that is logged, and a message id.
func isEximText(text string) bool {
	text = afterNumber(text)
	return len(text) > 6 && text[6] == '-' && eximID.MatchString(text)
}

// afterNumber returns a text without the "[123] " it begins with.
func afterNumber(text string) string {
	if number, rest, ok := strings.Cut(text, "] "); ok && strings.HasPrefix(number, "[") && digits(number[1:]) {
		return rest
	}
	return text
}

// exim reads a line of Exim: from its log, or from syslog, where it may repeat the time.
func (p *Parser) exim(l line) (e Event, ok bool) {
	if !l.bare {
		if l.tag != "exim" && l.tag != "exim4" {
			return e, false
		}
		if when, coarse, rest, timed := p.again.stamp(l.text); timed {
			l.text = rest
			if !coarse {
				l.time, l.coarse = when, false
			}
		}
	}
	text := afterNumber(l.text)
	if !eximID.MatchString(text) {
		return e, false
	}
	id, rest, _ := strings.Cut(text, " ")
	e = Event{MTA: "exim", Queue: strings.Clone(id), Time: l.time, Coarse: l.coarse}
	return e, eximText(&e, rest)
}

// arrows are the flags of Exim's log (The Exim Specification, section 53.10).
var arrows = map[string]Kind{
	"=>": Sent, "->": Sent, ">>": Sent, "*>": Sent, "==": Deferred, "**": Bounced,
}

// eximText reads what follows the id.
func eximText(e *Event, text string) bool {
	flag, rest, _ := strings.Cut(text, " ")
	if flag == "<=" {
		return arrived(e, rest)
	}
	if kind, ok := arrows[flag]; ok {
		e.Kind = kind
		return eximDelivery(e, rest)
	}
	e.Kind = eximState(text)
	if e.Kind != "" && e.Kind != Removed {
		e.Text = cut(text, maxText)
	}
	return e.Kind != ""
}

// eximState returns what a line without a flag says of the whole message.
func eximState(text string) Kind {
	switch {
	case text == "Completed", strings.HasPrefix(text, "Completed "), strings.HasPrefix(text, "removed by "):
		return Removed
	case text == "Frozen", strings.HasPrefix(text, "Frozen "), strings.HasPrefix(text, "frozen by "),
		text == "Message is frozen", strings.HasPrefix(text, "Message is frozen "):
		return Held
	case strings.HasPrefix(text, "Unfrozen by "), strings.HasPrefix(text, "unfrozen by "):
		return Freed
	case strings.HasPrefix(text, "cancelled by "):
		return Expired
	}
	return ""
}

// arrived reads "sender H=host (helo) [192.0.2.1] P=esmtp S=123 id=... T="subject" ...".
func arrived(e *Event, text string) bool {
	address, rest := eximAddress(text)
	if address == "" {
		return false
	}
	e.Kind, e.Sender = Queued, sender(strings.Trim(address, "<>"))
	for _, field := range eximFields(rest) {
		switch {
		case strings.HasPrefix(field, "id="):
			e.MessageID = bracketless(field[3:])
		case strings.HasPrefix(field, "R="): // of a bounce: the message it is about
			if eximID.MatchString(field[2:]) {
				e.Parent = strings.Clone(field[2:])
			}
		case strings.HasPrefix(field, "H="):
			e.Client = cut(field[2:], maxAddress)
		case strings.HasPrefix(field, "U=") && e.Client == "":
			e.Client = "local " + cut(field[2:], maxID)
		}
	}
	return true
}

// eximDelivery reads "address <parent> F=<sender> R=router T=transport H=host [192.0.2.1]
// C="answer" QT=1s DT=0s", and after a deferral or failure ": reason".
func eximDelivery(e *Event, text string) bool {
	address, rest := eximAddress(text)
	if address == "" {
		return false
	}
	if parent, _, _ := strings.Cut(rest, " "); !strings.Contains(address, "@") && strings.HasPrefix(parent, "<") {
		address = strings.TrimSuffix(parent, ":")
	}
	e.Recipient = cut(strings.Trim(address, "<>"), maxAddress)
	if e.Kind != Sent {
		fields, reason := eximReason(rest)
		rest, e.Text = fields, cut(reason, maxText)
	}
	for _, field := range eximFields(rest) {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "T":
			e.Agent = cut(strings.TrimSuffix(value, ":"), maxQueue)
		case "H":
			e.Relay = cut(value, maxAddress)
		case "C":
			e.Text = cut(value, maxText)
			e.Next = QueueIn(value)
		case "QT":
			e.After = eximTime(value)
		}
	}
	return true
}

// eximReason parts the fields of a deferral or failure from its reason: the first ":"
// that ends a field, or "defer (-1)".
func eximReason(text string) (fields, reason string) {
	if before, after, ok := strings.Cut(text, " defer ("); ok && !strings.Contains(before, ": ") {
		return before, "defer (" + after
	}
	fields, reason, _ = strings.Cut(text, ": ")
	return fields, reason
}

// eximAddress reads the address at the beginning of a text, which may have quotes.
func eximAddress(text string) (address, rest string) {
	return untilUnquoted(text, ' ')
}

// eximFields returns the fields "K=value" of a line. A value ends at a blank, one in
// quotes at the other quote; what belongs to a host, "(helo) [192.0.2.1]:25", follows
// it. Fields after the subject are not read: a subject may say anything.
func eximFields(text string) (fields []string) {
	for text != "" {
		var field string
		if field, text = eximField(text); strings.HasPrefix(field, "T=\"") {
			return fields
		}
		last := len(fields) - 1
		switch {
		case last >= 0 && strings.HasPrefix(fields[last], "H=") && (strings.HasPrefix(field, "(") || strings.HasPrefix(field, "[")):
			fields[last] += " " + field
		case strings.Contains(field, "="):
			fields = append(fields, unquoted(field))
		}
	}
	return fields
}

// eximField takes the first field off a text. Addresses in brackets may have quotes.
func eximField(text string) (field, rest string) {
	if i := strings.Index(text, "=<"); i > 0 && !strings.Contains(text[:i], " ") {
		address, rest := untilUnquoted(text[i+2:], '>')
		return text[:i+2] + address + ">", strings.TrimPrefix(rest, " ")
	}
	if i := strings.Index(text, `="`); i > 0 && !strings.Contains(text[:i], " ") {
		for j := i + 2; j < len(text); j++ {
			switch {
			case text[j] == '\\':
				j++
			case text[j] == '"':
				return text[:j+1], strings.TrimPrefix(text[j+1:], " ")
			}
		}
	}
	field, rest, _ = strings.Cut(text, " ")
	return field, rest
}

// unquoted takes the quotes off the value of a field.
func unquoted(field string) string {
	name, value, _ := strings.Cut(field, "=")
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return field
	}
	value = value[1 : len(value)-1]
	return name + "=" + strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value)
}

var eximSpan = regexp.MustCompile(`(\d+(?:\.\d+)?)([wdhms])`)

// eximTime reads a duration such as "1d2h3m4s" or "0.123s".
func eximTime(s string) (total Millis) {
	unit := map[string]Millis{"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
	for _, m := range eximSpan.FindAllStringSubmatch(s, 5) {
		total += seconds(m[1]) * unit[m[2]]
	}
	return total
}
