package beside

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/tests/sample"
)

const recipient = "max@example.com"

// letter is a mail with its envelope. milterscan asks others about one that is connected.
type letter struct {
	mail, from, client, helo string
	connected                bool
}

// connected returns a letter about which milterscan asks others.
func connected(l letter) letter {
	l.connected = true
	return l
}

// arrived returns a mail as hosts of sender.test send it, which may.
func arrived(mail string) letter {
	return letter{mail: mail, from: "ann@sender.test", client: "192.0.2.10", helo: "mail.sender.test"}
}

const date, id = "Date: Mon, 30 Nov 2026 08:59:00 +0000\r\n", "Message-ID: <20261130085900.4711@sender.test>\r\n"

// head returns the header of an everyday mail but for its author, and for what describes its content.
func head(from, subject string) string {
	return "From: " + from + "\r\nTo: Max Fischer <" + recipient + ">\r\nSubject: " + subject + "\r\n" + date + id + "MIME-Version: 1.0\r\n"
}

const (
	ann     = "Ann Example <ann@sender.test>"
	subject = "Minutes of the meeting"
	text    = "Dear Max,\r\n\r\nhere are the minutes of our meeting on Tuesday. Please tell me\r\nwhether anything is missing.\r\n\r\nKind regards\r\nAnn\r\n"
)

func plain(from, more, body string) string {
	return head(from, subject) + more + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body
}

func page(html string) string {
	return head(ann, subject) + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><head>" +
		"<title>Minutes</title></head><body>" + html + "</body></html>\r\n"
}

// enclosing returns a mail with a text of a kind and a file after it.
func enclosing(subject, kind, body string, f sample.File, disposition string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: text/%s; charset=utf-8\r\n"+
		"Content-Transfer-Encoding: 8bit\r\n\r\n%s\r\n--=_b\r\nContent-Type: %s; name=\"%s\"\r\nContent-Disposition: %s; filename=\"%[5]s\"\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\n", head(ann, subject), kind, body, f.Type, f.Name, disposition)
	encoded := base64.StdEncoding.EncodeToString(f.Content)
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	return b.String() + encoded + "\r\n--=_b--\r\n"
}
