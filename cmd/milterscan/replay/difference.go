package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Outcome is what becomes of a mail for one recipient, as far as anybody would notice.
type Outcome struct {
	Action  string   `json:"action"`
	Rule    string   `json:"rule"` // that decided; a difference of rules alone is none
	Reply   string   `json:"reply,omitempty"`
	Kept    bool     `json:"kept,omitempty"`
	Changes []string `json:"changes,omitempty"` // of what the recipient gets
}

// Difference names a recipient and the two ends of a mail to it.
type Difference struct {
	Mail      string    `json:"mail"`
	Time      time.Time `json:"time,omitzero"`
	Sender    string    `json:"sender"`
	Recipient string    `json:"recipient"`
	Subject   string    `json:"subject"`
	Was       Outcome   `json:"was"`
	Now       Outcome   `json:"now"`
}

// compare returns the recipients to which two records of a mail give different ends.
func compare(name string, was, now policy.Record) (list []Difference) {
	for _, to := range now.Recipients {
		i := slices.IndexFunc(was.Recipients, func(r policy.RecordRecipient) bool { return r.Recipient == to.Recipient })
		if i < 0 {
			continue
		}
		d := Difference{
			Mail: name, Time: now.Time, Sender: now.Sender, Recipient: to.Recipient, Subject: now.Subject,
			Was: outcome(was, was.Recipients[i]), Now: outcome(now, to),
		}
		if !d.Was.same(d.Now) {
			list = append(list, d)
		}
	}
	return list
}

// outcome returns what a record tells of a recipient.
func outcome(r policy.Record, to policy.RecordRecipient) Outcome {
	o := Outcome{Action: to.Action, Rule: to.Rule}
	for _, v := range r.Verdicts {
		if slices.Contains(v.Recipients, to.Recipient) {
			o.Kept = v.Kept
		}
	}
	switch to.Action {
	case policy.Deliver.String():
		o.Changes = changes(r)
	case r.Action:
		o.Reply = strings.ReplaceAll(r.Reply, r.ID, "ID")
	}
	return o
}

// changes returns the edits of what recipients get, without the id that headers may have.
func changes(r policy.Record) (list []string) {
	for _, e := range r.Edits {
		if e.Kind == "drop-recipient" {
			continue // whose outcome is told by itself
		}
		list = append(list, strings.ReplaceAll(strings.Join(slices.DeleteFunc([]string{e.Kind, e.Part, e.Name, e.Value},
			func(s string) bool { return s == "" }), " "), r.ID, "ID"))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// same reports whether a recipient would see no difference.
func (o Outcome) same(p Outcome) bool {
	return o.Action == p.Action && o.Reply == p.Reply && o.Kept == p.Kept && slices.Equal(o.Changes, p.Changes)
}

// unsure returns why a verdict does not count: something did not answer, so that the mail was
// judged without it. Scanners of senders that failed when the mail came are recalled as such.
func unsure(r policy.Record, recalled func(rule string) bool) string {
	for _, f := range r.Findings {
		if f.Kind == scan.Failed && !recalled(f.Rule) {
			return fmt.Sprintf("%s: %s", f.Rule, f.Detail)
		}
	}
	return ""
}
