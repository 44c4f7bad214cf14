package main

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestConfigurationIsFound names a configuration in the environment that is not there: every command that takes
// -c looks for it, and says which file it is.
func TestConfigurationIsFound(t *testing.T) {
	const nowhere = "/nowhere/named.toml"
	t.Setenv(cli.FileVariable, nowhere)
	// What these take before they read the configuration.
	arguments := map[string][]string{
		"scan": {"/dev/null"}, "learn": {"spam", "x"}, "store migrate": {"--from", "sqlite", "--to", "postgres"}, "explain": {"x"}, "quarantine show": {"x"}, "quarantine release": {"x"},
		"quarantine forward": {"--to", "a@example.com", "x"}, "quarantine delete": {"x"}, "digest preview": {"--for", "a@example.com"},
		"digest resume": {"a@example.com"}, "dmarc-report preview": {"--domain", "example.com"},
		"list add": {"block", "--for", "host", "a@example.com"}, "list remove": {"--for", "host", "a@example.com"},
		"list import": {"/dev/null"}, "list show": {"--for", "host"}, "greylist pass": {"a@example.com", "b@example.com"},
		"feed check": {"example.com"}, "user add": {"--role", "administrator", "--generate", "ann"}, "user passwd": {"--generate", "ann"},
		"user disable": {"ann"}, "user enable": {"ann"}, "user remove": {"ann"}, "token add": {"--for", "ann", "--may", "see messages", "x"},
		"token revoke": {"--for", "ann", "x"}, "people show": {"a@example.com"}, "people limit": {"a@example.com"},
	}
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		_, help, _ := call(t, append(command, "--help")...)
		if !strings.Contains(help, "\n  -c file\n") {
			continue
		}
		if !strings.Contains(help, "without it the one that $MILTERSCAN_CONFIG names, else /etc/milterscan/milterscan.toml") {
			t.Errorf("%s does not say where it looks: %s", name, help)
		}
		if name == "setup" {
			continue // which looks at the MTA of this host first
		}
		status, out, errs := call(t, append(command, arguments[name]...)...)
		if status == cli.ExitOK && name != "bugreport" || status == cli.ExitUsage || !strings.Contains(out+errs, nowhere) {
			t.Errorf("%s: status %d, %s%s", name, status, out, errs)
		}
	}
	_, _, errs := call(t, "check")
	if !strings.Contains(errs, "The environment names this file, by MILTERSCAN_CONFIG") {
		t.Error(errs)
	}
	if status, _, _ := call(t, "check", "-c", writeConfig(t, t.TempDir())); status != cli.ExitOK {
		t.Errorf("-c does not come first: status %d", status)
	}
}
