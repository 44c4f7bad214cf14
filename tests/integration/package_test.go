package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// pack makes a Debian package of a version.
func pack(t *testing.T, version string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command(filepath.Join(servers.Root(t), "contrib/debian/build"), servers.Binary(t), version, out)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1767225600", "COMPRESSION=none")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	made, err := filepath.Glob(out + "/*.deb")
	if err != nil || len(made) != 1 {
		t.Fatalf("made %q, %v", made, err)
	}
	return made[0]
}

// Installed, upgraded with a changed configuration, removed and purged: in a view
// of this system in which all changes are private and gone afterwards.
func TestDebianPackage(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	script := filepath.Join(t.TempDir(), "life")
	write(t, script, packageLife)
	cmd := exec.Command("unshare", "--mount", "sh", "-ec", privateView, t.TempDir(), script, pack(t, "1.0"), pack(t, "1.1"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "everything is gone") {
		t.Errorf("%v\n%s", err, out)
	}
}

// privateView runs the script $1 with arguments where / looks as it does here,
// and changes to it are kept in memory below directory $0.
const privateView = `
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mount --bind /proc "$0/root/proc"
mount --bind /dev "$0/root/dev"
exec chroot "$0/root" sh -ex "$@"
`

const packageLife = `
export DEBIAN_FRONTEND=noninteractive
dpkg --force-unsafe-io -i "$1"
milterscan version
milterscan check -c /etc/milterscan/milterscan.toml
[ "$(stat -c %U:%a /var/lib/milterscan)" = milterscan:700 ]
[ -x /usr/lib/milterscan/milterscan-mda ] && [ -x /usr/lib/milterscan/milterscan-exim ]
if command -v systemd-analyze; then
    # It complains about units that the machine has not, too.
    ! systemd-analyze verify /usr/lib/systemd/system/milterscan.service 2>&1 | grep -i '^[^ ]*milterscan'
    ! systemd-analyze verify /usr/lib/systemd/system/milterscan.socket 2>&1 | grep -i '^[^ ]*milterscan'
fi
printf 'Subject: hello\n\nworld\n' | /usr/lib/milterscan/milterscan-mda -- /bin/cat

echo 'profile = "strict"' >/etc/milterscan/milterscan.toml
echo kept >/var/lib/milterscan/kept
dpkg --force-unsafe-io --force-confold -i "$2"
grep strict /etc/milterscan/milterscan.toml
grep kept /var/lib/milterscan/kept
dpkg-query -W -f '${Version} ${Status}\n' milterscan | grep '^1.1 install ok installed'

dpkg -r milterscan
[ ! -e /usr/bin/milterscan ] && [ -e /etc/milterscan/milterscan.toml ] && [ -e /var/lib/milterscan/kept ]
dpkg -P milterscan
left=$(find /etc /usr /var /run -xdev -iname '*milterscan*' -newer /var/lib/dpkg/status-old -not -path '/var/log/*' 2>/dev/null || true)
[ -z "$left" ]
! dpkg-query -W milterscan
echo everything is gone
`

// The same source gives the same package, byte for byte, and the program in it
// needs no library.
func TestPackageIsReproducible(t *testing.T) {
	needServers(t)
	one, other := read(t, pack(t, "1.0")), read(t, pack(t, "1.0"))
	if one != other {
		t.Error("two packages of one source differ")
	}
	if text := read(t, servers.Binary(t)); strings.Contains(text, "ld-linux") || strings.Contains(text, servers.Root(t)) {
		t.Error("the program is linked dynamically, or names the directory it was compiled in")
	}
}

// A socket that systemd opens is served by the daemon that is started for it.
func TestSocketActivation(t *testing.T) {
	needServers(t)
	dir := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "m"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/milterscan.toml", servers.Private(fmt.Sprintf("[milter]\nlisten = [\"unix:%s/m\"]\n", dir), dir))
	var log bytes.Buffer
	cmd := exec.Command("sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve -c "$1"`, servers.Binary(t), dir+"/milterscan.toml")
	cmd.ExtraFiles, cmd.Stderr = []*os.File{socket}, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ask := exec.Command(servers.Binary(t), "filter", "-c", dir+"/milterscan.toml")
	ask.Stdin = bytes.NewReader(infected().Data)
	ask.Run() // waits for the daemon, as an MTA would
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if ask.ProcessState.ExitCode() != 69 || !strings.Contains(log.String(), `"msg":"message"`) {
		t.Errorf("asked: %v; the daemon's log:\n%s", ask.ProcessState, log.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "m")); err != nil {
		t.Errorf("the daemon has taken systemd's socket away: %v", err)
	}
}
