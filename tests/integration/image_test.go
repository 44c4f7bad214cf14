package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// output runs a program, and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// packed makes a package with one of the scripts, and returns its name.
func packed(t *testing.T, script, pattern string) string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	out := t.TempDir()
	output(t, filepath.Join(servers.Root(t), script), servers.Binary(t), "1.0", out)
	made, err := filepath.Glob(filepath.Join(out, pattern))
	if err != nil || len(made) != 1 {
		t.Fatalf("made %q, %v", made, err)
	}
	return made[0]
}

// The image, unpacked by another program, serves as the user it names, where nothing can be
// written but its volumes; the health check it names says whether it does.
func TestImage(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	image := packed(t, "contrib/image/build", "*.image.tar")
	dir, root := t.TempDir(), t.TempDir()
	output(t, "skopeo", "--insecure-policy", "copy", "docker-archive:"+image, "dir:"+dir+"/docker")
	output(t, "skopeo", "--insecure-policy", "copy", "oci-archive:"+image, "dir:"+dir+"/oci")
	var list struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	if err := json.Unmarshal([]byte(read(t, dir+"/oci/manifest.json")), &list); err != nil || len(list.Layers) != 1 {
		t.Fatalf("%v: %+v", err, list)
	}
	blob := func(digest string) string { return filepath.Join(dir, "oci", strings.TrimPrefix(digest, "sha256:")) }
	var image1 struct {
		Config struct {
			User                 string
			Env, Entrypoint, Cmd []string
			Healthcheck          struct{ Test []string }
		} `json:"config"`
	}
	if err := json.Unmarshal([]byte(read(t, blob(list.Config.Digest))), &image1); err != nil {
		t.Fatal(err)
	}
	c := image1.Config
	output(t, "tar", "-C", root, "-xzpf", blob(list.Layers[0].Digest))
	for _, place := range []string{"proc", "dev"} { // which whoever runs a container adds
		if err := os.Mkdir(filepath.Join(root, place), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if c.User == "" || strings.HasPrefix(c.User, "0") || len(c.Healthcheck.Test) < 2 || c.Healthcheck.Test[0] != "CMD" {
		t.Fatalf("the image says %+v", c)
	}
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euxc", container, root, c.User,
		strings.Join(append(c.Entrypoint, c.Cmd...), " "), strings.Join(c.Healthcheck.Test[1:], " "))
	cmd.Env = c.Env
	cmd.Env = append(cmd.Env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the container was well, and is no more") {
		t.Errorf("%v\n%s", err, out)
	}
}

// container runs what an image in directory $0 says, as user $1: $2 serves, $3 asks.
const container = `
mount --bind "$0" "$0"
mount -o remount,ro,bind "$0"
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
for volume in var/lib/milterscan run/milterscan tmp; do
    mount -t tmpfs -o uid=${1%:*},gid=${1#*:},mode=700 tmpfs "$0/$volume"
done
run() { chroot --userspec="$USERSPEC" "$ROOT" "$@"; }
ROOT=$0 USERSPEC=$1

run /usr/bin/milterscan version
run /usr/bin/milterscan check -c /etc/milterscan/milterscan.toml
status=0; run $3 || status=$?
[ $status = 1 ]
chroot --userspec="$1" "$0" $2 >/dev/null 2>&1 &
daemon=$!
for i in $(seq 600); do ! run $3 >/dev/null || break; sleep 0.1; done
run $3
printf 'Subject: hello\n\nworld\n' >"$0/tmp/mail"
run /usr/bin/milterscan scan /tmp/mail
kill $daemon
wait $daemon || true
status=0; run $3 || status=$?
[ $status = 1 ]
echo the container was well, and is no more
`

// The script in the tarball installs what was packed, not what somebody has changed, into
// a prefix of its own, keeps a configuration, and takes out again what it has installed.
func TestInstallScript(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	archive := packed(t, "contrib/package/tarball", "*.tar.gz")
	script := filepath.Join(t.TempDir(), "life")
	write(t, script, tarballLife)
	out, err := exec.Command("unshare", "--mount", "sh", "-ec", privateView, t.TempDir(), script, archive).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "only what is the administrator's is left") {
		t.Errorf("%v\n%s", err, out)
	}
}

const tarballLife = `
rm -rf /var/lib/milterscan /etc/milterscan
userdel milterscan 2>/dev/null || true
cd "$(mktemp -d)"
tar -xzf "$1"
cd milterscan-1.0

# A file that was changed, or one that is missing, is said, and nothing is done.
cp usr/lib/milterscan/milterscan-mda saved
echo >>usr/lib/milterscan/milterscan-mda
status=0; ./install 2>said || status=$?
[ $status = 1 ] && grep milterscan-mda said && [ ! -e /usr/local/bin/milterscan ] && [ ! -e /etc/milterscan ]
cp saved usr/lib/milterscan/milterscan-mda
status=0; ./install --prefix relative 2>said || status=$?
[ $status = 1 ] && grep "whole path" said

before=$(find /usr /etc /var/lib -xdev -newer said | wc -l)
[ "$(./install --dry-run | wc -l)" = "$(grep -c ' usr/' SHA256SUMS)" ]
[ "$(find /usr /etc /var/lib -xdev -newer said | wc -l)" = "$before" ]

./install
/usr/local/bin/milterscan version
/usr/local/bin/milterscan check
[ "$(stat -c %U:%a /var/lib/milterscan)" = milterscan:700 ]
grep -q ExecStart=/usr/local/bin/milterscan /etc/systemd/system/milterscan.service
! grep -r /usr/bin/milterscan /etc/systemd/system/milterscan.service /usr/local/lib/milterscan
printf 'Subject: hello\n\nworld\n' | /usr/local/lib/milterscan/milterscan-mda -- /bin/cat

echo 'profile = "strict"' >/etc/milterscan/milterscan.toml
echo kept >/var/lib/milterscan/kept
./install
grep strict /etc/milterscan/milterscan.toml

./install --uninstall
[ -z "$(find /usr/local -iname '*milterscan*')" ] && [ ! -e /etc/systemd/system/milterscan.service ]
grep strict /etc/milterscan/milterscan.toml && grep kept /var/lib/milterscan/kept
echo "only what is the administrator's is left"
`
