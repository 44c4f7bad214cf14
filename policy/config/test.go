package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/milterscan/milterscan/policy"
)

// Test is a mail and the decision it must get. "milterscan check" and every
// reload run the tests; one that fails leaves the old configuration in force.
type Test struct {
	// The mail, in a file; a relative path counts from this one's directory.
	Mail string `toml:"mail" example:"\"tests/invoice.eml\""`
	// The action it must get: "deliver", "tempfail", "hold", "discard",
	// "quarantine" or "reject".
	Expect string `toml:"expect" example:"\"reject\""`
	// The rule that is to decide, by its name; "" for any.
	Rule string `toml:"rule" example:"\"partners may send programs\""`
	// The envelope sender.
	From string `toml:"from" example:"\"sender@partner.example\""`
	// The envelope recipients.
	To []string `toml:"to" example:"[\"lab@example.com\"]"`
	// The client's address.
	Client string `toml:"client" example:"\"192.0.2.1\""`
	// The name the client gave in HELO.
	Helo string `toml:"helo" example:"\"mail.partner.example\""`
	// The login name of the client.
	Auth string `toml:"auth" example:"\"\""`

	origin Origin
}

// Origin returns the file and line of the test.
func (t Test) Origin() Origin { return t.origin }

// Runnable returns the tests that can hold: not those of mail to domains whose files
// are not used.
func (c *Config) Runnable() []Test {
	return slices.DeleteFunc(slices.Clone(c.Tests), func(t Test) bool {
		return c.ofSetAside(t.Rule) || slices.ContainsFunc(t.To, c.IsSetAside)
	})
}

// tests makes tests ready.
func (b *binder) tests(list []Test) {
	for i := range list {
		t, path := &list[i], fmt.Sprintf("test[%d]", i)
		t.origin = Origin{b.file, b.line(path)}
		if !filepath.IsAbs(t.Mail) {
			t.Mail = filepath.Join(filepath.Dir(b.file), t.Mail)
		}
		if info, err := os.Stat(t.Mail); err != nil || info.IsDir() {
			b.wrong(path+".mail", "there is no mail at %s; create it, or leave the test out", t.Mail)
		}
		if _, ok := answers[t.Expect]; !ok {
			b.wrong(path+".expect", "there is no action %q; %s", t.Expect, suggest(t.Expect, answers))
		}
		if t.Client != "" {
			if _, err := netip.ParseAddr(t.Client); err != nil {
				b.wrong(path+".client", "%q is no IP address", t.Client)
			}
		}
	}
}

// testedRules refuses a test for a rule that is not there.
func (b *binder) testedRules(c *Config) {
	all, err := c.AllRules()
	if err != nil {
		return // which is told elsewhere
	}
	for _, t := range c.Tests {
		known := func(r policy.Rule) bool { return r.Ref.Name == t.Rule }
		if t.Rule != "" && !c.ofSetAside(t.Rule) && !slices.ContainsFunc(all, known) {
			b.problems = append(b.problems, Problem{t.origin.File, t.origin.Line, "test.rule", fmt.Sprintf("there is no rule %q", t.Rule)})
		}
	}
}
