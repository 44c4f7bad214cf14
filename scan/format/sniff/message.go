package sniff

import (
	"bytes"
	"strings"
)

// MessageHead is how much of a content IsMessage wants to see, in bytes.
const MessageHead = 4 << 10

// fields are the header fields that mails have (RFC 5322, RFC 2045), and whether
// nothing else has them.
var fields = map[string]bool{
	"received": true, "return-path": true, "message-id": true, "mime-version": true, "delivered-to": true, "x-mimeole": true,
	"dkim-signature": true, "x-mailer": true,
	"from": false, "to": false, "cc": false, "subject": false, "date": false, "reply-to": false, "content-type": false,
}

// IsMessage reports whether a content that begins with head is a mail or a web
// page saved as a file (RFC 5322, RFC 2557), whatever it is called: header fields
// from the first line on, among them at least three that mails have, and one that
// only mails have. For a page the version of MIME and a type are enough. The
// lines that programs quote above a reply do not pass.
func IsMessage(head []byte) bool {
	head = bytes.TrimPrefix(head[:min(len(head), MessageHead)], []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, "\r\n")
	if bytes.HasPrefix(head, []byte("From ")) { // the first line of a mailbox
		_, head, _ = bytes.Cut(head, []byte("\n"))
	}
	seen := map[string]bool{}
	certain := false
	for len(head) > 0 {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if head = rest; len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, ok := fieldName(line)
		if !ok {
			return !whole && enough(seen, certain) // the last line may be cut off
		}
		if only, known := fields[name]; known {
			seen[name] = true
			certain = certain || only
		}
	}
	return enough(seen, certain)
}

func enough(seen map[string]bool, certain bool) bool {
	return certain && len(seen) >= 3 || seen["mime-version"] && seen["content-type"]
}

// fieldName returns the name of a header field in lower case (RFC 5322, section 2.2).
func fieldName(line []byte) (string, bool) {
	name, _, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 || len(name) > 76 {
		return "", false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	return strings.ToLower(string(name)), true
}
