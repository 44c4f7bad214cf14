package policy

import (
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Record is what is remembered of a message, or of an early stage that refused
// it: all that the history, a kept copy and a notice need, and nothing that
// refers to the message. It is written as JSON; fields may be added, none
// renamed.
type Record struct {
	ID         string        `json:"id"`
	Time       time.Time     `json:"time"` // of MAIL, or of the connection
	Generation uint64        `json:"generation"`
	Stage      string        `json:"stage"`
	QueueID    string        `json:"queue_id,omitempty"`
	MessageID  string        `json:"message_id,omitempty"` // without angle brackets
	Client     string        `json:"client,omitempty"`
	ClientName string        `json:"client_name,omitempty"`
	Helo       string        `json:"helo,omitempty"`
	User       string        `json:"user,omitempty"`
	TLS        bool          `json:"tls,omitempty"`
	Sender     string        `json:"sender"`
	Recipients []string      `json:"recipients,omitempty"`
	Subject    string        `json:"subject,omitempty"` // decoded
	Size       int64         `json:"size"`              // in bytes
	Action     string        `json:"action"`
	Reply      string        `json:"reply,omitempty"`
	Complete   bool          `json:"complete"`
	Took       time.Duration `json:"took"` // in nanoseconds, from the last byte to the answer

	Scanners     []ScannerTime   `json:"scanners,omitempty"`
	Findings     []RecordFinding `json:"findings,omitempty"`
	Verdicts     []RecordVerdict `json:"verdicts,omitempty"`
	Changes      []string        `json:"changes,omitempty"` // to the message, in words
	Alternatives []Alternative   `json:"alternatives,omitempty"`
	Release      string          `json:"release,omitempty"` // the kept message this is the release of
}

// ScannerTime is what one scanner took.
type ScannerTime struct {
	Scanner string        `json:"scanner"`
	Took    time.Duration `json:"took"`            // in nanoseconds
	Found   int           `json:"found,omitempty"` // how many findings were its
	Error   string        `json:"error,omitempty"`
}

// RecordFinding is a finding with the path of its part.
type RecordFinding struct {
	Kind    scan.Kind `json:"kind"`
	Scanner string    `json:"scanner"`
	Rule    string    `json:"rule"`
	Part    string    `json:"part,omitempty"`
	Name    string    `json:"name,omitempty"` // of the file, as a client would show it
	Detail  string    `json:"detail,omitempty"`
	Score   float64   `json:"score,omitempty"`
}

// RecordVerdict is what became of the message for those recipients who were
// treated alike.
type RecordVerdict struct {
	Recipients []string      `json:"recipients"`
	Action     string        `json:"action"`
	Rule       *RecordRule   `json:"rule,omitempty"`
	Because    int           `json:"because"` // index into Record.Findings, -1: none in particular
	Matches    []RecordMatch `json:"matches,omitempty"`
}

// RecordRule says where a rule stood.
type RecordRule struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"` // "" for the shipped rules of a profile
	Line int    `json:"line,omitempty"`
}

// String is the rule as logs and reports write it.
func (r RecordRule) String() string { return RuleRef(r).String() }

// RecordMatch is a rule that matched.
type RecordMatch struct {
	Rule     RecordRule `json:"rule"`
	Finding  int        `json:"finding"` // index into Record.Findings, -1: the message itself
	Does     string     `json:"does"`
	Decides  bool       `json:"decides,omitempty"`
	Observed bool       `json:"observed,omitempty"`
}

// Alternative is what the decision would have been without some of its grounds.
type Alternative struct {
	Findings []int    `json:"findings,omitempty"` // indices into Record.Findings
	Rules    []string `json:"rules,omitempty"`    // names of rules that rest on no finding
	Then     string   `json:"then"`               // what would have happened, in words
}
