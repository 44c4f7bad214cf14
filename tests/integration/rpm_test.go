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

// packRPM makes an rpm of a version.
func packRPM(t *testing.T, version string, environment ...string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command(filepath.Join(servers.Root(t), "contrib/rpm/build"), servers.Binary(t), version, out)
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH=1767225600", "COMPRESSION=w1.gzdio"), environment...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	made, err := filepath.Glob(out + "/*.rpm")
	if err != nil || len(made) != 1 {
		t.Fatalf("made %q, %v", made, err)
	}
	return made[0]
}

// The rpm is the same whoever packs it, rpmlint has nothing to say of it that is not
// explained in rpmlintrc, and rpm finds all sums right.
func TestRPM(t *testing.T) {
	needServers(t)
	made := packRPM(t, "1.0")
	if read(t, made) != read(t, packRPM(t, "1.0", "TZ=Pacific/Auckland", "LC_ALL=C", "HOME="+t.TempDir())) {
		t.Error("two packages of one source differ")
	}
	rc := filepath.Join(servers.Root(t), "contrib/rpm/rpmlintrc")
	out, err := exec.Command("rpmlint", "-r", rc, made).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 errors, 0 warnings") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("rpm", "-K", made).CombinedOutput(); err != nil || !strings.Contains(string(out), "digests OK") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Installed, upgraded with a changed configuration, and removed, in a private view.
func TestRPMLife(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	script := filepath.Join(t.TempDir(), "life")
	write(t, script, rpmLife)
	cmd := exec.Command("unshare", "--mount", "sh", "-ec", privateView, t.TempDir(), script, packRPM(t, "1.0"), packRPM(t, "1.1"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "only what is the administrator's is left") {
		t.Errorf("%v\n%s", err, out)
	}
}

// rpmLife says --nodeps because the packages of this machine are in another database.
const rpmLife = `
rm -rf /var/lib/milterscan /etc/milterscan
rpm="rpm --force-debian --nodeps"
$rpm -i "$1"
milterscan version
milterscan check -c /etc/milterscan/milterscan.toml
[ "$(stat -c %U:%a /var/lib/milterscan)" = milterscan:700 ]
rpm -V --nodeps milterscan
[ -x /usr/lib/milterscan/milterscan-mda ] && [ -s /usr/share/zsh/site-functions/_milterscan ]
[ "$(rpm -q --licensefiles milterscan)" = /usr/share/doc/milterscan/copyright ]
[ "$(rpm -q --configfiles milterscan)" = /etc/milterscan/milterscan.toml ]
printf 'Subject: hello\n\nworld\n' | /usr/lib/milterscan/milterscan-mda -- /bin/cat

echo 'profile = "strict"' >/etc/milterscan/milterscan.toml
echo kept >/var/lib/milterscan/kept
$rpm -U "$2"
grep strict /etc/milterscan/milterscan.toml
grep kept /var/lib/milterscan/kept
[ "$(rpm -q milterscan)" = milterscan-1.1-1.$(uname -m) ]

# An MTA that asks milterscan is told not to before milterscan goes, not at an upgrade.
if [ -e /etc/postfix/main.cf ]; then
    postconf -e 'smtpd_milters = unix:/run/milterscan/milter.sock, inet:127.0.0.1:1'
    $rpm -U --force "$2"
    [ "$(postconf -h smtpd_milters)" = 'unix:/run/milterscan/milter.sock, inet:127.0.0.1:1' ]
fi
$rpm -e milterscan
if [ -e /etc/postfix/main.cf ]; then
    [ "$(postconf -h smtpd_milters)" = inet:127.0.0.1:1 ]
fi
[ ! -e /usr/bin/milterscan ] && [ ! -e /usr/lib/milterscan ] && [ ! -e /usr/share/doc/milterscan ]
grep strict /etc/milterscan/milterscan.toml.rpmsave
grep kept /var/lib/milterscan/kept
echo "only what is the administrator's is left"
`

// The list of parts in a package is CycloneDX, as its schema says, and has every module
// that the linker says is in the program, with its sum.
func TestPackagedSBOM(t *testing.T) {
	needServers(t)
	root := t.TempDir()
	if out, err := exec.Command("dpkg-deb", "-x", pack(t, "1.0"), root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file := filepath.Join(root, "usr/share/doc/milterscan/sbom.cdx.json")
	if out, err := exec.Command("/usr/bin/python3", "-c", validate, schemas(t), file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	var bill struct {
		Components []struct {
			PURL   string `json:"purl"`
			Hashes []any  `json:"hashes"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(read(t, file)), &bill); err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, c := range bill.Components {
		listed[c.PURL] = len(c.Hashes)
	}
	linked, err := exec.Command("go", "version", "-m", servers.Binary(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(linked)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			seen++
			if listed["pkg:golang/"+f[1]+"@"+f[2]] != 1 {
				t.Errorf("%s %s is not listed with its sum", f[1], f[2])
			}
		}
	}
	if seen < 20 || len(bill.Components) != seen+1 {
		t.Errorf("%d modules are linked, %d components listed; want one more, the library of Go", seen, len(bill.Components))
	}
}

// schemas fetches the schemas of CycloneDX, which come with a library for it, and
// returns their directory.
func schemas(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/CycloneDX/cyclonedx-go@v0.9.3")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil || module.Dir == "" {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(module.Dir, "schema")
}

// validate ends with an error where a file is not what the schema of CycloneDX 1.6 says.
const validate = `
import json, sys, jsonschema
folder, file = sys.argv[1:]
load = lambda name: json.load(open(folder + "/" + name))
schema = load("bom-1.6.schema.json")
known = {"spdx.schema.json": load("spdx.schema.json"), "jsf-0.82.schema.json": {}}
base = schema["$id"].rsplit("/", 1)[0]
store = {f"{base}/{name}": value for name, value in known.items()}
resolver = jsonschema.RefResolver(base_uri=schema["$id"], referrer=schema, store=store)
check = jsonschema.Draft7Validator(schema, resolver=resolver)
document = json.load(open(file))
faults = [f"{list(e.path)}: {e.message}" for e in check.iter_errors(document)]
document["components"][0]["type"] = "surprise"
if check.is_valid(document):
    faults.append("the schema accepts anything")
sys.exit("\n".join(faults[:20]) or 0)
`
