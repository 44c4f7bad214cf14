package policy

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// RecordVersion is the version of records that are written. Those before 2 have
// durations in nanoseconds and recipients without verdicts; Upgrade mends that.
const RecordVersion = 2

// Record is all that is told and remembered of a message, or of an early stage that
// refused it, and nothing that refers to the message. The log, "scan --json", the
// history, the quarantine and "explain" all write this one, as JSON; docs/log.md
// lists the fields. Fields may be added, none renamed.
type Record struct {
	Version    int       `json:"version"`
	ID         string    `json:"id"`
	Host       string    `json:"host,omitempty"` // that wrote it to a history that several share
	Time       time.Time `json:"time"`           // of MAIL, or of the connection
	Generation uint64    `json:"generation"`
	Stage      string    `json:"stage"`
	Direction  string    `json:"direction"` // that of all recipients, or several: "inbound, internal"
	QueueID    string    `json:"queue_id"`
	MessageID  string    `json:"message_id"` // without angle brackets
	Client     string    `json:"client"`
	ClientName string    `json:"client_name"`
	Country    string    `json:"country,omitempty"` // of the client
	ASN        uint32    `json:"asn,omitempty"`     // of the client's autonomous system
	ASName     string    `json:"as_name,omitempty"`
	Helo       string    `json:"helo"`
	User       string    `json:"user"`
	TLS        bool      `json:"tls"`
	Sender     string    `json:"sender"`
	From       string    `json:"from,omitempty"` // the author as the message names it, decoded
	Subject    string    `json:"subject"`        // decoded
	Size       int64     `json:"size"`           // in bytes
	Action     string    `json:"action"`
	Reply      string    `json:"reply"`
	Rule       string    `json:"rule"`  // the one with the strongest ground for the action
	Score      float64   `json:"score"` // of all findings together
	Complete   bool      `json:"complete"`
	Took       Millis    `json:"took"` // from the last byte to the answer

	Times *RecordTimes `json:"times,omitempty"` // of the stages

	Recipients     []RecordRecipient `json:"recipients"`
	MoreRecipients int               `json:"recipients_more,omitempty"` // that are not listed
	Findings       []RecordFinding   `json:"findings"`
	MoreFindings   int               `json:"findings_more,omitempty"`
	Edits          []RecordEdit      `json:"edits"`
	Changes        []string          `json:"changes,omitempty"` // the edits in words
	Applied        []string          `json:"applied,omitempty"` // rules that decided about a finding or added something
	Watched        []string          `json:"watched,omitempty"` // rules that matched and only watch
	Scanners       []ScannerTime     `json:"scanners,omitempty"`
	Release        string            `json:"release,omitempty"` // the kept message this is the release of
	Appeal         bool              `json:"appeal,omitempty"`  // a copy is kept in case its sender appeals, and the reply says how

	Contents *RecordContents `json:"contents,omitempty"` // nil: not recorded

	Verdicts     []RecordVerdict `json:"verdicts,omitempty"`
	Alternatives []Alternative   `json:"alternatives,omitempty"`
	NotTried     bool            `json:"alternatives_cut,omitempty"` // time was too short to try what would have been otherwise

	places map[int]int // of findings among all that were made; see Finding
}

// Millis is a duration that is written as a number of milliseconds, to the
// microsecond.
type Millis time.Duration

// Go returns the duration.
func (m Millis) Go() time.Duration { return time.Duration(m) }

// MarshalJSON writes milliseconds.
func (m Millis) MarshalJSON() ([]byte, error) { return m.append(nil), nil }

func (m Millis) append(b []byte) []byte {
	return strconv.AppendFloat(b, math.Round(float64(m)/1e3)/1e3, 'f', -1, 64)
}

// UnmarshalJSON reads milliseconds.
func (m *Millis) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	*m = Millis(math.Round(f * 1e6))
	return err
}

// RecordRecipient is what became of the message for one recipient.
type RecordRecipient struct {
	Recipient string         `json:"recipient"`
	Action    string         `json:"action"`
	Rule      string         `json:"rule"`
	Because   *RecordFinding `json:"because"` // null: no finding in particular
	Listed    *RecordListed  `json:"listed,omitempty"`
	Limit     *RecordLimit   `json:"own_limit,omitempty"` // by which a rule decided
}

// RecordListed is the entry of a list by which it was decided for a recipient. Its note is its
// owner's business.
type RecordListed struct {
	ID            int64  `json:"id"`
	Owner         string `json:"owner"`
	Act           string `json:"act"` // allow or block
	Pattern       string `json:"pattern"`
	Authenticated bool   `json:"authenticated,omitempty"`
}

// RecordLimit is the limit for the score that a recipient has set, by which a rule decided.
type RecordLimit struct {
	Owner string  `json:"owner"`
	Score float64 `json:"score"`
}

// Record returns the entry as records have it.
func (e *ListEntry) Record() *RecordListed {
	if e == nil {
		return nil
	}
	act := "allow"
	if e.Block {
		act = "block"
	}
	return &RecordListed{e.ID, e.Owner, act, e.Pattern, e.Authenticated}
}

// UnmarshalJSON also reads the recipients of old records, which are addresses.
func (r *RecordRecipient) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte(`"`)) {
		return json.Unmarshal(text, &r.Recipient)
	}
	type plain RecordRecipient
	return json.Unmarshal(text, (*plain)(r))
}

// ScannerTime is what one scanner took, at all stages together.
type ScannerTime struct {
	Scanner string `json:"scanner"`
	Took    Millis `json:"took"`
	Found   int    `json:"found,omitempty"` // how many objections were its: findings that are no notes and no failures
	Error   string `json:"error,omitempty"`
}

// RecordFinding is a finding with the path of its part.
type RecordFinding struct {
	Kind      scan.Kind `json:"kind"`
	Scanner   string    `json:"scanner"`
	Rule      string    `json:"rule"`
	Part      string    `json:"part"`
	Name      string    `json:"name,omitempty"` // of the file, as a client would show it
	Detail    string    `json:"detail"`
	Score     float64   `json:"score"`
	Recipient string    `json:"recipient,omitempty"` // the only one it is about
}

// RecordEdit is one change to the message or its envelope.
type RecordEdit struct {
	Kind  string `json:"kind"` // header, subject, banner, add-recipient, drop-recipient, or an edit of a part
	Part  string `json:"part,omitempty"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
	Rule  string `json:"rule,omitempty"`
}

// RecordVerdict is what became of the message for those recipients who were
// treated alike.
type RecordVerdict struct {
	Recipients []string      `json:"recipients"`
	Action     string        `json:"action"`
	Kept       bool          `json:"kept,omitempty"`   // a copy was to be kept for them
	Appeal     bool          `json:"appeal,omitempty"` // the sender may appeal to them
	Rule       *RecordRule   `json:"rule,omitempty"`
	Because    int           `json:"because"` // index into Record.Findings, -1: none in particular
	Applied    []string      `json:"applied,omitempty"`
	Watched    []string      `json:"watched,omitempty"`
	Matches    []RecordMatch `json:"matches,omitempty"`
	More       int           `json:"matches_more,omitempty"` // that are not listed
}

// RecordRule says where a rule was.
type RecordRule struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"` // "" for the shipped rules of a profile
	Line int    `json:"line,omitempty"`
}

// String returns the rule as logs and reports write it.
func (r RecordRule) String() string { return RuleRef(r).String() }

// RecordMatch is a rule that matched.
type RecordMatch struct {
	Rule     RecordRule `json:"rule"`
	Finding  int        `json:"finding"`         // index into Record.Findings, -1: the message itself
	Alike    int        `json:"alike,omitempty"` // further findings that rules do not tell from this one
	Does     string     `json:"does"`
	Decides  bool       `json:"decides,omitempty"`
	Observed bool       `json:"observed,omitempty"`
	Lets     bool       `json:"lets,omitempty"` // it lets the message through, and changes no part of it
}

// Senders returns the addresses that a message says it is from, see SendersOf.
func (r Record) Senders() []string { return SendersOf(r.Sender, r.From) }

// SendersOf returns the sender of an envelope, and every word with an "@" of the author that
// the message names.
func SendersOf(sender, author string) []string {
	list := []string{sender}
	for _, word := range strings.FieldsFunc(author, betweenAddresses) {
		if strings.Contains(word, "@") && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// Alternative is what the decision would have been without some of its grounds.
type Alternative struct {
	Findings []int    `json:"findings,omitempty"` // indices into Record.Findings
	Rules    []string `json:"rules,omitempty"`    // names of rules that rest on no finding
	Then     string   `json:"then"`               // what would have happened, in words
}

// Addresses returns those of all recipients that the record lists.
func (r Record) Addresses() []string {
	list := make([]string, len(r.Recipients))
	for i, to := range r.Recipients {
		list[i] = to.Recipient
	}
	return list
}

// Place notes where the record lists findings, by their places among all that were
// made.
func (r *Record) Place(places map[int]int) { r.places = places }

// Finding returns the finding of an index into all that were made, nil if the
// record does not list it. It works only where the record was made.
func (r Record) Finding(i int) *RecordFinding {
	if at, ok := r.places[i]; ok {
		return &r.Findings[at]
	}
	return nil
}

// Upgrade makes a record that was read from a store one of the present version.
func (r *Record) Upgrade() {
	if r.Version >= RecordVersion {
		return
	}
	r.Version = RecordVersion
	r.Took /= Millis(time.Millisecond)
	for i := range r.Scanners {
		r.Scanners[i].Took /= Millis(time.Millisecond)
	}
	verdicts := map[string]RecordVerdict{}
	for _, v := range r.Verdicts {
		for _, to := range v.Recipients {
			verdicts[to] = v
		}
	}
	for i := range r.Recipients {
		to := &r.Recipients[i]
		v, ok := verdicts[to.Recipient]
		if !ok {
			to.Action = r.Action
			continue
		}
		to.Action = v.Action
		if v.Rule != nil {
			to.Rule = v.Rule.Name
		}
		if v.Because >= 0 && v.Because < len(r.Findings) {
			to.Because = &r.Findings[v.Because]
		}
	}
}
