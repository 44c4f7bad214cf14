package show

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// WriteAllow prints the rule that would let a message through which was not delivered to
// all: as narrow as the record allows. There is none for infected mail, and none is
// needed for mail that some engine did not answer about.
func WriteAllow(w io.Writer, r policy.Record) error {
	var stopped []policy.RecordVerdict
	for _, v := range r.Verdicts {
		if v.Action != policy.Deliver.String() {
			stopped = append(stopped, v)
		}
	}
	if len(stopped) == 0 {
		return errors.New("it was delivered: no rule is needed")
	}
	a := allowance{record: r}
	for _, v := range stopped {
		a.to = append(a.to, v.Recipients...)
		for _, m := range v.Matches {
			a.match(m)
		}
	}
	if err := a.refused(); err != nil {
		return err
	}
	a.write(w)
	return nil
}

// allowance is what a rule has to be about.
type allowance struct {
	record   policy.Record
	to       []string
	findings []policy.RecordFinding
	message  bool                // some rule rests on no finding
	before   []policy.RecordRule // rules of the site's own it has to come before
}

// match adds the findings for which a rule kept the message back.
func (a *allowance) match(m policy.RecordMatch) {
	if m.Observed || m.Does == policy.Deliver.String() {
		return
	}
	if m.Rule.File != "" && !slices.Contains(a.before, m.Rule) {
		a.before = append(a.before, m.Rule)
	}
	if m.Finding < 0 || m.Finding >= len(a.record.Findings) {
		a.message = true
		return
	}
	a.findings = append(a.findings, a.record.Findings[m.Finding])
}

// refused says why no rule is to let the message through.
func (a *allowance) refused() error {
	for _, f := range a.findings {
		switch f.Kind {
		case scan.Infected:
			return fmt.Errorf("it is infected (%s): no rule should let it through; a kept copy is released with \"quarantine "+
				"release --infected\"", Printable(f.Rule))
		case scan.Failed:
			return fmt.Errorf("%s did not answer: what is wrong is not the mail, which the sender's server sends again", Printable(f.Rule))
		}
	}
	return nil
}

// write prints the rule. Without "when" it is about all that may be found but viruses.
func (a *allowance) write(w io.Writer) {
	for _, r := range a.before {
		fmt.Fprintf(w, "# before %s\n", Printable(r.String()))
	}
	sender := a.record.Sender
	if sender == "" {
		sender = "<>"
	}
	fmt.Fprintf(w, "[[rule]]\nfrom = [%s]\n", quoted(sender))
	if to := slices.DeleteFunc(unique(a.to), func(s string) bool { return !strings.Contains(s, "@") }); len(to) > 0 {
		fmt.Fprintf(w, "to = [%s]\n", quoted(to...))
	}
	if !a.message {
		var rules []string
		for _, f := range a.findings {
			rules = append(rules, f.Rule)
		}
		fmt.Fprintf(w, "when = [%s]\n", quoted(unique(rules)...))
	}
	fmt.Fprint(w, "action = \"deliver\"\n")
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// quoted writes texts as TOML does in a list.
func quoted(list ...string) string {
	var out []string
	for _, s := range list {
		out = append(out, strconv.QuoteToGraphic(strings.ToValidUTF8(Printable(s), "\uFFFD")))
	}
	return strings.Join(out, ", ")
}
