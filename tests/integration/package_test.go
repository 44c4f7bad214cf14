package integration

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
bash -n /usr/share/bash-completion/completions/milterscan && [ -s /usr/share/zsh/vendor-completions/_milterscan ] && [ -s /usr/share/fish/vendor_completions.d/milterscan.fish ]
zcat /usr/share/man/man1/milterscan-quarantine-release.1.gz | grep -q "EXIT STATUS"
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

# An MTA that asks milterscan is told not to before milterscan goes.
if [ -e /etc/postfix/main.cf ]; then
    postconf -e 'smtpd_milters = unix:/run/milterscan/milter.sock, inet:127.0.0.1:1'
fi
dpkg -r milterscan
if [ -e /etc/postfix/main.cf ]; then
    [ "$(postconf -h smtpd_milters)" = inet:127.0.0.1:1 ]
fi
[ ! -e /usr/bin/milterscan ] && [ -e /etc/milterscan/milterscan.toml ] && [ -e /var/lib/milterscan/kept ]
dpkg -P milterscan
left=$(find /etc /usr /var /run -xdev -iname '*milterscan*' -newer /var/lib/dpkg/status-old -not -path '/var/log/*' 2>/dev/null || true)
[ -z "$left" ]
! dpkg-query -W milterscan
echo everything is gone
`

// What the package brings speaks of the package: its paths are there, its links lead
// somewhere, and every library linked into the program has its notice.
func TestPackagedPages(t *testing.T) {
	needServers(t)
	root := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "-x", pack(t, "1.0"), root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	doc := filepath.Join(root, "usr/share/doc/milterscan")
	err := filepath.WalkDir(doc, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "copyright") || strings.HasSuffix(path, ".gz") {
			return err
		}
		text := read(t, path)
		if strings.Contains(text, "/usr/local/lib/milterscan") {
			t.Errorf("%s names a path that the package does not have", path)
		}
		for _, script := range packagedScript.FindAllString(text, -1) {
			if _, err := os.Stat(filepath.Join(root, script)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if strings.HasSuffix(path, ".md") {
			wantLinks(t, path, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	notices := read(t, filepath.Join(doc, "copyright"))
	linked, err := exec.Command("go", "version", "-m", servers.Binary(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(linked)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" && !strings.Contains(notices, f[1]+" "+f[2]) {
			t.Errorf("no notice of %s", f[1])
		}
	}
}

// packagedScript is the path of a script of ours as a snippet writes it.
var packagedScript = regexp.MustCompile(`/usr/lib/milterscan/[a-z-]*[a-z]`)

// wantLinks checks that the links of a page lead to files.
func wantLinks(t *testing.T, page, text string) {
	t.Helper()
	for _, piece := range strings.Split(text, "](")[1:] {
		name, _, _ := strings.Cut(piece, ")")
		name, _, _ = strings.Cut(name, "#")
		if name == "" || strings.Contains(name, "://") || strings.ContainsAny(name, " |`") {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(page), name)); err != nil {
			t.Errorf("%s points to %s: %v", page, name, err)
		}
	}
}

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
