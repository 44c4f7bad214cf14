package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// What the README says about Debian, command by command, ends with an installation whose
// own Postfix refuses the test virus, and of which doctor names no fault; and where the package
// is removed, Postfix asks for it no more. Nobody sits there, so what asks is told not to.
func TestInstallByTheReadme(t *testing.T) {
	needServers(t)
	readme := read(t, filepath.Join(servers.Root(t), "README.md"))
	_, steps, _ := strings.Cut(readme, "## Ten minutes")
	steps, _, ok := strings.Cut(steps, "By hand, on other systems")
	if !ok {
		t.Fatal("the README has no steps for Debian")
	}
	script := ""
	for line := range strings.Lines(steps) {
		command, isCommand := strings.CutPrefix(line, "    sudo ")
		command, _, _ = strings.Cut(strings.TrimSpace(command), " #")
		command = strings.TrimSpace(command)
		switch {
		case !isCommand:
		case strings.HasPrefix(command, "milterscan init"), strings.HasPrefix(command, "milterscan setup"):
			script += command + " --yes\n"
		default:
			script += command + "\n"
		}
	}
	if strings.Count(script, "milterscan ") < 4 {
		t.Fatalf("the README has only these steps:\n%s", script)
	}
	out := firstMinutes(t, postfixThere+script+afterTheReadme)
	if !strings.Contains(out, "healthy") || strings.Contains(out, "FAULT") || !strings.Contains(out, "The test virus was refused") {
		t.Error("not as the README says")
	}
}

// postfixThere is a host's Postfix before milterscan comes.
const postfixThere = `
[ -s /etc/postfix/main.cf ] || cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e myhostname=mx.test.local mydestination=localhost inet_interfaces=loopback-only smtpd_milters= non_smtpd_milters=
postfix start
trap 'postfix stop; stop' EXIT
`

const afterTheReadme = `
[ "$(stat -c %U /var/lib/milterscan/quarantine)" = milterscan ]
dpkg -r milterscan
[ -z "$(postconf -h smtpd_milters)$(postconf -h non_smtpd_milters)" ]
echo everything works
`
