package integration

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// What the README says about Debian, to the letter, ends with an installation that
// setup hooks into Postfix and of which doctor names no fault; and where the package is
// removed, Postfix asks for it no more.
func TestInstallByTheReadme(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	readme := read(t, filepath.Join(servers.Root(t), "README.md"))
	_, steps, _ := strings.Cut(readme, "For Postfix and clamd:")
	steps, _, ok := strings.Cut(steps, "By hand, on other systems")
	if !ok {
		t.Fatal("the README has no steps for Debian")
	}
	script := beforeTheReadme
	config := ""
	for line := range strings.Lines(steps) {
		text, example := strings.CutPrefix(line, "    ")
		command, isCommand := strings.CutPrefix(text, "sudo ")
		switch {
		case example && isCommand || example && strings.HasPrefix(text, "echo "):
			if strings.HasPrefix(command, "milterscan check") {
				script += "cat >/etc/milterscan/milterscan.toml <<'END'\n" + config + "END\n"
			}
			script += strings.ReplaceAll(strings.ReplaceAll(text, "| sudo ", "| "), "sudo ", "")
		case example || strings.TrimSpace(line) == "":
			config += text
		}
	}
	file := filepath.Join(t.TempDir(), "install")
	write(t, file, script+afterTheReadme)
	cmd := exec.Command("unshare", "--mount", "--net", "sh", "-ec", privateView, t.TempDir(), file, pack(t, "1.0"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "healthy") || strings.Contains(string(out), "FAULT") || !strings.Contains(string(out), "everything works") {
		t.Errorf("%v\n%s", err, out)
	}
}

// beforeTheReadme is a host with Postfix, clamd and the package. There is no systemd,
// so systemctl starts what it is told to restart.
const beforeTheReadme = `
export DEBIAN_FRONTEND=noninteractive
rm -rf /var/lib/milterscan /etc/milterscan
ip link set lo up
[ -s /etc/postfix/main.cf ] || cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e myhostname=mx.test.local mydestination=localhost inet_interfaces=loopback-only smtpd_milters= non_smtpd_milters=
dpkg --force-unsafe-io -i "$1"
printf '44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test\n' >/var/lib/clamav/eicar.hdb
install -d -o clamav -g clamav /run/clamav
daemons=
trap 'kill $daemons; postfix stop' EXIT
await() { for i in $(seq 60); do [ ! -S "$1" ] || return 0; sleep 1; done; return 1; }
systemctl() {
    clamd --foreground -c /etc/clamav/clamd.conf >/tmp/clamd.log 2>&1 &
    daemons="$daemons $!"
    await /run/clamav/clamd.ctl
    setpriv --reuid milterscan --regid milterscan --init-groups milterscan serve >/tmp/milterscan.log 2>&1 &
    daemons="$daemons $!"
    await /var/spool/postfix/milterscan/milter.sock
}
`

const afterTheReadme = `
postfix start
milterscan setup --yes postfix
milterscan doctor -v
[ "$(stat -c %U /var/lib/milterscan/quarantine)" = milterscan ]
dpkg -r milterscan
[ -z "$(postconf -h smtpd_milters)$(postconf -h non_smtpd_milters)" ]
echo everything works
`
