package show

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// Report is the verdict on one file as "scan --json" prints it. Fields may be
// added, none renamed.
type Report struct {
	File       string      `json:"file"`
	ID         string      `json:"id"`
	Action     string      `json:"action"`
	Reply      string      `json:"reply"`
	Complete   bool        `json:"complete"`
	Recipients []Recipient `json:"recipients"`
	Findings   []Finding   `json:"findings"`
	Edits      []Edit      `json:"edits"`
}

// Recipient is what becomes of the message for one recipient.
type Recipient struct {
	Recipient string   `json:"recipient"`
	Action    string   `json:"action"`
	Rule      string   `json:"rule"`
	Because   *Finding `json:"because"`
}

// Finding is one finding.
type Finding struct {
	Kind    string  `json:"kind"`
	Scanner string  `json:"scanner"`
	Rule    string  `json:"rule"`
	Part    string  `json:"part"`
	Detail  string  `json:"detail"`
	Score   float64 `json:"score"`
}

// Edit is one change to the message.
type Edit struct {
	Kind  string `json:"kind"` // header, subject, recipient, or an edit of a part
	Part  string `json:"part,omitempty"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
	Rule  string `json:"rule,omitempty"`
}

// FileError is printed for a file that could not be judged.
type FileError struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// newReport writes a result down.
func NewReport(file string, r *judge.Result) Report {
	out := Report{
		File:       file,
		ID:         r.ID,
		Action:     r.Decision.Action(),
		Complete:   r.Complete(),
		Recipients: []Recipient{},
		Findings:   []Finding{},
		Edits:      edits(r),
	}
	if r.Decision.Answer == policy.Reject || r.Decision.Answer == policy.Tempfail {
		out.Reply = r.Decision.Reply.String()
	}
	for _, f := range r.Found {
		out.Findings = append(out.Findings, NewFinding(r, f))
	}
	for _, v := range r.Decision.Verdicts {
		out.Recipients = append(out.Recipients, newRecipient(r, v))
	}
	return out
}

func newRecipient(r *judge.Result, v policy.Verdict) Recipient {
	out := Recipient{Recipient: v.Recipient, Action: v.Outcome.Action(), Rule: v.Rule.Name}
	if v.Because >= 0 {
		f := NewFinding(r, r.Found[v.Because])
		out.Because = &f
	}
	return out
}

func NewFinding(r *judge.Result, f scan.Finding) Finding {
	out := Finding{Kind: f.Kind.String(), Scanner: f.Scanner, Rule: f.Rule, Detail: f.Detail, Score: f.Score}
	if r.Message != nil {
		out.Part = r.Message.PathOf(f)
	}
	return out
}

// edits lists every change the decision makes to the message.
func edits(r *judge.Result) []Edit {
	d := r.Decision
	out := []Edit{}
	for _, h := range d.Headers {
		out = append(out, Edit{Kind: "header", Name: h.Name, Value: h.Value})
	}
	if d.Tag != "" {
		out = append(out, Edit{Kind: "subject", Value: d.Tag})
	}
	for _, b := range d.Banners {
		out = append(out, Edit{Kind: "banner", Value: b})
	}
	for _, e := range d.Edits {
		out = append(out, Edit{Kind: e.Kind.String(), Part: r.Message.PathOf(scan.Finding{Part: e.Part}), Rule: e.Rule.Name})
	}
	for _, a := range d.Add {
		out = append(out, Edit{Kind: "add-recipient", Value: a})
	}
	for _, a := range d.Drop {
		out = append(out, Edit{Kind: "drop-recipient", Value: a})
	}
	return out
}
