package config

import (
	"slices"
	"strings"
)

// restartSections are the sections that a reload cannot put in force.
var restartSections = []string{"spool", "store"}

// NeedsRestart lists the keys that next changes and a reload cannot put in force.
func (c *Config) NeedsRestart(next *Config) (keys []string) {
	now := c.Effective().Settings
	for _, s := range next.Effective().Settings {
		section, _, _ := strings.Cut(s.Key, ".")
		same := func(o Setting) bool { return o.Key == s.Key && o.Value == s.Value }
		if slices.Contains(restartSections, section) && !slices.ContainsFunc(now, same) {
			keys = append(keys, s.Key)
		}
	}
	return keys
}
