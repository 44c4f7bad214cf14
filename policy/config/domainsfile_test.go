package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDomainsFile reads domains from a file, among others, and says what is wrong with it.
func TestDomainsFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "milterscan.toml")
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "d%d.example\n", i)
	}
	for _, c := range []struct{ domains, file, want string }{
		{`["a.example", "file:domains", "z.example"]`, "# ours\nb.example\n\nC.example. # and this\n", "[a.example b.example z.example c.example]"},
		{`["file:domains"]`, many.String(), ""},
		{`["file:domains"]`, "b.example\nno domain\n", "domains:2"},
		{`["file:domains"]`, "# nothing\n", "milterscan.toml:2: local.domains[0]"},
		{`["file:missing"]`, "", "missing"},
		{`["a.example", "b@c"]`, "", `milterscan.toml:2: local.domains[1]: "b@c" is no domain`},
	} {
		for name, text := range map[string]string{path: "[local]\ndomains = " + c.domains + "\n", filepath.Join(dir, "domains"): c.file} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		loaded, err := Load(path)
		got := fmt.Sprint(loaded.Local.Domains)
		switch {
		case c.want == "" && (err != nil || len(loaded.Local.Domains) != 10_000):
			t.Errorf("%d domains, %v", len(loaded.Local.Domains), err)
		case strings.HasPrefix(c.want, "[") && (err != nil || got != c.want):
			t.Errorf("%s: %s, %v", c.domains, got, err)
		case !strings.HasPrefix(c.want, "[") && c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, not %q", c.domains, err, c.want)
		}
	}
}
