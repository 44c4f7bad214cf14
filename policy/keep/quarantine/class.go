package quarantine

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// byPolicy is the class of messages that are kept for no finding.
const byPolicy = "policy"

// Classes are what retention can differ by: the kind of the gravest finding that
// decided, or "policy" if it was none.
func Classes() []string {
	all := []string{byPolicy}
	for k := scan.Note; k <= scan.Failed; k++ {
		all = append(all, k.String())
	}
	return all
}

// class is the class of a message.
func class(r policy.Record) string {
	if f := decisive(r); f != nil {
		return f.Kind.String()
	}
	return byPolicy
}

// reason names what a message was kept for.
func reason(r policy.Record) string {
	if f := decisive(r); f != nil {
		return f.Rule
	}
	for _, v := range r.Verdicts {
		if v.Rule != nil {
			return v.Rule.Name
		}
	}
	return ""
}

// decisive is the finding behind the verdict of those who do not get the
// message, before those who do; nil if there is none.
func decisive(r policy.Record) *policy.RecordFinding {
	var found *policy.RecordFinding
	for _, v := range r.Verdicts {
		if v.Because < 0 || v.Because >= len(r.Findings) {
			continue
		}
		if f := &r.Findings[v.Because]; !gets(v) {
			return f
		} else if found == nil {
			found = f
		}
	}
	return found
}

// gets reports whether the recipients of a verdict have the message, or will.
func gets(v policy.RecordVerdict) bool {
	return v.Action == policy.Deliver.String() || v.Action == policy.Hold.String()
}

// undelivered are the recipients who did not get the message.
func undelivered(r policy.Record) []string {
	var list []string
	for _, v := range r.Verdicts {
		if !gets(v) {
			list = append(list, v.Recipients...)
		}
	}
	return list
}
