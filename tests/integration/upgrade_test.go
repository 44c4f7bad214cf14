package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// An installation of 0.1.0, as testdata/0.1.0 has written it down, is upgraded: its
// configuration is not touched and is understood, what was kept and remembered is there,
// and senders who had tried again need not do it once more.
func TestUpgrade(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	from, err := filepath.Abs("testdata/0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "upgrade")
	write(t, script, upgrade)
	cmd := exec.Command("unshare", "--mount", "sh", "-ec", privateView, t.TempDir(), script, packOld(t, from), filepath.Join(from, "state.tar.gz"), pack(t, "0.2.0"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "nothing is lost") {
		t.Errorf("%v\n%s", err, out)
	}
}

// packOld makes the package of 0.1.0 with its scripts and its configuration; its program
// does nothing.
func packOld(t *testing.T, from string) string {
	t.Helper()
	tree := t.TempDir()
	file := func(mode os.FileMode, name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(tree, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(tree, name), text)
		if err := os.Chmod(filepath.Join(tree, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	file(0o644, "DEBIAN/control", "Package: milterscan\nVersion: 0.1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: 0.1.0\n")
	file(0o644, "DEBIAN/conffiles", "/etc/milterscan/milterscan.toml\n")
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		file(0o755, "DEBIAN/"+name, read(t, filepath.Join(from, name)))
	}
	file(0o644, "etc/milterscan/milterscan.toml", read(t, filepath.Join(from, "milterscan.toml")))
	file(0o755, "usr/bin/milterscan", "#!/bin/sh\n")
	made := filepath.Join(t.TempDir(), "milterscan_0.1.0_all.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, made).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return made
}

const upgrade = `
export DEBIAN_FRONTEND=noninteractive
rm -rf /var/lib/milterscan /etc/milterscan
dpkg --force-unsafe-io -i "$1"
tar -C / -xzf "$2"
chown -R milterscan: /var/lib/milterscan
before=$(cd /etc/milterscan && find . -type f -exec sha256sum {} + | sort)

dpkg --force-unsafe-io --force-confdef --force-confold -i "$3"
[ "$(cd /etc/milterscan && find . -type f ! -name '*.dpkg-dist' -exec sha256sum {} + | sort)" = "$before" ]
milterscan check

as() { setpriv --reuid milterscan --regid milterscan --clear-groups "$@"; }
all() { [ "$(milterscan quarantine list --json | grep -c customer.test)" = 6 ] && [ "$(milterscan history --json --limit 1000 | grep -c anna)" -ge "$1" ]; }
all 16
kept=$(milterscan quarantine list --json | sed -n 's/.*"id":"\([^"]*\)".*/\1/p' | sort | tail -n 1)
milterscan quarantine show --message "$kept" | grep -q '^Subject: another program'
milterscan explain "$kept" | grep attachment/

# The daemon takes over what it finds, and goes on with it.
install -d -o milterscan /run/milterscan
setpriv --reuid milterscan --regid milterscan --clear-groups milterscan serve >/tmp/log 2>&1 &
daemon=$!
trap 'kill $daemon' EXIT
for i in $(seq 600); do [ ! -S /run/milterscan/milter.sock ] || break; sleep 0.1; done
ask() { printf 'From: <%s>\nTo: <bob@customer.test>\nSubject: after the upgrade\n\nhello\n' "$1" | as milterscan filter --from "$1" --to bob@customer.test --client "$2"; }
ask anna0@sender.test 192.0.2.7 | grep 'Subject: after the upgrade'
status=0; ask new@sender.test 198.51.100.7 || status=$?
[ $status = 75 ]
kill $daemon
wait $daemon || true
trap - EXIT
cat /tmp/log
all 17
milterscan history --json --limit 1000 | grep -q 'after the upgrade'
echo nothing is lost
`
