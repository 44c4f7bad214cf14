package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// PerDomain is what domains may settle for themselves, each in a file of its
// own.
type PerDomain struct {
	// The directory with one file for each domain, "example.com.toml", or
	// ".example.com.toml" for its subdomains; a relative path counts from this
	// file's directory; "" for none. Such a file holds rules, and in "off" the
	// scanners the domain does not want. They are for mail to addresses of the
	// domain, never for mail that goes out. Your own rules come first, but for
	// "before". A file with an error is left out, and the others hold.
	Dir string `toml:"dir"`
	// The keys that rules in these files may have, as well as their name.
	Keys []string `toml:"keys"`
	// The actions they may name.
	Actions []string `toml:"actions"`
	// The findings they may be about. Where "*/*" is not among them each rule needs
	// a "when"; with "spam/*" the score may be in it.
	Findings []policy.Condition `toml:"findings"`
	// The findings about which a domain's rules come before your own, so that they
	// override them: "spam/*", also for the score. Infected, unscannable and failed
	// parts are not among them unless their kind is named here, too.
	Before []policy.Condition `toml:"before"`
	// The scanners a domain may do without. Mail that is only for such domains is
	// not shown to them; mail from our own users always is.
	Scanners []string `toml:"scanners"`
}

func defaultPerDomain() PerDomain {
	return PerDomain{
		Keys:     []string{"to", "from", "header_from", "when", "part", "requires", "unless", "min_size", "max_size", "action", "reply", "tag"},
		Actions:  []string{"deliver", "discard", "quarantine", "reject"},
		Findings: []policy.Condition{policy.Named("attachment/*"), policy.Named("content/*"), policy.Named("spam/*"), policy.Named("auth/*")},
		Scanners: []string{"content", "spam"},
	}
}

// Check returns the errors of the section [per_domain].
func (p PerDomain) Check() error {
	var check units.Check
	keys := slices.Sorted(maps.Keys(fieldsOf(reflect.ValueOf(&Rule{}).Elem())))
	for i, k := range p.Keys {
		check.Add(oneOf(fmt.Sprintf("keys[%d]", i), k, keys))
	}
	for i, c := range p.Before {
		key := fmt.Sprintf("before[%d]", i)
		check.If(c.AboutScore(), key, "%q is for no score in particular; write \"spam/*\", which is for the score, too", c)
		check.If(!c.AboutScore() && !p.covers(c) && !c.AboutKind(),
			key, "%s is not among the findings that domains may decide about; add it to per_domain.findings", c)
	}
	for i, a := range p.Actions {
		check.Add(oneOf(fmt.Sprintf("actions[%d]", i), a, slices.Sorted(maps.Keys(answers))))
	}
	return check.Err()
}

// domainFile is what one domain has settled.
type domainFile struct {
	domain policy.Domain
	Off    []string      `toml:"off"`
	Rules  []Rule        `toml:"rule"`
	front  []policy.Rule // of Rules, those that come before the host's
	origin Origin        // of Off
	files  []string      // it, and those it names
}

// domainFiles reads the files of all domains.
func (b *binder) domainFiles(c *Config) {
	dir := c.PerDomain.Dir
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(filepath.Dir(b.file), dir)
	}
	b.directory("per_domain.dir", dir)
	files, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil || len(files) == 0 {
		b.wrong("per_domain.dir", "there is no file in %s; write one such as %s, or leave the directory out",
			dir, filepath.Join(dir, "example.com.toml"))
	}
	slices.Sort(files)
	hosts := ruleNames(c.Rules)
	for _, name := range files {
		f, problems := c.PerDomain.read(name, len(c.Rules))
		problems = slices.Concat(problems, sameNames(hosts, f.Rules),
			c.withoutDomains(f.Rules), c.withoutPeople(f.Rules), c.withoutPages(f.Rules))
		if len(problems) > 0 {
			c.setAside = append(c.setAside, problems...)
			c.without = append(c.without, f.domain)
			continue
		}
		c.domains = append(c.domains, f)
		c.switchOff(f)
	}
}

// switchOff notes which scanners a domain does without.
func (c *Config) switchOff(f domainFile) {
	if c.off == nil {
		c.off = map[string]policy.DomainSet{}
	}
	for _, word := range f.Off {
		if c.off[word] == nil {
			c.off[word] = policy.DomainSet{}
		}
		c.off[word][string(f.domain)] = true
	}
}

// SetAside returns the errors of the domain files that are not used for them:
// mail to these domains gets the host's rules. The error is of type Problems.
func (c *Config) SetAside() error { return slices.Clone(c.setAside).err() }

// IsSetAside reports whether the file with the rules of an address is not used.
func (c *Config) IsSetAside(address string) bool {
	return policy.Local{Domains: c.without}.Has(address)
}

// ofSetAside reports whether a rule is called like those of a file that is not used.
func (c *Config) ofSetAside(rule string) bool {
	return slices.ContainsFunc(c.without, func(d policy.Domain) bool { return strings.HasPrefix(rule, string(d)+": ") })
}

// read reads the file of one domain, and holds it to what the host allows.
func (p PerDomain) read(file string, before int) (domainFile, Problems) {
	own := &binder{origins: origins{}}
	var f domainFile
	if table, ok := own.read(file); ok {
		own.bindTable("", table, reflect.ValueOf(&f).Elem())
	}
	if err := f.domain.UnmarshalText([]byte(strings.TrimSuffix(filepath.Base(file), ".toml"))); err != nil {
		own.wrong("", "its name is no domain: %v", err)
		return f, own.problems
	}
	f.origin = Origin{file, own.line("off")}
	for i, word := range f.Off {
		if !slices.Contains(p.Scanners, word) {
			own.wrong(fmt.Sprintf("off[%d]", i), "%q cannot be switched off here; %s", word, allowed(p.Scanners))
		}
	}
	p.checkKeys(own)
	p.checkRules(own, &f, before)
	f.files = own.files
	return f, own.problems
}

// checkRules makes the rules of a domain ready.
func (p PerDomain) checkRules(own *binder, f *domainFile, before int) {
	own.rules(f.Rules, before)
	for i := range f.Rules {
		p.restrict(own, fmt.Sprintf("rule[%d]", i), &f.Rules[i], f.domain)
	}
	for _, r := range f.Rules {
		if p.overrides(r.compiled) {
			f.front = append(f.front, p.inFront(r.compiled))
		}
	}
}

// overrides reports whether a rule comes before the host's: all that it is about is
// what the host lets domains override.
func (p PerDomain) overrides(r policy.Rule) bool {
	if len(r.Grounds.When) == 0 {
		return covered(p.Before, policy.Named("*/*"))
	}
	return !slices.ContainsFunc(r.Grounds.When, func(c policy.Condition) bool { return !covered(p.Before, c) })
}

// inFront returns a rule as it holds before the host's: not for parts that are
// infected or were not examined, and not against a rule of the host's that refuses
// whatever is found, unless the host says so.
func (p PerDomain) inFront(r policy.Rule) policy.Rule {
	r.Grounds.Not = p.grave(p.Before)
	r.Yields = !covered(p.Before, policy.Named("*/*"))
	return r
}

// grave returns the kinds of what no domain lets through, but for those in list.
func (p PerDomain) grave(list []policy.Condition) (kinds []scan.Kind) {
	for _, k := range []scan.Kind{scan.Infected, scan.Unscannable, scan.Failed} {
		if !slices.Contains(list, policy.OfKind(k)) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// allowed says what may be written instead.
func allowed(words []string) string {
	if len(words) == 0 {
		return "nothing can"
	}
	return "the host allows " + strings.Join(words, ", ")
}

var ruleKey = regexp.MustCompile(`^rule\[\d+\]\.([a-z_]+)`)

// checkKeys refuses the keys that only the host may set.
func (p PerDomain) checkKeys(own *binder) {
	for path := range own.origins {
		m := ruleKey.FindStringSubmatch(path)
		if m != nil && m[0] == path && m[1] != "name" && !slices.Contains(p.Keys, m[1]) {
			own.wrong(path, "the host does not let domains set this; %s", allowed(p.Keys))
		}
	}
}

// restrict makes a rule one for mail to the domain, and for nothing else.
func (p PerDomain) restrict(own *binder, path string, r *Rule, d policy.Domain) {
	c := &r.compiled
	if r.Action != "" && !slices.Contains(p.Actions, r.Action) {
		own.wrong(path+".action", "the host does not let domains do this; %s", allowed(p.Actions))
	}
	for i, to := range c.Scope.To {
		if !to.In(d) {
			own.wrong(fmt.Sprintf("%s.to[%d]", path, i), "%s is not in %s", to, d)
		}
	}
	for i, when := range c.Grounds.When {
		if !p.covers(when) {
			own.wrong(fmt.Sprintf("%s.when[%d]", path, i), "the host does not let domains decide about %s; %s", when, allowed(texts(p.Findings)))
		}
	}
	if len(c.Grounds.When)+len(c.Grounds.Part) == 0 && !p.covers(policy.Named("*/*")) {
		own.wrong(path, "it is for any mail; say in \"when\" which findings it is about: %s", allowed(texts(p.Findings)))
	}
	if len(c.Grounds.When) == 0 && len(c.Grounds.Part) > 0 {
		if attachments := policy.Named("attachment/*"); !p.covers(attachments) {
			own.wrong(path, "it is for parts whatever is found in them, and the host does not let domains decide about %s; %s",
				attachments, allowed(texts(p.Findings)))
		}
		c.Grounds.Not = p.grave(p.Findings)
	}
	if len(c.Scope.To) == 0 {
		c.Scope.To = []policy.AddressPattern{policy.Everybody(d)}
	}
	if c.Scope.Direction == 0 {
		c.Scope.Direction = policy.Inbound | policy.Internal
	}
	if c.Scope.Direction&policy.Outbound != 0 {
		own.wrong(path+".direction", "mail that goes out is the host's business; write \"inbound\" or \"internal\"")
	}
	r.Name = string(d) + ": " + r.Name
	c.Ref.Name = r.Name
}

// covers reports whether domains may decide about a condition.
func (p PerDomain) covers(c policy.Condition) bool { return covered(p.Findings, c) }

// covered reports whether a condition is about nothing but the findings of a list.
// The score is a finding of the spam scanners there.
func covered(list []policy.Condition, c policy.Condition) bool {
	if c.AboutScore() {
		c = policy.Named("spam/*")
	}
	return slices.ContainsFunc(list, func(own policy.Condition) bool { return own.Covers(c) })
}

func texts(list []policy.Condition) []string {
	var all []string
	for _, c := range list {
		all = append(all, c.String())
	}
	return all
}

// switchedOff returns the rules by which findings of scanners that a domain does
// not want count for nothing there.
func (c *Config) switchedOff() []policy.Rule {
	var rules []policy.Rule
	for _, f := range c.domains {
		for _, word := range f.Off {
			rules = append(rules, policy.Rule{
				Ref:     policy.RuleRef{Name: string(f.domain) + ": " + word + " off", File: f.origin.File, Line: f.origin.Line},
				Scope:   policy.Scope{To: []policy.AddressPattern{policy.Everybody(f.domain)}, Direction: policy.Inbound | policy.Internal},
				Grounds: policy.Grounds{When: []policy.Condition{policy.Named(word + "/*")}},
			})
		}
	}
	return rules
}

// withoutScore takes the domains that want no spam scanner out of a rule about
// the score.
func (c *Config) withoutScore(r policy.Rule) policy.Rule {
	if !slices.ContainsFunc(r.Grounds.When, policy.Condition.AboutScore) {
		return r
	}
	for _, f := range c.domains {
		if slices.Contains(f.Off, "spam") {
			r.Scope.NotTo = append(r.Scope.NotTo, policy.Everybody(f.domain))
		}
	}
	return r
}

// overriding returns the rules of all domains that come before the host's.
func (c *Config) overriding() []policy.Rule {
	var rules []policy.Rule
	for _, f := range c.domains {
		rules = append(rules, f.front...)
	}
	return rules
}

// domainRules returns the rules of all domains that come after the host's.
func (c *Config) domainRules() []policy.Rule {
	var rules []policy.Rule
	for _, f := range c.domains {
		for _, r := range f.Rules {
			if !c.PerDomain.overrides(r.compiled) {
				rules = append(rules, r.compiled)
			}
		}
	}
	return rules
}

// Unwanted reports whether none of these recipients wants a scanner. The word
// comes before the slash in the names of its findings.
func (c *Config) Unwanted(word string, recipients []string) bool {
	if len(recipients) == 0 {
		return false
	}
	off := c.off[word]
	return !slices.ContainsFunc(recipients, func(to string) bool { return !off.Has(to) })
}

// Unwantable reports whether some domain does not want a scanner.
func (c *Config) Unwantable(word string) bool { return len(c.off[word]) > 0 }
