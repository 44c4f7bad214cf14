package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// longestWalk bounds the labels of the names that are asked about after the first
// one, so that a walk is at most eight questions (RFC 9989, section 4.10).
const longestWalk = 7

// step is a domain on the way from a name to the root that publishes a policy.
type step struct {
	domain string
	record record
}

// walk is the part of the DNS tree above one domain, as far as it was asked.
type walk struct {
	domain string
	steps  []step // that publish a policy, the lowest first
	err    error  // ended the walk
}

// walkTree asks for the policies of a domain and of those above it, up to one
// that says where the organisation ends (RFC 9989, section 4.10).
func walkTree(ctx context.Context, r dns.Resolver, domain string) walk {
	w := walk{domain: domain}
	for _, name := range walkNames(domain) {
		rec, ok, err := recordAt(ctx, r, name)
		if err != nil {
			w.err = err
			return w
		}
		if !ok {
			continue
		}
		w.steps = append(w.steps, step{name, rec})
		if rec.psd != "" {
			return w
		}
	}
	return w
}

// walkNames lists the names that a walk asks about: the domain itself, then those
// above it, beginning with at most seven labels.
func walkNames(domain string) []string {
	names := []string{domain}
	labels := strings.Split(domain, ".")
	for i := max(1, len(labels)-longestWalk); i < len(labels); i++ {
		names = append(names, strings.Join(labels[i:], "."))
	}
	return names
}

// organization returns the Organizational Domain of the walk's domain (RFC 9989,
// section 4.10.2).
func (w walk) organization() string {
	for _, s := range w.steps {
		switch {
		case s.record.psd == "n":
			return s.domain
		case s.record.psd == "y" && s.domain != w.domain:
			return oneBelow(w.domain, s.domain)
		}
	}
	if len(w.steps) == 0 {
		return w.domain
	}
	return w.steps[len(w.steps)-1].domain
}

// oneBelow returns the domain on the way to domain that has one label more than
// above.
func oneBelow(domain, above string) string {
	labels := strings.Split(domain, ".")
	return strings.Join(labels[len(labels)-strings.Count(above, ".")-2:], ".")
}

// policy returns the step whose record holds for the walk's domain: its own, that
// of its organisation, or that of the public suffix above the organisation (RFC
// 9989, section 4.10.1).
func (w walk) policy() (step, bool) {
	org := w.organization()
	for _, of := range []func(step) bool{
		func(s step) bool { return s.domain == w.domain },
		func(s step) bool { return s.domain == org },
		func(s step) bool { return s.record.psd == "y" },
	} {
		if i := slices.IndexFunc(w.steps, of); i >= 0 {
			return w.steps[i], true
		}
	}
	return step{}, false
}
