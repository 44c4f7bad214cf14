package scan

import (
	"fmt"
	"strings"
)

// MoreFindings is the rule of the finding that counts those left out.
const MoreFindings = "mime/more-findings"

const (
	wholeFindings = 200     // of one rule, kept with their detail
	longestDetail = 1 << 10 // bytes of one detail
)

// Sieve bounds the findings of one source about one message: it keeps all that can
// change the decision, and little more, however many things the sender has put into
// the message. Of one rule, the first 200 findings are kept whole; of later ones
// the first about each part and recipient, without its detail. The others are
// counted, and their scores added up. Its zero value is empty.
type Sieve struct {
	kept  []Finding
	tally map[string]*tally
	rules []string // in their order
}

// tally counts the findings of one rule, kept or not.
type tally struct {
	kept  int
	about map[about]struct{}
	more  int
	score float64
}

// about are the fields that tell two findings of one rule apart.
type about struct {
	kind      Kind
	part      int
	recipient string
}

// Add takes in a finding.
func (s *Sieve) Add(f Finding) {
	t := s.of(f.Rule)
	key := about{f.Kind, f.Part, f.Recipient}
	_, known := t.about[key]
	switch {
	case t.kept < wholeFindings:
		f.Detail = shortDetail(f)
	case !known:
		f.Detail = ""
	default:
		t.more++
		t.score += f.Score
		return
	}
	t.kept++
	t.about[key] = struct{}{}
	s.kept = append(s.kept, f)
}

// of returns the tally of a rule.
func (s *Sieve) of(rule string) *tally {
	t := s.tally[rule]
	if t != nil {
		return t
	}
	if s.tally == nil {
		s.tally = map[string]*tally{}
	}
	t = &tally{about: map[about]struct{}{}}
	s.tally[rule] = t
	s.rules = append(s.rules, rule)
	return t
}

// Findings returns the findings kept, and for each rule of which some were left out
// a finding that says how many.
func (s *Sieve) Findings() []Finding {
	found := s.kept
	for _, rule := range s.rules {
		if t := s.tally[rule]; t.more > 0 {
			found = append(found, Finding{Kind: Note, Scanner: "mime", Rule: MoreFindings, Part: WholeMessage,
				Detail: fmt.Sprintf("%d more of %s", t.more, rule), Score: t.score})
		}
	}
	return found
}

// sieved returns the findings of one scanner that a sieve keeps.
func sieved(found []Finding) []Finding {
	if len(found) == 0 {
		return found
	}
	var s Sieve
	for _, f := range found {
		s.Add(f)
	}
	return s.Findings()
}

// shortDetail returns the beginning of a long detail. The detail of a failure stays
// whole: no message can make it long.
func shortDetail(f Finding) string {
	if f.Kind == Failed || len(f.Detail) <= longestDetail {
		return f.Detail
	}
	return strings.ToValidUTF8(f.Detail[:longestDetail], "") + "…"
}
