package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// installation is a house with everything doctor looks at.
type installation struct {
	*house
	dir   string
	icap  *servers.ICAP
	spamd *servers.Spamd
}

func newInstallation(t *testing.T, clamdConf, extra string, mainCf ...string) *installation {
	t.Helper()
	needServers(t)
	i := &installation{dir: t.TempDir(), spamd: servers.StartSpamd(t)}
	clamd := servers.StartClamd(t, strings.Split(clamdConf, "\n")...)
	i.icap = servers.StartICAP(t, clamd)
	if err := os.Mkdir(filepath.Join(i.dir, "quarantine"), 0o700); err != nil {
		t.Fatal(err)
	}
	i.house = &house{clamd: clamd, engine: "unix:" + clamd.Socket}
	i.start(t, fmt.Sprintf(`%s
[quarantine]
dir = "%s/quarantine"
[history]
file = ""
[spam.spamassassin]
address = ["tcp:%s"]
[[virus]]
name = "icap"
type = "icap"
address = "%s"
[[rule]]
name = "spam"
when = ["score >= 5"]
action = "reject"
`, extra, i.dir, i.spamd.Addr, i.icap.URL("avscan")), mainCf...)
	return i
}

// examine runs doctor as an administrator would.
func (i *installation) examine(t *testing.T) (report string, status int) {
	t.Helper()
	return i.milter.Run(t, "doctor", "-v", "-postfix", i.mta.(*servers.Postfix).Config(), "-user", "root")
}

// lists are DNS lists as doctor meets them, and a resolver for them: the zone
// "invalid" is what it asks for to see whether it answers.
func lists(t *testing.T, zones map[string]string) string {
	t.Helper()
	zones["invalid"] = ""
	text := resolving(servers.StartKnot(t, zones).Addr)
	for zone := range zones {
		if name, ok := strings.CutSuffix(zone, ".test"); ok {
			text += list(name, zone, "client", 1)
		}
	}
	return text
}

// Of a healthy installation doctor says that it is healthy.
func TestDoctorHealthy(t *testing.T) {
	report, status := newInstallation(t, "", lists(t, map[string]string{"well.test": "2.0.0.127 A 127.0.0.2"}), "message_size_limit = 50000000").examine(t)
	if status != 0 || strings.Contains(report, "FAULT") || !strings.Contains(report, "healthy") {
		t.Errorf("status %d:\n%s", status, report)
	}
}

// Of one with many faults it names each, with what to do about it, and no other.
func TestDoctorFaults(t *testing.T) {
	blocklists := lists(t, map[string]string{
		"gone.test": "", "world.test": "* A 127.0.0.2", "blocked.test": "* A 127.255.255.254", "well.test": "2.0.0.127 A 127.0.0.2",
	})
	i := newInstallation(t, "AlertExceedsMax no\nMaxFileSize 5M", blocklists,
		"milter_default_action = accept", "milter_content_timeout = 20s", "message_size_limit = 200000000", "milter_protocol = 4")
	i.icap.Stop()
	i.spamd.Stop()
	if err := os.Chmod(filepath.Join(i.dir, "quarantine"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(i.milter.Socket, 0o600); err != nil {
		t.Fatal(err)
	}
	report, status := i.examine(t)
	faults := strings.Split(report, "FAULT")[1:]
	wanted := map[string]string{
		"gone (gone.test): it does not list 127.0.0.2": "take it out of spam.list",
		"world (world.test): it lists 127.0.0.1":       "take it out of spam.list",
		"blocked (blocked.test)":                       "take it out of spam.list",
		"Postfix cannot connect":                       "install -d -o root -g postfix -m 2750",
		"has the mode 0600, not 0666":                  "restart milterscan",
		"milter_default_action is accept":              "milter_default_action=tempfail",
		"milter_content_timeout is 20s":                "milter_content_timeout=300s",
		"message_size_limit is 200000000":              "message_size_limit=67108864",
		"milter_protocol is 4":                         "milter_protocol=6",
		"does not look at all of 25MB":                 "MaxFileSize",
		"what is beyond its limits it calls clean":     "AlertExceedsMax yes",
		"icap: icap://":                                "start c-icap",
		i.spamd.Addr + ": dial":                        "start spamd",
		"can be read by others":                        "chmod 700",
	}
	for what, fix := range wanted {
		n := 0
		for _, f := range faults {
			about, todo, _ := strings.Cut(f, "fix: ")
			todo, _, _ = strings.Cut(todo, "\n")
			if strings.Contains(about, what) && strings.Contains(todo, fix) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%q (%q) is named %d times", what, fix, n)
		}
	}
	if status != 1 || len(faults) != len(wanted) {
		t.Errorf("status %d, %d faults:\n%s", status, len(faults), report)
	}
}

// The snippet for Sendmail is well but for the size, which Sendmail does not limit
// unless told; a filter without F= is named.
func TestDoctorSendmail(t *testing.T) {
	needServers(t)
	mta := servers.StartSendmail(t)
	h := &house{clamd: servers.StartClamd(t), mta: mta}
	h.engine = "unix:" + h.clamd.Socket
	h.join(t, fmt.Sprintf("[quarantine]\ndir = %q\n", t.TempDir()))
	cf, err := os.ReadFile(mta.Config())
	if err != nil {
		t.Fatal(err)
	}
	careless := filepath.Join(t.TempDir(), "sendmail.cf")
	if err := os.WriteFile(careless, []byte(strings.Replace(string(cf), " F=T,", "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{mta.Config(): 1, careless: 2} {
		report, _ := h.milter.Run(t, "doctor", "-v", "-sendmail", file, "-user", "root")
		if n := strings.Count(report, "FAULT   Sendmail"); n != want || !strings.Contains(report, "Sendmail asks milterscan") {
			t.Errorf("%d faults of Sendmail, not %d:\n%s", n, want, report)
		}
	}
}
