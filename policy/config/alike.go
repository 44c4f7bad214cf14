package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// ofHost are the keys that are rightly not the same on all hosts.
var ofHost = []string{"store.name", "milter.listen"}

// Fingerprint returns a hash of the settings and rules in force: hosts of one fleet have the same, except for
// settings that may differ from host to host. It says nothing of the files that settings name.
func (c *Config) Fingerprint() string {
	h := sha256.New()
	e := c.Effective()
	for _, s := range e.Settings {
		if !slices.Contains(ofHost, s.Key) {
			fmt.Fprintf(h, "%s = %s\n", s.Key, s.Value)
		}
	}
	for _, r := range e.Rules {
		fmt.Fprintf(h, "%q: %s\n", r.Ref.Name, r)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
