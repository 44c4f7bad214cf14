package dmarc

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/auth"
)

// row holds the values that all messages share that one record of a report counts.
type row struct {
	Client      string
	Disposition string // none, pass, quarantine, reject
	DKIM, SPF   bool   // aligned
	Reason      string `json:",omitempty"` // why the policy was not applied
	Comment     string `json:",omitempty"`
	HeaderFrom  string
	Sender      string        `json:",omitempty"`
	Signed      []auth.Signed `json:",omitempty"`
	SPFResult   string        `json:",omitempty"`
}

// Reasons for which a policy is not applied (RFC 9990, section 3.1.6).
const (
	localPolicy      = "local_policy"
	testMode         = "policy_test_mode"
	trustedForwarder = "trusted_forwarder"
)

// severity orders the actions on mail that fails.
var severity = map[string]int{"none": 0, "quarantine": 1, "reject": 2}

// rowOf returns the row of a message; ok is false for one that comes again, and is counted then. A
// stricter action, for other reasons than DMARC, does not concern the owner of a domain: at most
// the one that its policy asks for is reported.
func rowOf(e *auth.Evaluation, d policy.Decision) (r row, ok bool) {
	if d.Answer == policy.Tempfail || !e.Client.IsValid() {
		return r, false
	}
	r = row{Client: e.Client.String(), DKIM: e.KeyFits, SPF: e.SPFFits, HeaderFrom: e.Author, Sender: e.Sender,
		Signed: e.DKIM, SPFResult: e.SPF}
	if e.Passed {
		r.Disposition = "pass"
		if e.Asked == "none" && !e.Softer {
			r.Disposition = "none"
		}
		return r, true
	}
	r.Disposition = done(d)
	if severity[r.Disposition] >= severity[e.Asked] {
		r.Disposition = e.Asked
		if e.Softer {
			r.Reason = testMode
		}
		return r, true
	}
	r.Reason = localPolicy
	if e.Trusted {
		r.Reason, r.Comment = trustedForwarder, "arc=pass"
	}
	return r, true
}

// done returns what a decision comes to, in the words of a policy.
func done(d policy.Decision) string {
	switch d.Answer {
	case policy.Reject:
		return "reject"
	case policy.Discard, policy.Hold:
		return "quarantine"
	}
	return "none"
}

// sum tells rows apart.
func (r row) sum() ([sha256.Size]byte, []byte) {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and flags can be written
	}
	return sha256.Sum256(text), text
}

// day is a day by UTC, in days since 1970.
type day int64

func dayOf(t time.Time) day { return day(t.Unix() / (24 * 60 * 60)) }

// begin and end return the first and the last second of the day.
func (d day) begin() int64 { return int64(d) * 24 * 60 * 60 }
func (d day) end() int64   { return (d + 1).begin() - 1 }

// String returns the day as people write it.
func (d day) String() string { return time.Unix(d.begin(), 0).UTC().Format(time.DateOnly) }
