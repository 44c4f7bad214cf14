// Package notify tells our own people what became of mail: recipients whose mail
// was refused without its sender hearing of it, and the people a rule names.
// Notices come from the null sender, are marked as automatic (RFC 3834), go to
// our own addresses only, are merged when there are many, and wait on the disk until the
// MTA has them.
package notify

import (
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Event is one message that a notice reports.
type Event struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Sender    string    `json:"sender"`
	Recipient string    `json:"recipient"` // whose copy it is about
	Subject   string    `json:"subject"`
	Client    string    `json:"client"`
	Action    string    `json:"action"`
	Class     string    `json:"class"` // kind of the finding after it, or "policy"
	Finding   string    `json:"finding"`
	File      string    `json:"file"` // name of the attachment, as its sender wrote it
	Detail    string    `json:"detail"`
	Rule      string    `json:"rule"`
	Kept      bool      `json:"kept"` // there is a copy in the quarantine
	Told      bool      `json:"told"` // the sender hears that the message is refused
}

// Item is an event for one address. One notice tells several to the same address.
type Item struct {
	To       string          `json:"to"`
	Audience policy.Audience `json:"audience"`
	Event    Event           `json:"event"`
}

// Items returns the items that a decision asks for, without those that would go outside. An
// administrator may be anywhere, since the configuration names the address; a
// recipient is ours if we say so, or say nothing about which domains are ours; a
// sender only if we say so, since anybody who may send can write any sender.
func Items(r policy.Record, d policy.Decision, local policy.Local) []Item {
	var list []Item
	for _, n := range d.Notices {
		inside := true
		switch n.Audience {
		case policy.ToRecipient:
			inside = len(local.Domains) == 0 || local.Has(n.To)
		case policy.ToSender:
			inside = local.Has(n.To)
		}
		if inside && n.To != "" {
			list = append(list, Item{n.To, n.Audience, event(r, d, n)})
		}
	}
	return list
}

func event(r policy.Record, d policy.Decision, n policy.Notice) Event {
	e := Event{
		ID: r.ID, Time: r.Time, Sender: r.Sender, Recipient: n.Recipient, Subject: r.Subject, Client: r.Client,
		Action: r.Action, Class: "policy", Rule: n.Rule.Name, Kept: d.Keep, Told: d.Answer == policy.Reject,
	}
	for _, v := range d.Verdicts {
		if v.Recipient == n.Recipient && (d.Answer != policy.Hold || v.Outcome.Answer > policy.Hold) {
			e.Action = v.Outcome.Action()
			break
		}
	}
	if f := r.Finding(n.Finding); f != nil {
		e.Class, e.Finding, e.File, e.Detail = f.Kind.String(), f.Rule, f.Name, f.Detail
	}
	return e
}
