package scan

import (
	"net/netip"
	"time"
)

// Stage is a point of the SMTP dialogue at which a decision can be given.
type Stage int

// The stages in the order in which a message passes them.
const (
	StageConnect Stage = iota
	StageHelo
	StageMail
	StageRcpt
	StageMessage // the whole message is there: the end-of-message stage
)

var stageNames = [...]string{"connect", "helo", "mail", "rcpt", "message"}

// String returns the stage as the log and the rules call it.
func (s Stage) String() string { return nameOf(stageNames[:], int(s)) }

// Envelope holds the facts about a message that the MTA gives in addition to its
// content. It is a value: a check that runs in the background keeps its own copy.
type Envelope struct {
	QueueID    string         // the MTA's; empty before it is known
	Client     netip.AddrPort // the zero value: not a network client, or unknown
	Place      Place          // of Client, as far as it is known
	Via        netip.Addr     // the host of ours that passed it on, if Client is only what that one wrote
	ClientName string         // as the MTA resolved it
	Helo       string
	AuthUser   string // SASL login name; empty when not authenticated
	Listener   string // the MTA daemon's name, from {daemon_name}
	Sender     string // without angle brackets; empty for the null sender
	Recipients []string
	TLS, UTF8  bool // TLS on the client's connection; SMTPUTF8 was asked for
	Received   time.Time
	Times      Times
}

// Place says where a client is, as far as the administrator's databases do.
type Place struct {
	Country string // its two letters (ISO 3166-1), upper case; "" if that is not known
	ASN     uint32 // the number of the autonomous system, 0 if that is not known
	Network string // the name of that; "" if that is not known
}

// Times says when the stages before and after MAIL were; zero where that is not known.
type Times struct {
	Connect, Helo time.Time
	Rcpt          time.Time // the last one that was accepted
	End           time.Time // of the message
}

// Clone returns an envelope that shares no memory with e.
func (e Envelope) Clone() Envelope {
	e.Recipients = append([]string(nil), e.Recipients...)
	return e
}
