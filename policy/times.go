package policy

import "time"

// RecordTimes says when the stages of the SMTP dialogue were. Those that are not known
// are zero, and left out.
type RecordTimes struct {
	Connect time.Time `json:"connect,omitzero"`
	Helo    time.Time `json:"helo,omitzero"` // the last one, after STARTTLS the second
	Mail    time.Time `json:"mail,omitzero"`
	Rcpt    time.Time `json:"rcpt,omitzero"` // the last one that was accepted
	End     time.Time `json:"end,omitzero"`  // of the message: the answer follows after took
}

// When returns the times of the stages. Records without them, of earlier versions, have
// the time of MAIL or of the connection.
func (r Record) When() RecordTimes {
	if r.Times != nil {
		return *r.Times
	}
	if r.Stage == "connect" || r.Stage == "helo" {
		return RecordTimes{Connect: r.Time}
	}
	return RecordTimes{Mail: r.Time}
}

// Passed reports whether the message went on to the MTA's queue.
func (r Record) Passed() bool {
	return r.Stage == "message" && (r.Action == Deliver.String() || r.Action == Hold.String())
}

// Kept reports whether a copy was to be kept for any recipient.
func (r Record) Kept() bool {
	for _, v := range r.Verdicts {
		if v.Kept {
			return true
		}
	}
	return false
}
