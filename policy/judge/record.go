package judge

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Bounds of what a record takes from a message: senders choose how long a
// subject is and how much there is to find.
const (
	maxSubject  = 200
	maxFindings = 500
	maxDetail   = 500
	maxMatches  = 200
)

// Record is what is remembered of the result. It refers to nothing of the
// message, and is made before Close.
func (r *Result) Record() policy.Record {
	env, d := r.Envelope, r.Decision
	rec := policy.Record{
		ID:         r.ID,
		Time:       env.Received,
		Generation: r.Generation,
		Stage:      r.Stage.String(),
		QueueID:    env.QueueID,
		ClientName: env.ClientName,
		Helo:       env.Helo,
		User:       env.AuthUser,
		TLS:        env.TLS,
		Sender:     env.Sender,
		Recipients: slices.Clone(env.Recipients),
		Size:       r.Size,
		Action:     d.Action(),
		Reply:      d.Reply.String(),
		Complete:   r.Complete(),
		Took:       r.Took,
		Changes:    d.Changes(),
	}
	if env.Client.IsValid() {
		rec.Client = env.Client.Addr().String()
	}
	if r.Message != nil {
		rec.Subject = subject(r.Message.Header)
		rec.MessageID = messageID(r.Message.Header)
	}
	for _, s := range r.Reports {
		rec.Scanners = append(rec.Scanners, scannerTime(s))
	}
	for _, f := range r.Found[:min(len(r.Found), maxFindings)] {
		rec.Findings = append(rec.Findings, r.recordFinding(f))
	}
	rec.Verdicts = verdicts(d.Verdicts)
	if r.release != nil {
		rec.Release = r.release.ID
	}
	if r.policy != nil {
		rec.Alternatives = r.policy.Alternatives(r.input(), d)
	}
	return rec
}

func subject(h entity.Header) string {
	for _, s := range h.Values("Subject") {
		return cut(strings.TrimSpace(entity.DecodeWords(s)), maxSubject)
	}
	return ""
}

// messageID is what stands between the angle brackets.
func messageID(h entity.Header) string {
	for _, s := range h.Values("Message-ID") {
		return cut(strings.Trim(strings.TrimSpace(s), "<>"), maxSubject)
	}
	return ""
}

// cut is at most n bytes of s, in a string of its own, and valid UTF-8.
func cut(s string, n int) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), n)], "\uFFFD"))
}

func scannerTime(s scan.Report) policy.ScannerTime {
	t := policy.ScannerTime{Scanner: s.Scanner, Took: s.Took, Found: len(s.Findings)}
	if s.Err != nil {
		t.Error = s.Err.Error()
	}
	return t
}

func (r *Result) recordFinding(f scan.Finding) policy.RecordFinding {
	out := policy.RecordFinding{Kind: f.Kind, Scanner: f.Scanner, Rule: f.Rule, Detail: cut(f.Detail, maxDetail), Score: f.Score}
	if r.Message == nil || f.Part < 0 || f.Part >= len(r.Message.Parts) {
		return out
	}
	p := r.Message.Parts[f.Part]
	out.Part, out.Name = cut(p.Path, maxDetail), cut(p.Name(), maxSubject)
	return out
}

// verdicts puts recipients together who were treated alike.
func verdicts(all []policy.Verdict) []policy.RecordVerdict {
	var list []policy.RecordVerdict
	index := map[*policy.Match]int{} // equal verdicts share their matches
	for _, v := range all {
		key := shared(v.Matches)
		if i, ok := index[key]; ok {
			list[i].Recipients = append(list[i].Recipients, v.Recipient)
			continue
		}
		index[key] = len(list)
		list = append(list, recordVerdict(v))
	}
	return list
}

// shared tells lists of matches apart that are not the same in memory.
func shared(m []policy.Match) *policy.Match {
	if len(m) == 0 {
		return nil
	}
	return &m[0]
}

func recordVerdict(v policy.Verdict) policy.RecordVerdict {
	out := policy.RecordVerdict{Recipients: []string{v.Recipient}, Action: v.Outcome.Action(), Because: known(v.Because)}
	if v.Rule != (policy.RuleRef{}) {
		rule := policy.RecordRule(v.Rule)
		out.Rule = &rule
	}
	for _, m := range v.Matches[:min(len(v.Matches), maxMatches)] {
		out.Matches = append(out.Matches, policy.RecordMatch{
			Rule: policy.RecordRule(m.Rule), Finding: known(m.Finding), Does: m.Outcome.String(), Decides: m.Decides, Observed: m.Observed,
		})
	}
	return out
}

// known is the index of a finding, or -1 if the record has no room for it.
func known(finding int) int {
	if finding >= maxFindings {
		return scan.WholeMessage
	}
	return finding
}
