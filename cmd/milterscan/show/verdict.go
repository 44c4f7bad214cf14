package main

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// report is the verdict on one file as "scan --json" prints it. Fields may be
// added, none renamed.
type report struct {
	File       string            `json:"file"`
	ID         string            `json:"id"`
	Action     string            `json:"action"`
	Reply      string            `json:"reply"`
	Complete   bool              `json:"complete"`
	Recipients []recipientReport `json:"recipients"`
	Findings   []findingReport   `json:"findings"`
	Edits      []editReport      `json:"edits"`
}

// recipientReport is what becomes of the message for one recipient.
type recipientReport struct {
	Recipient string         `json:"recipient"`
	Action    string         `json:"action"`
	Rule      string         `json:"rule"`
	Because   *findingReport `json:"because"`
}

// findingReport is one finding.
type findingReport struct {
	Kind    string  `json:"kind"`
	Scanner string  `json:"scanner"`
	Rule    string  `json:"rule"`
	Part    string  `json:"part"`
	Detail  string  `json:"detail"`
	Score   float64 `json:"score"`
}

// editReport is one change to the message.
type editReport struct {
	Kind  string `json:"kind"` // header, subject, recipient, or an edit of a part
	Part  string `json:"part,omitempty"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
	Rule  string `json:"rule,omitempty"`
}

// fileError is printed for a file that could not be judged.
type fileError struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// newReport writes a result down.
func newReport(file string, r *judge.Result) report {
	out := report{
		File:       file,
		ID:         r.ID,
		Action:     r.Decision.Action(),
		Complete:   r.Complete(),
		Recipients: []recipientReport{},
		Findings:   []findingReport{},
		Edits:      edits(r),
	}
	if r.Decision.Answer == policy.Reject || r.Decision.Answer == policy.Tempfail {
		out.Reply = r.Decision.Reply.String()
	}
	for _, f := range r.Found {
		out.Findings = append(out.Findings, newFinding(r, f))
	}
	for _, v := range r.Decision.Verdicts {
		out.Recipients = append(out.Recipients, newRecipient(r, v))
	}
	return out
}

func newRecipient(r *judge.Result, v policy.Verdict) recipientReport {
	out := recipientReport{Recipient: v.Recipient, Action: v.Outcome.Action(), Rule: v.Rule.Name}
	if v.Because >= 0 {
		f := newFinding(r, r.Found[v.Because])
		out.Because = &f
	}
	return out
}

func newFinding(r *judge.Result, f scan.Finding) findingReport {
	out := findingReport{Kind: f.Kind.String(), Scanner: f.Scanner, Rule: f.Rule, Detail: f.Detail, Score: f.Score}
	if r.Message != nil {
		out.Part = r.Message.PathOf(f)
	}
	return out
}

// edits lists every change the decision makes to the message.
func edits(r *judge.Result) []editReport {
	d := r.Decision
	out := []editReport{}
	for _, h := range d.Headers {
		out = append(out, editReport{Kind: "header", Name: h.Name, Value: h.Value})
	}
	if d.Tag != "" {
		out = append(out, editReport{Kind: "subject", Value: d.Tag})
	}
	for _, b := range d.Banners {
		out = append(out, editReport{Kind: "banner", Value: b})
	}
	for _, e := range d.Edits {
		out = append(out, editReport{Kind: e.Kind.String(), Part: r.Message.PathOf(scan.Finding{Part: e.Part}), Rule: e.Rule.Name})
	}
	for _, a := range d.Add {
		out = append(out, editReport{Kind: "add-recipient", Value: a})
	}
	for _, a := range d.Drop {
		out = append(out, editReport{Kind: "drop-recipient", Value: a})
	}
	return out
}
