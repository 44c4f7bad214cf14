package config

import "fmt"

// checkFeeds refuses feeds that have the name of another: their lists would have one file.
func (b *binder) checkFeeds(c *Config) {
	names := map[string]bool{}
	for i, f := range c.Feeds {
		if names[f.Name] {
			b.wrong(fmt.Sprintf("feed[%d].name", i), "two feeds are called %q; give each its own name", f.Name)
		}
		names[f.Name] = true
	}
}
