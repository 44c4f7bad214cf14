package milter

import (
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/policy"
)

// maxReplyText is how much of a reply's text is sent; SMTP lines end at 512
// bytes (RFC 5321, section 4.5.3.1.5), and several lines are possible.
const maxReplyText = 2000

// The replies of milter itself. All are temporary: the MTA keeps the message,
// or the client does, and nothing is let through.
var (
	unavailable   = respond(policy.MailUnavailable)
	noStorage     = respond(policy.NoStorage)
	shuttingDown  = respond(policy.ShuttingDown)
	tooManyRcpts  = respond(policy.TooManyRecipients)
	rejectDefault = policy.Refused
	laterDefault  = policy.TryLater
)

// refusal returns the response for a ruling that refuses, nil for any other.
func refusal(r policy.Ruling) *gomilter.Response {
	switch r.Answer {
	case policy.Reject:
		return respond(complete(r.Reply, rejectDefault))
	case policy.Tempfail:
		return respond(complete(r.Reply, laterDefault))
	}
	return nil
}

// complete makes sure that a reply is of the class its answer needs, and that
// code and enhanced code agree: Postfix takes any other for a broken filter.
func complete(r, otherwise policy.Reply) policy.Reply {
	if r.Code/100 != otherwise.Code/100 {
		r.Code = otherwise.Code
	}
	if !enhanced(r.Enhanced) || r.Enhanced[0] != otherwise.Enhanced[0] {
		r.Enhanced = otherwise.Enhanced
	}
	if r.Text = replyText(r.Text); r.Text == "" {
		r.Text = otherwise.Text
	}
	return r
}

// enhanced reports whether s is an enhanced status code (RFC 3463, section 2).
func enhanced(s string) bool {
	fields := strings.Split(s, ".")
	if len(fields) != 3 || len(fields[0]) != 1 {
		return false
	}
	for _, f := range fields {
		if f == "" || len(f) > 3 || strings.Trim(f, "0123456789") != "" {
			return false
		}
	}
	return true
}

// replyText makes text fit for a reply: printable ASCII (RFC 5321, section
// 4.2), and lines. Every other character becomes a question mark.
func replyText(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r >= ' ' && r <= '~':
			return r
		case r == '\r':
			return '\n'
		case r == '\t':
			return ' '
		}
		return '?'
	}, text)
	return strings.Trim(text[:min(len(text), maxReplyText)], "\n ")
}

// respond returns a reply as the library sends it: with both codes on every line of
// the text, and "%" doubled, which both MTAs undo.
func respond(r policy.Reply) *gomilter.Response {
	response, err := gomilter.RejectWithCodeAndReason(uint16(r.Code), r.Enhanced+" "+r.Text)
	if err != nil { // the code is none, or the text too long: neither passes complete
		return gomilter.RespTempFail
	}
	return response
}
