package rspamd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// Bounds of the findings on one message.
const (
	mostSymbols = 200
	longestName = 100 // of a symbol or an action
	longestText = 300 // of a description with its options
	mostOptions = 10
)

// answer is rspamd's, as /checkv2 gives it.
type answer struct {
	Skipped  bool               `json:"is_skipped"`
	Score    *float64           `json:"score"`
	Required *float64           `json:"required_score"` // null where no score makes rspamd refuse
	Action   string             `json:"action"`
	Symbols  map[string]*symbol `json:"symbols"`
	Error    string             `json:"error"`
}

// symbol is one rule of rspamd that matched.
type symbol struct {
	Score       *float64 `json:"score"`
	Description string   `json:"description"`
	Options     []string `json:"options"`
}

// opinion is rspamd's answer about a message, as far as it is used.
type opinion struct {
	skipped         bool
	score, required float64 // required is NaN where it is not known
	action          string
	hits            []hit // the one that weighs most first
}

// hit is a symbol.
type hit struct {
	name  string
	score float64
	text  string
}

// opinion reads the answer to a message.
func (r reply) opinion() (opinion, error) {
	if r.code != http.StatusOK {
		return opinion{}, r.refusal()
	}
	var a answer
	in := json.NewDecoder(bytes.NewReader(r.body))
	if err := in.Decode(&a); err != nil {
		return opinion{}, fmt.Errorf("%w: %.200v", ErrGarbage, err)
	}
	if _, err := in.Token(); err != io.EOF {
		return opinion{}, fmt.Errorf("%w: there is more behind its end", ErrGarbage)
	}
	return a.opinion()
}

func (a answer) opinion() (opinion, error) {
	switch {
	case a.Error != "":
		return opinion{}, fmt.Errorf("%w: %.200q", ErrServer, a.Error)
	case a.Score == nil || !scorer.Believable(*a.Score):
		return opinion{}, fmt.Errorf("%w: it has no score", ErrGarbage)
	case a.Required != nil && !scorer.Believable(*a.Required):
		return opinion{}, fmt.Errorf("%w: required_score is %g", ErrGarbage, *a.Required)
	case !fit(asName(a.Action)):
		return opinion{}, fmt.Errorf("%w: action is %.80q", ErrGarbage, a.Action)
	}
	o := opinion{skipped: a.Skipped, score: *a.Score, required: math.NaN(), action: asName(a.Action)}
	if a.Required != nil {
		o.required = *a.Required
	}
	for name, s := range a.Symbols {
		if s == nil || s.Score == nil || !scorer.Believable(*s.Score) {
			return opinion{}, fmt.Errorf("%w: symbol %.80q has no score", ErrGarbage, name)
		}
		if fit(name) {
			o.hits = append(o.hits, hit{name, *s.Score, s.text()})
		}
	}
	slices.SortFunc(o.hits, func(x, y hit) int {
		return cmp.Or(cmp.Compare(math.Abs(y.score), math.Abs(x.score)), strings.Compare(x.name, y.name))
	})
	o.hits = o.hits[:min(len(o.hits), mostSymbols)]
	return o, nil
}

// text returns the options and the description of a symbol.
func (s symbol) text() string {
	text := s.Description
	if n := len(s.Options); n > 0 {
		text = strings.TrimSpace(text + " [" + strings.Join(s.Options[:min(n, mostOptions)], ", ") + "]")
	}
	return strings.ToValidUTF8(text[:min(len(text), longestText)], "")
}

// asName returns an action as findings call it: "add header" as "add-header".
func asName(action string) string { return strings.ReplaceAll(action, " ", "-") }

// fit reports whether a name can be that of a symbol or an action: a word of printable ASCII
// that means nothing else in a rule.
func fit(name string) bool {
	return name != "" && len(name) <= longestName && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`*?<>/\"`, r)
	})
}

// The findings.
const (
	ruleTotal  = scorer.Rspamd
	ruleHit    = ruleTotal + "/"
	ruleAction = scorer.Word + "/rspamd-action/"
)

// findings returns one with the score, one for the action and one for each symbol.
func (o opinion) findings() []scan.Finding {
	found := []scan.Finding{scorer.Opinion(ruleTotal, o.score, o.String()), scorer.Note(ruleAction+o.action, "")}
	for _, h := range o.hits {
		found = append(found, scorer.Note(ruleHit+h.name, strings.TrimSpace(fmt.Sprintf("%.4g: %s", h.score, h.text))))
	}
	return found
}

// String says it in a line: "7.6 of 15, add-header: LOCAL_TEST=7.5, MIME_GOOD=-0.1".
func (o opinion) String() string {
	if o.skipped {
		return "not examined, by rspamd's own settings"
	}
	var names []string
	for _, h := range o.hits {
		if h.score != 0 {
			names = append(names, fmt.Sprintf("%s=%.4g", h.name, h.score))
		}
	}
	of := ""
	if !math.IsNaN(o.required) {
		of = fmt.Sprintf(" of %.4g", o.required)
	}
	return fmt.Sprintf("%.4g%s, %s: %s", o.score, of, o.action, cmp.Or(strings.Join(names, ", "), "no symbol"))
}
