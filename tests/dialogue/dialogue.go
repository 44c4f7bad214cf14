// Package dialogue reads tests that a postmaster can read, and plays them over
// any transport: a real MTA, the milter protocol, or no network at all.
//
// A file holds dialogues with empty lines between them. A dialogue is a title
// and statements; several statements may share a line when two blanks or more
// are between them:
//
//	# two recipients, one may have programs
//	CONFIG [[rule]]
//	FROM <x@example.net>   TO <a@example.com>   TO <boss@example.com>
//	MESSAGE hostile/A22/base64/part/ordinary
//	EXPECT deliver   DROP <a@example.com>   KEEP 1
//
// The client: CLIENT, HELO and AUTH describe the connection; FROM, TO and MESSAGE a
// mail; ABORT hangs up the mail before its end; THEN begins the next mail on the same
// connection. CONFIG is a line of configuration; a block of nothing but CONFIG and
// comments holds for the rest of the file.
//
// The expectation: EXPECT says the action, REPLY the beginning of the SMTP reply,
// DROP and ADD the recipients that change, SENDER the new sender, HEADER a field that
// is added, RULE a rule that must have matched, KEEP the number of copies kept, and
// UNTOUCHED that nothing at all was changed.
package dialogue

// Dialogue is one connection and the mails sent on it.
type Dialogue struct {
	Title    string
	Where    string   // "policy.txt:12"
	Config   []string // lines of configuration
	Client   string   // IP address; "" if it does not matter
	Helo     string
	Auth     string
	Messages []Message
}

// Message is one mail of a dialogue and what must become of it.
type Message struct {
	From   string // without angle brackets
	To     []string
	Source string // what Open makes the mail from
	Abort  bool   // the client gives the mail up; nothing is expected
	Want   Want
}

// Want is what must become of a mail. Empty fields are not looked at, but for
// Drop and Add, which are complete.
type Want struct {
	Action    string // deliver, reject, tempfail, discard, hold, quarantine
	Reply     string // the SMTP reply begins so
	Drop, Add []string
	Sender    string
	Headers   []string // "Name: value", or "Name:" for any value
	Rules     []string
	Keep      int // copies; -1: not looked at
	Untouched bool
}

// Answer is the result of a mail, as a transport sees it.
type Answer struct {
	Action    string
	Reply     string
	Drop, Add []string
	Sender    string   // "" if it did not change
	Headers   []string // added fields, "Name: value"
	Rules     []string // nil: the transport cannot see them
	Keep      int      // copies kept; -1: the transport cannot see them
	Changed   bool     // anything in the mail differs from what was sent, or its recipients do
}
