package mtalog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// line is a line of a log with its header read.
type line struct {
	time   time.Time
	coarse bool
	host   string
	tag    string // the name of the program: "postfix/smtp"
	text   string // what the program wrote
	bare   bool   // there was no header but a time: Exim's own log
}

// header reads the header of a line: of syslog as it always was (RFC 3164) with or
// without a year, with times of RFC 3339, of RFC 5424, of the journal as JSON, and of
// Exim's own log. ok is false for a line that is none of these.
func (p *Parser) header(text string) (l line, ok bool) {
	if strings.HasPrefix(text, "{") {
		return journalLine([]byte(text))
	}
	text = withoutPriority(text)
	l.time, l.coarse, text, ok = p.clock.stamp(text)
	if !ok {
		return l, false
	}
	if isEximText(text) {
		l.text, l.bare = text, true
		return l, true
	}
	if l.host, text, ok = strings.Cut(text, " "); !ok {
		return l, false
	}
	if l.tag, l.text, ok = tag(text); !ok {
		l.tag, l.text, ok = tag5424(text)
	}
	return l, ok
}

// withoutPriority returns a line without "<22>" and the version "1 " of RFC 5424.
func withoutPriority(text string) string {
	if !strings.HasPrefix(text, "<") {
		return text
	}
	number, rest, ok := strings.Cut(text[1:], ">")
	if _, err := strconv.ParseUint(number, 10, 8); !ok || err != nil {
		return text
	}
	return strings.TrimPrefix(rest, "1 ")
}

// tag reads "program[123]: text".
func tag(text string) (name, rest string, ok bool) {
	head, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return "", "", false
	}
	name, number, numbered := strings.Cut(head, "[")
	if numbered && (!strings.HasSuffix(number, "]") || !digits(number[:len(number)-1])) {
		return "", "", false
	}
	return name, rest, isName(name)
}

// tag5424 reads "program 123 - - text" (RFC 5424, section 6): program, process, message
// id and structured data, none of which a mail has a part in.
func tag5424(text string) (name, rest string, ok bool) {
	name, rest, ok = strings.Cut(text, " ")
	for range 2 {
		if ok {
			_, rest, ok = strings.Cut(rest, " ")
		}
	}
	if !ok || !isName(name) {
		return "", "", false
	}
	if after, none := strings.CutPrefix(rest, "- "); none {
		return name, strings.TrimPrefix(after, "\ufeff"), true
	}
	if _, after, found := strings.Cut(rest, "] "); found && strings.HasPrefix(rest, "[") {
		return name, strings.TrimPrefix(after, "\ufeff"), true
	}
	return "", "", false
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isName reports whether a text can be the name of a program: of one word.
func isName(s string) bool { return s != "" && len(s) < 100 && !strings.ContainsAny(s, " \t:()\"") }

// entry holds the bytes read of an entry of the journal (systemd.journal-fields(7)).
type entry struct {
	Cursor     string          `json:"__CURSOR"`
	Time       string          `json:"__REALTIME_TIMESTAMP"`
	Source     string          `json:"_SOURCE_REALTIME_TIMESTAMP"`
	Host       string          `json:"_HOSTNAME"`
	Identifier string          `json:"SYSLOG_IDENTIFIER"`
	Command    string          `json:"_COMM"`
	Message    json.RawMessage `json:"MESSAGE"`
}

// journalLine reads an entry that journalctl wrote as JSON.
func journalLine(text []byte) (l line, ok bool) {
	var e entry
	if json.Unmarshal(text, &e) != nil || len(e.Message) == 0 {
		return l, false
	}
	when := e.Source
	if when == "" {
		when = e.Time
	}
	micros, err := strconv.ParseInt(when, 10, 64)
	if err != nil {
		return l, false
	}
	l = line{time: time.UnixMicro(micros), host: e.Host, tag: e.Identifier, text: e.text()}
	if l.tag == "" {
		l.tag = e.Command
	}
	return l, isName(l.tag)
}

// text returns the message: a string, or the bytes of one that is no UTF-8, or null for
// one that journalctl found too long.
func (e entry) text() string {
	var s string
	if bytes.HasPrefix(e.Message, []byte(`"`)) && json.Unmarshal(e.Message, &s) == nil {
		return s
	}
	var raw []byte // of a JSON array, the numbers
	if json.Unmarshal(e.Message, &raw) != nil {
		return ""
	}
	return string(raw)
}
