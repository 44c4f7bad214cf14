package quarantine

import (
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Classes returns the classes by which retention can differ: the kind of the gravest finding that
// decided, or "policy" if it was none.
func Classes() []string {
	all := []string{policy.ByPolicy}
	for k := scan.Note; k <= scan.Failed; k++ {
		all = append(all, k.String())
	}
	return all
}

// class returns the class of a message.
func class(r policy.Record) string {
	if f := decisive(r); f != nil {
		return f.Kind.String()
	}
	return policy.ByPolicy
}

// reason names what a message was kept for.
func reason(r policy.Record) string {
	if f := decisive(r); f != nil {
		return f.Rule
	}
	if v := keptFor(r); v != nil && v.Rule != nil {
		return v.Rule.Name
	}
	return ""
}

// decisive returns the finding after the verdict that the message was kept for, nil if
// it rests on none.
func decisive(r policy.Record) *policy.RecordFinding {
	if v := keptFor(r); v != nil {
		return because(r, *v)
	}
	return nil
}

// keptFor returns the verdict that the message was kept for: of those that ask for a
// copy the one with the gravest finding. Where none says so, as in old records, it
// is that of those who do not get the message, before those who do.
func keptFor(r policy.Record) *policy.RecordVerdict {
	var found *policy.RecordVerdict
	for i := range r.Verdicts {
		if v := &r.Verdicts[i]; found == nil || precedence(r, *v) > precedence(r, *found) {
			found = v
		}
	}
	return found
}

// precedence orders verdicts by what the message was kept for.
func precedence(r policy.Record, v policy.RecordVerdict) int {
	n := 0
	if f := because(r, v); f != nil {
		n = policy.Gravity(f.Kind) + 1
	}
	if !gets(v) {
		n += 100
	}
	if v.Kept || v.Appeal {
		n += 1000
	}
	return n
}

func because(r policy.Record, v policy.RecordVerdict) *policy.RecordFinding {
	if v.Because < 0 || v.Because >= len(r.Findings) {
		return nil
	}
	return &r.Findings[v.Because]
}

// gets reports whether the recipients of a verdict have the message, or will.
func gets(v policy.RecordVerdict) bool {
	return v.Action == policy.Deliver.String() || v.Action == policy.Hold.String()
}

// undelivered returns the recipients who did not get the message.
func undelivered(r policy.Record) []string {
	var list []string
	for _, v := range r.Verdicts {
		if !gets(v) {
			list = append(list, v.Recipients...)
		}
	}
	return list
}
