// Package policy decides what becomes of a message: pure functions from findings
// to a decision. It reads no clock, no file and no network.
package policy

import (
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// Answer is what the MTA is told about a message or a recipient.
type Answer int

// The answers, laxest first: of two that apply, the later one wins.
const (
	Deliver Answer = iota
	Tempfail
	Hold
	Discard
	Reject
)

var answerNames = [...]string{"deliver", "tempfail", "hold", "discard", "reject"}

// String returns the answer as rules, logs and reports write it.
func (a Answer) String() string {
	if a < 0 || int(a) >= len(answerNames) {
		return fmt.Sprintf("unknown-%d", int(a))
	}
	return answerNames[a]
}

// EditKind is a change to a part.
type EditKind int

// The edits, weakest first: a part gets at most one, the strongest asked for.
const (
	NoEdit EditKind = iota
	Rename
	Disarm
	Simplify
	Clean
	Replace
)

var editNames = [...]string{"", "rename", "disarm", "text", "clean", "replace"}

// String returns the edit as rules, logs and reports write it.
func (k EditKind) String() string {
	if k < 0 || int(k) >= len(editNames) {
		return fmt.Sprintf("unknown-%d", int(k))
	}
	return editNames[k]
}

// HeaderField is a field a rule adds on top of the message.
type HeaderField struct{ Name, Value string }

// Outcome is what one rule wants: one answer, and effects that add up.
type Outcome struct {
	Answer  Answer
	Reply   Reply         // for Tempfail and Reject; zero: made from the finding
	Keep    bool          // a copy in the quarantine, safe before the answer
	Appeal  []string      // for Reject: the classes of what the sender may appeal against; see Decision.Appeal
	Edit    EditKind      // of the part the finding points at
	Tag     string        // put before the subject
	Banner  string        // the name of the one put into the text
	Headers []HeaderField // added on top
	Add     []string      // recipients who get the message as well
	Only    []string      // recipients who get it instead of everybody else
	Notify  []string      // who is told: addresses, Recipients, InternalSender
	Else    *Outcome      // applies where the edit cannot be made; nil: reject
}

// The words in Outcome.Notify for those that a message concerns.
const (
	Recipients     = "recipients"         // each recipient of ours that the message is kept back from
	InternalSender = "sender-if-internal" // the sender of such a message, if it is from us
)

// Lets reports whether the outcome lets the message through without a change to a part, which may fail.
func (o Outcome) Lets() bool { return o.Answer == Deliver && o.Edit == NoEdit }

// Action returns the name of the outcome in reports: the answer, but "quarantine"
// for a message that is discarded and kept.
func (o Outcome) Action() string { return action(o.Answer, o.Keep) }

func action(a Answer, keep bool) string {
	if a == Discard && keep {
		return "quarantine"
	}
	return a.String()
}

// Reply is an SMTP reply: code, enhanced code (RFC 3463) and text.
type Reply struct {
	Code     int    // 4xx or 5xx; 0: no reply
	Enhanced string // "5.7.1"
	Text     string // printable ASCII, one line
}

// String returns the reply as SMTP shows it, "" for the zero reply.
func (r Reply) String() string {
	if r.Code == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text)
}

// RuleRef says where a rule is.
type RuleRef struct {
	Name string
	File string // "" for the shipped rules of a profile
	Line int
}

// Match is a rule that matched a finding for a recipient; not only the winner.
type Match struct {
	Rule     RuleRef
	Finding  int      // index into Input.Found; -1: the rule looks at no finding
	Alike    int      // further findings it matched that rules do not tell from this one
	Outcome  *Outcome // the rule's, which does not change
	Decides  bool     // it is the first that matched this finding
	Observed bool     // the rule only watches
}

// Verdict is what becomes of the message for one recipient.
type Verdict struct {
	Recipient string
	Outcome   Outcome
	Because   int       // index into Input.Found of the finding that decided, -1 if none did
	Rule      RuleRef   // the rule that decided or, if the mail just goes on, the first that did something; zero if there is none
	Applied   []RuleRef // all that decided about a finding or added something, those first that count most
	Watched   []RuleRef // those that only watch
	Direction Directions
	Listed    *ListEntry // the entry of a list by which it was decided; nil if by none
	Limit     *OwnLimit  // that the recipient has set, if a rule asks for it; nil if none does
	Matches   []Match    // of the message, and of the findings that rules do not tell apart together
	More      int        // matches there was no room for
}

// Edit is a change to one part.
type Edit struct {
	Kind  EditKind
	Part  int
	Rule  RuleRef
	Found []int // the findings it is made for: indices into Input.Found
}

// Decision is the one answer for the message, with its reasons.
type Decision struct {
	Answer   Answer
	Reply    Reply  // for Tempfail and Reject
	Reason   string // for Hold: what the MTA's queue shows
	Keep     bool
	Appeal   bool // for Reject: the sender may ask for the message nevertheless, so a copy is to be kept, and the reply to say how
	Edits    []Edit
	Unmade   []Edit // those rules ask for of parts that cannot be edited; some of them, where there are many
	Tag      string
	Banners  []string // put into the text, by name
	Headers  []HeaderField
	Drop     []string  // recipients the MTA is asked to remove
	Add      []string  // and to add
	Verdicts []Verdict // one per recipient, in envelope order
	Rule     RuleRef   // the rule of the strongest ground any recipient has for the answer; zero if there is none
	Notices  []Notice  // who is to be told
	Complete bool      // nothing was found that says something was not examined
	Pending  bool      // an early stage: a rule that may still match is first, so go on
}

// Audience says why an address gets a notice.
type Audience string

// The audiences.
const (
	Administrator Audience = "administrator" // a rule names the address
	ToRecipient   Audience = "recipient"     // the message was for the address
	ToSender      Audience = "sender"        // one of us has sent the message
)

// Notice is an address that is to be told what became of a message. Notices go to
// our own people only: a sender elsewhere learns from the reply.
type Notice struct {
	To        string
	Audience  Audience
	Recipient string // whose copy it is about
	Finding   int    // index into Input.Found; -1: none in particular
	Rule      RuleRef
}

// Action returns the name of the decision in reports; see Outcome.Action.
func (d Decision) Action() string { return action(d.Answer, d.Keep) }

// Ruling is a decision made ready for the MTA: what the transport applies, and
// nothing else.
type Ruling struct {
	ID      string // the message's id, as in the log and the reply
	Answer  Answer
	Reply   Reply
	Reason  string // for Hold
	Changes Changes
}

// Changes are what the MTA is asked to change on a message that goes on. The
// zero value asks for nothing.
type Changes struct {
	Headers []HeaderChange
	Body    scan.Content // the new body; nil: as it is
	Sender  *string      // the new envelope sender; nil: as it is
	Drop    []string
	Add     []string
}

// HeaderOp is an operation on a header field.
type HeaderOp int

// The operations on header fields.
const (
	InsertTop    HeaderOp = iota // above everything there is
	AppendBottom                 // below the last field
	Change                       // the Index-th field of that name, from 1, gets Value
	Delete                       // the Index-th field of that name, from 1, goes
)

// HeaderChange is one change to the header. Value is what follows the
// colon and one blank; folds in it are CRLF and white space.
type HeaderChange struct {
	Op    HeaderOp
	Name  string
	Value string
	Index int
}
