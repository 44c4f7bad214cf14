package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/config"
)

// configuration reports the errors of the file. The rest of the examination
// goes by what could be read.
func (p *Installation) configuration(context.Context) []Finding {
	var problems config.Problems
	switch {
	case p.Problems == nil:
		return slices.Concat(p.setAside(), p.cautions(), p.notes())
	case !errors.As(p.Problems, &problems):
		return []Finding{fault("correct the file; the daemon does not start with it", "%v", p.Problems)}
	}
	var found []Finding
	for _, one := range problems {
		what, fix, _ := strings.Cut(one.String(), "; ")
		if fix == "" {
			fix = "correct the line; until then the daemon does not start, and a reload changes nothing"
		}
		found = append(found, fault(fix, "%s", what))
	}
	return found
}

// setAside reports mistakes in files of domains, which keep nothing else from
// being used.
func (p *Installation) setAside() (found []Finding) {
	var problems config.Problems
	if !errors.As(p.Config.SetAside(), &problems) {
		return []Finding{ok("%s has no errors", p.File)}
	}
	for _, one := range problems {
		found = append(found,
			fault("correct the file and reload; until then mail to the domain gets the host's rules alone", "%s", one))
	}
	return found
}

// cautions reports settings that are in use and are probably mistakes.
func (p *Installation) cautions() (found []Finding) {
	for _, c := range p.Config.Cautions() {
		what, fix, _ := strings.Cut(c, "; ")
		found = append(found, advice(fix, "%s", what))
	}
	return found
}

// notes reports rules and values that do not do what they say, as milterscan check
// does.
func (p *Installation) notes() (found []Finding) {
	for _, n := range p.Notes {
		what, fix, _ := strings.Cut(n.String(), "; ")
		found = append(found, advice(fix, "%s", what))
	}
	return found
}
