// Package tests holds the tests of the source tree as a whole.
package tests

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/milterscan/milterscan/"

// permissions say which of our packages each of our packages may import: one way,
// from the commands down to what knows nothing of mail. docs/flow.md draws the same
// picture. "scan/format/..." is every package below that folder, "scan" that package
// alone. A package may import what any row for it permits. What is below tests/ may
// import anything and is imported by nothing.
var permissions = []struct {
	from string
	may  []string
}{
	// Bytes to structure.
	{"scan/units", nil},
	{"scan/scratch", nil},
	{"scan/breaker", nil},
	{"scan/spool", []string{"scan/scratch"}},
	{"scan/hostile", nil},
	{"scan/format/...", []string{"scan/scratch", "scan/units"}},
	{"scan/format/archive", []string{"scan/format/inflate", "scan/format/lzma", "scan/format/pdf"}},
	{"scan/format/pdf", []string{"scan/format/inflate"}},
	{"scan/format/listing", []string{"scan/format/markup"}},
	{"scan/format/picture", []string{"scan/format/archive"}},
	{"scan/format/entity", []string{"scan/format/charset", "scan/format/sniff"}},
	{"scan/format/markup", []string{"scan/format/charset"}},
	{"scan/format/skeleton", []string{"scan/format/charset"}},
	{"scan", []string{"scan/format/entity", "scan/scratch"}},

	// Structure to parts.
	{"scan/open/...", []string{"scan", "scan/format/...", "scan/scratch", "scan/spool", "scan/units"}},

	// Scanners. They do not know each other; a document is asked what it is.
	{"scan/contents/...", []string{"scan", "scan/open/...", "scan/format/...", "scan/scratch", "scan/units"}},
	{"scan/contents/virus", []string{"scan/contents/virus/icap"}},
	{"scan/sender/...", []string{"scan", "scan/open/texts", "scan/format/...", "scan/scratch", "scan/units"}},
	{"scan/sender/arc", []string{"scan/sender/dkim", "scan/sender/dns"}},
	{"scan/sender/arc/arctest", []string{"scan/sender/dns/dnstest"}},
	{"scan/sender/auth", []string{"scan/sender/arc", "scan/sender/dkim", "scan/sender/dns", "scan/sender/origin"}},
	{"scan/sender/dkim", []string{"scan/sender/dns"}},
	{"scan/sender/dns/dnstest", []string{"scan/sender/dns"}},
	{"scan/sender/geo/geotest", nil},
	{"scan/sender/dnslist", []string{"scan/sender/dkim", "scan/sender/dns", "scan/sender/origin"}},
	{"scan/sender/rspamd", []string{"scan/sender/scorer"}},
	{"scan/sender/scorer", []string{"scan/breaker"}},
	{"scan/sender/spamd", []string{"scan/sender/scorer"}},
	{"scan/sender/relay", []string{"scan/sender/dns", "scan/sender/origin"}},
	{"scan/scantest", []string{"scan", "scan/format/...", "scan/open/unpack", "scan/spool", "scan/units"}},

	// From findings to decisions, and what becomes of them.
	{"policy", []string{"scan", "scan/format/entity", "scan/format/markup", "scan/units"}},
	{"policy/disk", nil},
	{"policy/pace", nil},
	{"policy/token", []string{"policy/disk"}},
	{"policy/edit", []string{"policy", "scan", "scan/format/...", "scan/scratch", "scan/units"}},
	{"policy/tell/...", []string{"policy", "policy/disk", "policy/token"}},
	{"policy/tell/letter", []string{"policy/tell/submission"}},
	{"policy/tell/courier", []string{"policy/tell/letter", "policy/tell/submission"}},
	{"policy/tell/notify", []string{"policy/tell/letter", "policy/tell/submission"}},
	{"policy/keep/...", []string{"policy", "policy/disk", "scan"}},
	{"policy/keep/quarantine", []string{"policy/address", "policy/tell/submission", "policy/token", "scan/scratch", "scan/sender/scorer"}},
	{"policy/keep/quarantine/shared", []string{"policy/keep/bucket", "policy/keep/postgres", "policy/keep/quarantine"}},
	{"policy/keep/quarantine/quarantinetest", []string{"policy/keep/quarantine", "policy/tell/submission", "scan/sender/scorer"}},
	{"policy/keep/history/shared", []string{"policy/keep/find", "policy/keep/history", "policy/keep/postgres"}},
	{"policy/keep/history/spill", []string{"policy/keep/history", "scan/breaker"}},
	{"policy/keep/history/historytest", []string{"policy/keep/find", "policy/keep/history"}},
	{"policy/keep/bucket", []string{"scan/breaker", "scan/units"}},
	{"policy/keep/tables", []string{"policy/keep/store"}},
	{"policy/keep/timeline", []string{"policy/keep/mtalog", "policy/keep/quarantine"}},
	{"policy/keep/awaited", []string{"policy/keep/quarantine"}},
	{"policy/keep/find", []string{"policy/keep/history"}},
	{"policy/keep/store", []string{"policy/keep/find", "policy/keep/history", "policy/keep/mtalog", "policy/keep/quarantine", "scan/breaker", "scan/sender/contact", "scan/sender/greylist", "scan/sender/rate"}},
	{"policy/people", []string{"policy", "policy/keep/tables", "policy/address", "scan/units"}},
	{"policy/people/peopletest", []string{"policy/people"}},
	{"policy/people/listfile", []string{"policy", "policy/people"}},
	{"policy/people/lists", []string{"policy", "policy/disk", "policy/people"}},
	{"policy/people/digest", []string{"policy/keep/quarantine", "policy/people", "policy/tell/letter", "policy/tell/submission", "policy/token"}},
	{"policy/dmarc", []string{"policy", "policy/keep/store", "policy/tell/letter", "policy/tell/submission", "scan/format/markup", "scan/sender/auth", "scan/sender/dns", "scan/units"}},
	{"policy/address", []string{"scan/format/markup"}},
	{"policy/people/appeals", []string{"policy", "policy/address", "policy/pace", "policy/token"}},
	{"policy/secret", nil},
	{"policy/feed", []string{"policy/disk", "scan/format/listing", "scan/units"}},
	{"policy/ldap", []string{"scan/units"}},
	{"policy/keep/postgres", []string{"scan/units"}},
	{"policy/keep/fleet", []string{"policy/disk", "policy/keep/postgres", "scan/breaker", "scan/sender/contact", "scan/sender/greylist", "scan/sender/rate"}},
	{"policy/keep/redis", []string{"scan", "scan/breaker", "scan/sender/greylist", "scan/sender/rate", "scan/units"}},
	{"scan/contents/virus/virustest", []string{"scan", "scan/contents/virus"}},
	{"scan/sender/sendertest", []string{"scan/sender/contact", "scan/sender/greylist", "scan/sender/rate"}},
	{"policy/people/directory", []string{"policy/keep/postgres", "policy/keep/store", "policy/ldap", "policy/secret", "policy", "policy/disk", "policy/address", "scan/format/skeleton", "scan/units"}},
	{"policy/judge", []string{"policy", "policy/edit", "policy/token", "scan", "scan/format/entity", "scan/open/unpack", "scan/sender/origin"}},
	{"policy/dmarc/dmarctest", []string{"policy", "policy/dmarc", "policy/tell/submission", "scan/sender/auth", "scan/sender/dns/dnstest"}},
	{"policy/config", []string{"policy/feed", "policy/dmarc", "policy/ldap", "policy/secret", "policy", "policy/address", "policy/edit", "policy/keep/...", "policy/people", "policy/people/digest", "policy/people/directory", "policy/tell/...", "scan", "scan/contents/...", "scan/format/...", "scan/open/...", "scan/sender/...", "scan/units"}},

	// The MTA's side.
	{"milter", []string{"policy", "scan", "scan/format/entity", "scan/scratch", "scan/spool", "scan/units"}},

	// The commands.
	{"contrib", nil},
	{"contrib/package/sbom", nil},
	{"contrib/image", nil},
	{"docs", nil},
	{"docs/guide", []string{"docs"}},
	{"docs/site", []string{"docs", "docs/guide"}},
	{"cmd/milterscan/console/help", []string{"cmd/milterscan/console", "cmd/milterscan/console/login", "cmd/milterscan/console/wording", "docs/guide"}},
	{"cmd/milterscan/console", []string{"cmd/milterscan/replay", "docs/guide"}},
	{"cmd/milterscan/daemon", []string{"cmd/milterscan/console/help", "cmd/milterscan/replay", "scan/scratch", "scan/units"}},
	{"cmd/milterscan/show", []string{"policy", "policy/judge", "policy/keep/timeline", "scan"}},
	{"cmd/milterscan/pipeline", []string{"policy/feed", "cmd/milterscan/show", "policy", "policy/dmarc", "policy/config", "policy/disk", "policy/edit", "policy/judge", "policy/keep/...", "policy/people/digest", "policy/people/directory", "policy/people", "policy/people/lists", "policy/tell/...", "policy/token",
		"scan", "scan/contents/...", "scan/format/...", "scan/open/...", "scan/sender/...", "scan/spool"}},
	{"cmd/milterscan/cli", []string{"cmd/milterscan/pipeline", "cmd/milterscan/show", "policy/config", "policy/disk", "scan/units"}},
	{"cmd/milterscan/console", []string{"cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/console/wording", "cmd/milterscan/doctor", "cmd/milterscan/pipeline",
		"cmd/milterscan/show", "policy", "policy/config", "policy/keep/...", "policy/pace", "policy/people", "policy/tell/submission", "scan", "scan/format/...", "scan/sender/greylist", "scan/sender/scorer", "scan/units"}},
	{"cmd/milterscan/daemon", []string{"policy/feed", "cmd/milterscan/cli", "cmd/milterscan/console", "cmd/milterscan/console/api", "cmd/milterscan/console/appeal", "cmd/milterscan/console/folk", "cmd/milterscan/console/link", "cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/console/login/door", "cmd/milterscan/console/login/owner", "cmd/milterscan/console/mine", "cmd/milterscan/doctor", "cmd/milterscan/pipeline", "cmd/milterscan/retro", "cmd/milterscan/show", "milter", "policy", "policy/config", "policy/disk", "policy/judge", "policy/keep/awaited", "policy/keep/mtalog", "policy/keep/quarantine", "policy/people/appeals", "policy/people/digest", "policy/people/directory", "policy/people", "policy/tell/courier", "policy/dmarc", "policy/tell/metrics", "policy/tell/notify", "policy/token", "policy/people/lists",
		"scan", "scan/contents/virus", "scan/open/worker"}},
	{"cmd/milterscan/daemon", []string{"policy/feed", "cmd/milterscan/cli", "cmd/milterscan/console", "cmd/milterscan/console/api", "cmd/milterscan/console/appeal", "cmd/milterscan/console/folk", "cmd/milterscan/console/link", "cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/console/login/door", "cmd/milterscan/console/login/owner", "cmd/milterscan/console/mine", "cmd/milterscan/doctor", "cmd/milterscan/pipeline", "cmd/milterscan/show", "milter", "policy", "policy/config", "policy/disk", "policy/judge", "policy/keep/awaited", "policy/keep/mtalog", "policy/keep/quarantine", "policy/people/appeals", "policy/people/digest", "policy/people/directory", "policy/people", "policy/tell/courier", "policy/dmarc", "policy/tell/metrics", "policy/token", "policy/people/lists",
		"scan", "scan/contents/virus", "scan/open/unpack", "scan/open/worker"}},
	{"cmd/milterscan/filter", []string{"cmd/milterscan/cli", "cmd/milterscan/pipeline", "milter", "policy", "policy/config", "policy/judge", "scan", "scan/format/entity"}},
	{"cmd/milterscan/selftest", []string{"cmd/milterscan/cli", "cmd/milterscan/pipeline", "policy", "policy/judge", "scan", "scan/hostile"}},
	{"cmd/milterscan/lists", []string{"policy/keep/tables", "cmd/milterscan/cli", "cmd/milterscan/pipeline", "cmd/milterscan/console/login/accounts", "cmd/milterscan/show", "policy/config", "policy/keep/store", "policy/people", "policy/people/listfile", "scan/units"}},
	{"cmd/milterscan/user", []string{"policy/config", "cmd/milterscan/cli", "cmd/milterscan/pipeline", "cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/show", "policy/keep/quarantine", "scan/units"}},
	{"cmd/milterscan/digests", []string{"cmd/milterscan/cli", "cmd/milterscan/pipeline", "cmd/milterscan/show", "policy/config", "policy/people", "policy/people/digest", "policy/people/directory"}},
	{"cmd/milterscan/past", []string{"cmd/milterscan/cli", "cmd/milterscan/pipeline", "cmd/milterscan/show", "policy", "policy/config", "policy/keep/..."}},
	{"cmd/milterscan/retro", []string{"cmd/milterscan/cli", "cmd/milterscan/past", "cmd/milterscan/show", "policy", "policy/config", "policy/disk", "policy/feed", "policy/keep/history", "scan", "scan/contents/virus", "scan/format/listing", "scan/units"}},
	{"cmd/milterscan/moving", []string{"policy", "policy/config", "policy/disk", "policy/people"}},
	{"cmd/milterscan/replay", []string{"cmd/milterscan/pipeline", "cmd/milterscan/show", "policy", "policy/config", "policy/judge", "policy/keep/quarantine", "scan", "scan/units"}},
	{"cmd/milterscan/shell", []string{"cmd/milterscan/cli"}},
	{"cmd/milterscan/reports", []string{"cmd/milterscan/cli", "cmd/milterscan/pipeline", "cmd/milterscan/show", "policy/config", "policy/dmarc"}},
	{"cmd/milterscan/who", []string{"policy/keep/tables", "cmd/milterscan/cli", "cmd/milterscan/console/login/accounts", "cmd/milterscan/pipeline", "cmd/milterscan/show", "policy/config", "policy/people", "policy/people/directory"}},
	{"cmd/milterscan/feeds", []string{"cmd/milterscan/cli", "cmd/milterscan/show", "policy/config", "policy/feed"}},
	{"cmd/milterscan/access", nil},
	{"cmd/milterscan/daemon", []string{"scan/sender/contact"}},
	{"cmd/milterscan/daemon", []string{"policy/keep/fleet", "policy/keep/redis", "policy/keep/history/spill", "policy/keep/tables"}},
	{"cmd/milterscan/postfix", []string{"cmd/milterscan/access", "scan/units"}},
	{"cmd/milterscan/sendmail", nil},
	{"cmd/milterscan/survey", []string{"cmd/milterscan/postfix", "cmd/milterscan/sendmail", "cmd/milterscan/setup", "policy/disk", "scan", "scan/contents/virus", "scan/sender/dns", "scan/sender/rspamd", "scan/sender/spamd", "scan/units"}},
	{"cmd/milterscan/initial", []string{"cmd/milterscan/cli", "cmd/milterscan/setup", "cmd/milterscan/survey", "contrib", "policy", "policy/config", "policy/disk", "scan/units"}},
	{"cmd/milterscan/doctor", []string{"policy/keep/bucket", "policy/keep/history/spill", "policy/feed", "cmd/milterscan/access", "cmd/milterscan/show", "cmd/milterscan/console/login/ldap", "cmd/milterscan/console/login/oidc", "cmd/milterscan/postfix", "cmd/milterscan/sendmail", "policy/config", "policy/disk", "policy/dmarc", "policy/keep/fleet", "policy/keep/mtalog", "policy/people", "policy/people/directory", "scan", "scan/contents/...", "scan/open/...", "scan/sender/...", "scan/units"}},
	{"cmd/milterscan/doctor", []string{"policy/feed", "cmd/milterscan/access", "cmd/milterscan/console/login/ldap", "cmd/milterscan/console/login/oidc", "cmd/milterscan/postfix", "policy/config", "policy/disk", "policy/dmarc", "policy/keep/fleet", "policy/keep/mtalog", "policy/keep/quarantine", "policy/keep/redis", "policy/keep/store", "policy/people", "policy/people/directory", "scan", "scan/contents/...", "scan/open/...", "scan/sender/...", "scan/units"}},
	{"cmd/milterscan/setup", []string{"cmd/milterscan/postfix", "cmd/milterscan/show", "contrib", "milter", "policy", "policy/disk", "policy/token", "scan", "scan/format/entity", "scan/hostile", "scan/units"}},
	{"cmd/milterscan/console/appeal", []string{"cmd/milterscan/console", "cmd/milterscan/console/login", "cmd/milterscan/console/wording", "policy", "policy/config", "policy/keep/quarantine",
		"policy/pace", "policy/people", "policy/people/appeals", "policy/token"}},
	{"cmd/milterscan/console/api", []string{"cmd/milterscan/console/folk", "policy/people", "policy/people/listfile", "cmd/milterscan/console", "cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/doctor", "cmd/milterscan/pipeline", "policy",
		"policy/keep/history", "policy/keep/quarantine"}},
	{"cmd/milterscan/console/folk", []string{"cmd/milterscan/console", "cmd/milterscan/console/login", "cmd/milterscan/console/wording", "policy", "policy/address", "policy/people", "policy/people/directory"}},
	{"cmd/milterscan/console/link", []string{"cmd/milterscan/console", "cmd/milterscan/console/login", "cmd/milterscan/console/wording", "policy", "policy/address", "policy/keep/quarantine", "policy/people", "policy/people/digest", "policy/tell/submission", "policy/token"}},
	{"cmd/milterscan/console/login", []string{"policy", "policy/address"}},
	{"cmd/milterscan/console/wording", []string{"policy"}},
	{"cmd/milterscan/console/login/door", []string{"cmd/milterscan/console/login", "cmd/milterscan/console/login/...", "cmd/milterscan/console/wording", "policy", "policy/config", "policy/token", "scan/breaker"}},
	{"cmd/milterscan/console/login/throttle", []string{"policy/pace"}},
	{"cmd/milterscan/console/login/mailbox", []string{"scan/units"}},
	{"cmd/milterscan/console/login/owner", []string{"cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "cmd/milterscan/console/login/mailbox", "policy", "policy/address", "policy/config",
		"policy/people", "policy/people/directory", "policy/tell/courier", "policy/token"}},
	{"cmd/milterscan/console/mine", []string{"cmd/milterscan/console", "cmd/milterscan/console/folk", "cmd/milterscan/console/login", "cmd/milterscan/console/wording", "policy/address", "policy/keep/quarantine", "policy/people",
		"policy/people/directory", "policy/tell/courier"}},
	{"cmd/milterscan/console/login/ldap", []string{"policy/ldap", "cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "policy/config"}},
	{"cmd/milterscan/console/login/oidc", []string{"cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts", "policy/config", "scan/units"}},
	{"cmd/milterscan/console/login/session", []string{"cmd/milterscan/console/login/accounts"}},
	{"cmd/milterscan/console/login/accounts", []string{"cmd/milterscan/console/login", "policy", "policy/keep/tables", "policy/address"}},
	{"cmd/milterscan/console/login/accounts/accountstest", []string{"cmd/milterscan/console/login", "cmd/milterscan/console/login/accounts"}},
	{"cmd/milterscan", []string{"cmd/milterscan/...", "policy/config", "policy/keep/...", "scan/open/worker"}},
}

// mostOfMain is how many of our packages package main may import.
const mostOfMain = 24

// covers reports whether a pattern stands for a package.
func covers(pattern, name string) bool {
	folder, below := strings.CutSuffix(pattern, "/...")
	return pattern == name || below && strings.HasPrefix(name, folder+"/")
}

// pkg is what "go list -json" says about a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// name is the path below the module's.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// exempt reports a package that may import anything: the commands, which put
// everything together, and the tests.
func (p pkg) exempt() bool {
	return strings.HasPrefix(p.name(), "cmd/") || p.test()
}

func (p pkg) test() bool { return p.name() == "tests" || strings.HasPrefix(p.name(), "tests/") }

// ours are the imports of this module, without its path.
func (p pkg) ours() (names []string) {
	for _, i := range p.Imports {
		if name, ok := strings.CutPrefix(i, module); ok {
			names = append(names, name)
		}
	}
	return names
}

// foreign are the imports of other modules.
func foreign(imports []string) (paths []string) {
	for _, i := range imports {
		host, _, _ := strings.Cut(i, "/")
		if strings.Contains(host, ".") && !strings.HasPrefix(i, module) {
			paths = append(paths, i)
		}
	}
	return paths
}

func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	used := map[string]bool{} // rows, and permissions as "from may"
	for _, p := range packages(t) {
		if p.test() {
			continue
		}
		known := false
		permitted := map[string]bool{}
		for _, row := range permissions {
			if !covers(row.from, p.name()) {
				continue
			}
			known, used[row.from] = true, true
			for _, may := range row.may {
				for _, i := range p.ours() {
					if covers(may, i) {
						permitted[i], used[row.from+" "+may] = true, true
					}
				}
			}
		}
		if !known {
			t.Errorf("%s is not in the table of permissions; say what it may import", p.name())
		}
		for _, i := range p.ours() {
			if !permitted[i] {
				t.Errorf("%s imports %s, which the table of permissions does not allow", p.name(), i)
			}
		}
	}
	for _, row := range permissions {
		if !used[row.from] {
			t.Errorf("there is no package %s; take its row out of the table of permissions", row.from)
			continue
		}
		for _, may := range row.may {
			if !used[row.from+" "+may] {
				t.Errorf("%s imports nothing of %s; take that out of the table of permissions", row.from, may)
			}
		}
	}
}

// folder is the room a package is in: the two upper folders, which are the stages,
// or the package itself where it is in none.
func folder(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || parts[0] == "cmd" {
		return name
	}
	return parts[0] + "/" + parts[1]
}

// TestFoldersPointOneWay: what is true of packages is true of the folders they are
// in. No folder knows another that knows it, by whatever way.
func TestFoldersPointOneWay(t *testing.T) {
	knows := map[string]map[string]bool{}
	for _, p := range packages(t) {
		if p.test() {
			continue
		}
		from := folder(p.name())
		for _, i := range p.ours() {
			if to := folder(i); to != from {
				if knows[from] == nil {
					knows[from] = map[string]bool{}
				}
				knows[from][to] = true
			}
		}
	}
	var reaches func(from, to string, seen map[string]bool) bool
	reaches = func(from, to string, seen map[string]bool) bool {
		for next := range knows[from] {
			if next == to || !seen[next] && reaches(next, to, mark(seen, next)) {
				return true
			}
		}
		return false
	}
	for from, all := range knows {
		for to := range all {
			if reaches(to, from, map[string]bool{}) {
				t.Errorf("%s knows %s, and is known there", from, to)
			}
		}
	}
}

func mark(seen map[string]bool, name string) map[string]bool {
	seen[name] = true
	return seen
}

// TestMainPutsTogether: package main imports what the commands are made of, not
// what that is made of.
func TestMainPutsTogether(t *testing.T) {
	for _, p := range packages(t) {
		if n := len(p.ours()); p.name() == "cmd/milterscan" && n > mostOfMain {
			t.Errorf("package main imports %d of our packages, and %d are enough", n, mostOfMain)
		}
	}
}

// TestNothingOfTestsIsShipped: no package of the program is below tests/.
func TestNothingOfTestsIsShipped(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./cmd/milterscan")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"cmd/milterscan") {
		t.Fatalf("no package of ours among %d", len(deps))
	}
	for _, d := range deps {
		if strings.HasPrefix(d+"/", module+"tests/") {
			t.Errorf("%s is in the program", d)
		}
	}
}

// TestFlowNamesEveryPackage: docs/flow.md says of every package what it does, and
// names none that is not there.
func TestFlowNamesEveryPackage(t *testing.T) {
	page, err := os.ReadFile("../docs/flow.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, p := range packages(t) {
		there[p.name()] = true
		for dir := path.Dir(p.name()); dir != "."; dir = path.Dir(dir) {
			there[dir] = true
		}
		if !strings.Contains(string(page), "`"+p.name()+"`") {
			t.Errorf("docs/flow.md does not name %s", p.name())
		}
	}
	for _, m := range regexp.MustCompile("`((?:scan|policy|milter|cmd|contrib)(?:/[a-z0-9]+)*)`").FindAllStringSubmatch(string(page), -1) {
		if !there[m[1]] {
			t.Errorf("docs/flow.md names %s, which is not there", m[1])
		}
	}
}

// dependency is a row of docs/dependencies.md.
type dependency struct {
	module    string
	importers []string // one, but for the interface to the system
	reason    string
}

var dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+?) \\| (.+?) \\|$")

func dependencies(t *testing.T) []dependency {
	t.Helper()
	text, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []dependency
	for _, m := range dependencyRow.FindAllStringSubmatch(string(text), -1) {
		all = append(all, dependency{m[1], strings.Split(strings.ReplaceAll(m[2], "`", ""), ", "), m[3]})
	}
	return all
}

// covers reports whether the import path belongs to the dependency's module.
func (d dependency) covers(importPath string) bool {
	return importPath == d.module || strings.HasPrefix(importPath, d.module+"/")
}

const (
	// testsOnly is the importer of a library that no part of the program uses.
	testsOnly = "tests"
	// system is the operating system's interface, no library that one would
	// replace.
	system = "golang.org/x/sys"
)

func TestEachLibraryHasOneImporter(t *testing.T) {
	known := dependencies(t)
	used := map[string]bool{}
	for _, p := range packages(t) {
		for _, i := range foreign(p.Imports) {
			d := reasonFor(t, known, p, i)
			if p.test() {
				continue
			}
			used[d.module] = true
			if !p.exempt() && !slices.Contains(d.importers, p.name()) {
				t.Errorf("%s imports %s; docs/dependencies.md says that only %s does", p.name(), i, d.importers)
			}
		}
		for _, i := range foreign(slices.Concat(p.TestImports, p.XTestImports)) {
			reasonFor(t, known, p, i)
		}
	}
	for _, d := range known {
		d.check(t, used[d.module])
	}
}

// reasonFor is the row of an import.
func reasonFor(t *testing.T, known []dependency, p pkg, importPath string) dependency {
	t.Helper()
	for _, d := range known {
		if d.covers(importPath) {
			return d
		}
	}
	t.Errorf("%s imports %s, which docs/dependencies.md gives no reason for", p.name(), importPath)
	return dependency{}
}

// check looks at a row by itself.
func (d dependency) check(t *testing.T, used bool) {
	t.Helper()
	if used == (d.importers[0] == testsOnly) {
		t.Errorf("docs/dependencies.md says that %s is imported by %s, and the program's use of it is %v", d.module, d.importers, used)
	}
	if len(d.importers) > 1 && d.module != system {
		t.Errorf("%s has %d importers; one is enough", d.module, len(d.importers))
	}
	if len(strings.Fields(d.reason)) < 4 {
		t.Errorf("docs/dependencies.md gives no reason for %s: %q", d.module, d.reason)
	}
}
