package policy

import (
	"math"
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// itself is the subject that is no finding: the message as such.
const itself = -1

// facts are an Input with what follows from it, worked out once for all rules.
type facts struct {
	in        Input
	local     Local
	ours      map[string]bool // Local.Domains
	sender    address
	authors   []address // of the From fields, nil before they are asked for
	score     float64
	kinds     []scan.Finding // one for each rule, kind and score there are findings of
	groups    []group
	shared    []int            // itself, and the groups that are about everybody
	personal  map[string][]int // the groups that are about one recipient
	lists     []partList
	classes   []string     // of the parts, "" before it is asked for
	fixed     map[int]byte // see fixedParts
	told      [][]answer   // what each rule has answered, a page of them for some rules that follow each other
	general   []int        // places of the rules that may be for the mail, whoever the recipient is
	answers   []int8       // about the message itself and the groups: a truth and 1
	filled    map[fill][]HeaderField
	standings map[asked]standing
	limits    map[string]*OwnLimit // of recipients, nil of those who have none
	asksOwn   map[string]bool      // recipients whose own limit some rule asks for
	common    map[string]string    // what words in headers stand for that are the same in every one, as far as asked for
	room      int                  // for matches that are listed
	steps     int                  // what the decision has cost so far
}

// recipient is the recipient a rule is tried for; before RCPT none is known.
type recipient struct {
	address
	text       string
	known      bool
	directions Directions
}

func (p *Policy) facts(in *Input) *facts {
	f := &facts{
		in: *in, local: p.local, ours: p.ours, sender: splitAddress(in.Envelope.Sender),
		fixed: fixedParts(in), told: make([][]answer, (len(p.rules)+perPage-1)/perPage),
		filled: map[fill][]HeaderField{}, standings: map[asked]standing{},
		limits: map[string]*OwnLimit{}, asksOwn: map[string]bool{},
		room: maxMatches,
	}
	if f.in.listed == nil {
		f.in.listed = listed{}
	}
	f.score = total(in.Found)
	f.kinds = kindsOf(in.Found)
	return f
}

// answer is what a rule has said.
type answer struct {
	forAll recalled // for any recipient
	about  int32    // where its answers about subjects begin, and 1; 0 if it was not asked
}

// recalled has what a rule has said: a truth and 1, 0 as long as it was not asked.
type recalled int8

// perPage is how many rules the answers are kept of in one piece: of thousands few are asked.
const perPage = 32

// answerOf returns the answers of a rule.
func (f *facts) answerOf(r *rule) *answer {
	page := &f.told[r.place/perPage]
	if *page == nil {
		*page = make([]answer, perPage)
	}
	return &(*page)[r.place%perPage]
}

// headerFrom returns the addresses of the From fields, which few rules ask for.
func (f *facts) headerFrom() []address {
	if f.authors == nil && f.complete() {
		f.authors = headerFrom(f.in.Header)
	}
	return f.authors
}

// fewKinds is how many findings are looked at as they are, without telling alike ones apart.
const fewKinds = 16

// kindsOf has one finding of each rule, kind and score, of a few all: conditions look at nothing else.
func kindsOf(found []scan.Finding) []scan.Finding {
	if len(found) <= fewKinds {
		return found
	}
	type sort struct {
		kind  scan.Kind
		rule  string
		score float64
	}
	var list []scan.Finding
	seen := map[sort]bool{}
	for _, f := range found {
		if s := (sort{f.Kind, f.Rule, counted(f)}); !seen[s] {
			seen[s] = true
			list = append(list, f)
		}
	}
	return list
}

// Score returns the score of a message, as conditions compare it.
func Score(found []scan.Finding) float64 { return total(found) }

// total adds the scores up, to the millionth, so that the order in which they
// come makes no difference to a comparison.
func total(found []scan.Finding) float64 {
	var sum float64
	best := highestOpinion(found)
	for i, f := range found {
		if !f.Opinion || i == best {
			sum += counted(f)
		}
	}
	return math.Round(sum*1e6) / 1e6
}

// counted returns the score of a finding. One that is no number counts for nothing.
func counted(f scan.Finding) float64 {
	if f.Score-f.Score != 0 {
		return 0
	}
	return f.Score
}

// highestOpinion returns the index of the opinion that counts, -1 for none.
func highestOpinion(found []scan.Finding) int {
	best := -1
	for i, f := range found {
		if f.Opinion && (best < 0 || counted(f) > counted(found[best])) {
			best = i
		}
	}
	return best
}

// complete reports whether all scanners have finished.
func (f *facts) complete() bool { return f.in.Stage >= scan.StageMessage }

// knowsSender reports whether MAIL has been given, and with it the login.
func (f *facts) knowsSender() bool { return f.in.Stage >= scan.StageMail }

// when returns the truth of a condition, or perhaps before the stage that tells it.
func (f *facts) when(known bool, t truth) truth {
	if !known {
		return perhaps
	}
	return t
}

// once returns the value of a condition, or perhaps before the stage that tells it.
func (f *facts) once(known, value bool) truth {
	if !known {
		return perhaps
	}
	return truthOf(value)
}

// holds says whether a condition holds anywhere in the message. A finding that
// is there stays; one that is not may still come, and moves the score.
func (f *facts) holds(c Condition) truth {
	if !c.aboutFinding() {
		return f.once(f.complete() || c == AnyScore(), c.holdsFor(f.score))
	}
	if slices.ContainsFunc(f.kinds, c.matches) {
		return yes
	}
	return f.once(f.complete(), false)
}

// part returns the part a finding points at, or nil.
func (f *facts) part(found scan.Finding) *scan.Part {
	if found.Part < 0 || found.Part >= len(f.in.Parts) {
		return nil
	}
	return &f.in.Parts[found.Part]
}

// recipients returns the recipients a decision at this stage is about: all of a
// message, the last one at RCPT, before that one that is not known. A message
// without recipients, as in a file, has one without a name.
func (f *facts) recipients() []recipient {
	all := f.in.Envelope.Recipients
	switch {
	case f.in.Stage < scan.StageRcpt:
		return []recipient{f.towards(recipient{})}
	case len(all) == 0:
		return []recipient{f.towards(recipient{known: true})}
	case f.in.Stage == scan.StageRcpt:
		all = all[len(all)-1:]
	}
	list := make([]recipient, len(all))
	for i, a := range all {
		list[i] = f.recipient(a)
	}
	return list
}

// recipient returns the recipient of an address in the envelope.
func (f *facts) recipient(text string) recipient {
	return f.towards(recipient{address: splitAddress(text), text: text, known: true})
}

func (f *facts) towards(to recipient) recipient {
	to.directions = f.directions(to)
	return to
}
