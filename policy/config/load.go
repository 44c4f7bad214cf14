package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/BurntSushi/toml"
)

// maxFile is the largest configuration file that is read, in bytes.
const maxFile = 16 << 20

// Load reads the file at path, and the rules in policy.d/*.toml next to it in the
// order of their names. The error is of type Problems and names everything that
// is wrong. An error in the file of a domain takes out that file alone, and is
// reported only if there are others; see SetAside.
func Load(path string) (*Config, error) {
	return load(path, func(b *binder) (map[string]any, bool) { return b.read(path) })
}

// load makes a configuration of what read finds at path.
func load(path string, read func(*binder) (map[string]any, bool)) (*Config, error) {
	c := Default()
	b := &binder{file: path, origins: c.origins, renamings: renamings()}
	if table, ok := read(b); ok {
		more := b.listedDomains(table)
		b.bindTable("", table, reflect.ValueOf(c).Elem())
		c.Local.Domains = append(c.Local.Domains, more...)
	}
	b.rules(c.Rules, 0)
	b.tests(c.Tests)
	b.check(c)
	c.giveTokens()
	b.checkFiles(c)
	b.directory("", filepath.Dir(path))
	b.directory("", filepath.Join(filepath.Dir(path), "policy.d"))
	for _, name := range policyFiles(path) {
		rules, tests := b.extraRules(name, len(c.Rules))
		c.Rules, c.Tests = append(c.Rules, rules...), append(c.Tests, tests...)
	}
	b.domainFiles(c)
	b.problems = append(b.problems, sameNames(map[string]Origin{}, c.Rules)...)
	b.problems = append(b.problems, c.withoutDomains(c.Rules)...)
	b.problems = append(b.problems, c.withoutPeople(c.Rules)...)
	b.problems = append(b.problems, c.withoutPages(c.Rules)...)
	b.testedRules(c)
	for _, f := range c.domains {
		b.files = append(b.files, f.files...)
	}
	c.cautions = cautionsOf(b.files, c.Quarantine.Dir)
	if len(b.problems) > 0 {
		b.problems = append(b.problems, c.setAside...)
	}
	return c, b.problems.err()
}

// read reads one file and prepares the binder for it.
func (b *binder) read(path string) (map[string]any, bool) {
	b.file, b.lines = path, nil
	b.files = append(b.files, path)
	text, err := readFile(path, maxFile)
	if err != nil {
		b.wrong("", "%v", err)
		return nil, false
	}
	return b.decode(text)
}

// policyFiles returns the files with further rules of the configuration at a path, in their order.
func policyFiles(path string) []string {
	list, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "policy.d", "*.toml")) // whose pattern is right
	slices.Sort(list)
	return list
}

// syntax notes where the TOML library could not go on. What follows is unknown.
func (b *binder) syntax(err error) {
	var at toml.ParseError
	if !errors.As(err, &at) {
		b.wrong("", "%v", err)
		return
	}
	b.problems = append(b.problems, Problem{b.file, at.Position.Line, at.LastKey, at.Message})
}

// extraRules reads a file of policy.d, which may hold rules and tests and nothing
// else. Where its values come from is noted under its own name.
func (b *binder) extraRules(path string, before int) ([]Rule, []Test) {
	var extra struct {
		Rules []Rule `toml:"rule"`
		Tests []Test `toml:"test"`
	}
	own := &binder{origins: origins{}}
	if table, ok := own.read(path); ok {
		own.bindTable("", table, reflect.ValueOf(&extra).Elem())
	}
	own.rules(extra.Rules, before)
	own.tests(extra.Tests)
	b.problems = append(b.problems, own.problems...)
	b.files = append(b.files, own.files...)
	return extra.Rules, extra.Tests
}

// allOwn returns the rules of the site and of all domains.
func (c *Config) allOwn() []Rule {
	all := slices.Clone(c.Rules)
	for _, f := range c.domains {
		all = append(all, f.Rules...)
	}
	return all
}

// rules makes rules ready; before is how many come before them.
func (b *binder) rules(list []Rule, before int) {
	for i := range list {
		b.compile(fmt.Sprintf("rule[%d]", i), before+i, &list[i])
	}
}

// ruleNames says where each name of a rule is first.
func ruleNames(rules []Rule) map[string]Origin {
	first := map[string]Origin{}
	for _, r := range rules {
		if _, ok := first[r.Name]; !ok {
			first[r.Name] = r.origin
		}
	}
	return first
}

// sameNames refuses two rules of one name: the log could not tell them apart. taken
// has the names of other rules.
func sameNames(taken map[string]Origin, rules []Rule) (found Problems) {
	first := maps.Clone(taken)
	for _, r := range rules {
		if other, ok := first[r.Name]; ok {
			found = append(found, Problem{r.origin.File, r.origin.Line, "rule.name",
				fmt.Sprintf("%q is the name of the rule at %s, too; give each its own", r.Name, other)})
			continue
		}
		first[r.Name] = r.origin
	}
	return found
}
