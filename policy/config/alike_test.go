package config

import "testing"

// TestFingerprint is the same for the same settings, wherever they stand, and another for others.
func TestFingerprint(t *testing.T) {
	hash := func(change func(*Config)) string {
		c := Default()
		change(c)
		return c.Fingerprint()
	}
	plain := hash(func(*Config) {})
	for name, test := range map[string]struct {
		change func(*Config)
		same   bool
	}{
		"nothing":   {func(*Config) {}, true},
		"its name":  {func(c *Config) { c.Store.Name = "mx2" }, true},
		"a socket":  {func(c *Config) { c.Milter.Listen = []Address{"tcp:127.0.0.1:9900"} }, true},
		"a setting": {func(c *Config) { c.Limits.Parts++ }, false},
		"a profile": {func(c *Config) { c.Profile = "strict" }, false},
	} {
		if got := hash(test.change); (got == plain) != test.same {
			t.Errorf("%s: %s and %s", name, plain, got)
		}
	}
}
