//go:build linux

package doctor

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

// TestMain serves as the worker, as the program itself does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(worker.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// house is everything that a test's configuration speaks of.
type house struct {
	dir                   string
	clamd, icap, spam, ns string
	rspamd                string
	settings              map[string]string // Postfix'
	historyFile           string
	services, overrides   string // of its master.cf, as postconf -M and -P show them
}

// The fake clamd's signatures are of this day.
var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sound is a house in which everything is well.
func sound(t *testing.T) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), ns: nameserver(t)}
	h.clamd = (&fakes.Clamd{Virus: string(testVirus()), Beyond: "nothing to see"}).Start(t, "unix")
	h.icap = (&fakes.ICAP{Virus: string(testVirus()), Preview: 1024}).Start(t)
	h.spam = (&fakes.Spamd{}).Start(t)
	h.rspamd = (&fakes.Rspamd{}).Start(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	h.settings = map[string]string{
		"smtpd_milters": "unix:milter.sock", "non_smtpd_milters": "unix:milter.sock", "milter_default_action": "tempfail",
		"milter_protocol": "6", "milter_connect_timeout": "10s", "milter_command_timeout": "30s", "milter_content_timeout": "300s",
		"message_size_limit": "10240000", "queue_directory": h.dir, "mail_owner": me.Username, "compatibility_level": "3.6",
	}
	h.services = "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n"
	answering(t, filepath.Join(h.dir, "milter.sock"))
	if err := os.Mkdir(filepath.Join(h.dir, "quarantine"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// answering is a milter that knows how to begin.
func answering(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o660)
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			packet := make([]byte, 17)
			if _, err := io.ReadFull(conn, packet); err == nil {
				conn.Write(packet)
			}
			conn.Close()
		}
	}()
}

// nameserver is one that knows no name at all: NXDOMAIN is an answer.
func nameserver(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		for b := make([]byte, 1500); ; {
			n, from, err := conn.ReadFromUDP(b)
			if err != nil {
				return
			}
			const answer, recursion, noSuchName = 0x8000, 0x0180, 3 // RFC 1035, section 4.1.1
			binary.BigEndian.PutUint16(b[2:], answer|recursion|noSuchName)
			binary.BigEndian.PutUint16(b[10:], 0)
			conn.WriteToUDP(b[:n], from)
		}
	}()
	return conn.LocalAddr().String()
}

// file is a configuration for the house.
func (h *house) file(extra string) string {
	return fmt.Sprintf(`%[6]s
[milter]
listen = ["unix:%[1]s/milter.sock"]
[quarantine]
dir = "%[1]s/quarantine"
size = "1MB"
[history]
file = "%[7]s"
[submission]
via = "sendmail:/bin/true"
[spool]
dir = "%[1]s"
disk = "64MB"
[dns]
servers = ["%[5]s"]
[spam.spamassassin]
address = ["%[4]s"]
[spam.rspamd]
address = ["%[8]s"]
[[virus]]
name = "clam"
type = "clamd"
address = "%[2]s"
max_stream = "1MB"
[[virus]]
name = "icap"
type = "icap"
address = "%[3]s"
max_stream = "1MB"
[[rule]]
name = "spam"
when = ["score >= 9"]
action = "reject"
`, h.dir, h.clamd, h.icap, h.spam, h.ns, extra, h.historyFile, h.rspamd)
}

// installation is the house as doctor sees it.
func (h *house) installation(t *testing.T, extra string) *Installation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(path, []byte(h.file(extra)), 0o600); err != nil {
		t.Fatal(err)
	}
	postconf := "#!/bin/sh\ncase \" $* \" in *' -M '*) cat <<'END'\n" + h.services + "END\nexit;; *' -Px '*) cat <<'END'\n" + h.overrides + "END\nexit;; esac\ncat <<'END'\n"
	for key, value := range h.settings {
		postconf += key + " = " + value + "\n"
	}
	script := filepath.Join(t.TempDir(), "postconf")
	if err := os.WriteFile(script, []byte(postconf+"END\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c, problems := config.Load(path)
	p := &Installation{File: path, Config: c, Problems: problems, Postconf: script, Now: today, Workers: worker.Defaults()}
	p.Workers.Memory = 1 << 20 * units.MB // the race detector needs much
	p.User = h.settings["mail_owner"]
	return p
}

func faults(found []Finding) (list []Finding) {
	for _, f := range found {
		if f.Level == Fault {
			list = append(list, f)
		}
	}
	return list
}

func TestHealthy(t *testing.T) {
	found := sound(t).installation(t, "").Examine(t.Context())
	for _, f := range faults(found) {
		t.Errorf("%s: %s (%s)", f.Check, f.What, f.Fix)
	}
	seen := map[string]bool{}
	for _, f := range found {
		seen[f.Check] = true
	}
	for _, want := range []string{"configuration", "sockets", "Postfix", "engines", "SpamAssassin", "resolver", "directories", "clock", "helpers", "workers"} {
		if !seen[want] {
			t.Errorf("nothing is said of %s", want)
		}
	}
}

// TestBadFileOfADomain is a fault by itself.
func TestBadFileOfADomain(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.example.toml"), []byte("no_such_key = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found := faults(sound(t).installation(t, fmt.Sprintf("[per_domain]\ndir = %q\n", dir)).Examine(t.Context()))
	if len(found) != 1 || !named(found, "configuration", "a.example.toml:1: no_such_key", "correct the file and reload") {
		t.Errorf("faults %+v", found)
	}
}

// TestFaults: each fault is named, with what to do about it, and nothing else is.
func TestFaults(t *testing.T) {
	h := sound(t)
	closed := closedPort(t)
	h.settings["message_size_limit"] = "1000000000"
	h.settings["smtpd_milters"] = "inet:localhost:9999"
	h.clamd = (&fakes.Clamd{Virus: string(testVirus())}).Start(t, "unix")
	h.icap, h.spam, h.rspamd = "icap://"+closed+"/avscan", "tcp:"+closed, "http://"+closed
	h.ns = closed
	if err := os.Chmod(filepath.Join(h.dir, "quarantine"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := h.installation(t, "no_such_key = 1\n")
	p.Config.Milter.Listen = []config.Address{config.Address("unix:" + h.dir + "/nobody.sock")}
	p.Now = today.AddDate(0, 1, 0)

	wanted := []struct{ check, what, fix string }{
		{"configuration", "no_such_key: there is no such key", "here may stand"},
		{"sockets", "nobody.sock is not there", "systemctl start milterscan"},
		{"Postfix", "does not ask milterscan", "milterscan setup postfix"},
		{"Postfix", "message_size_limit is 1000000000", "message_size_limit=67108864"},
		{"engines", "its signatures are 30 days old", "freshclam"},
		{"engines", "beyond its limits it calls clean", "AlertExceedsMax yes"},
		{"engines", "icap", "systemctl start c-icap"},
		{"SpamAssassin", closed, "systemctl start spamd"},
		{"rspamd", closed, "systemctl start rspamd"},
		{"resolver", closed, "dns.servers"},
		{"directories", "can be read by others", "chmod 700"},
	}
	found := faults(p.Examine(t.Context()))
	for _, w := range wanted {
		if !named(found, w.check, w.what, w.fix) {
			t.Errorf("not named: %s: %s (%s)", w.check, w.what, w.fix)
		}
	}
	if len(found) != len(wanted) {
		t.Errorf("%d faults instead of %d: %+v", len(found), len(wanted), found)
	}
}

// TestAnswers: a program of another kind that listens at an address, or none, is no milter.
func TestAnswers(t *testing.T) {
	milter := filepath.Join(t.TempDir(), "m.sock")
	answering(t, milter)
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer smtp.Close()
	go func() {
		for {
			c, err := smtp.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("220 mx.example ESMTP\r\n"))
			c.Close()
		}
	}()
	for address, want := range map[string]bool{"unix:" + milter: true, "tcp:" + smtp.Addr().String(): false, "tcp:" + closedPort(t): false} {
		if Answers(t.Context(), address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

// TestDNSLists: a list that does not have what every list has is named.
func TestDNSLists(t *testing.T) {
	h := sound(t)
	p := h.installation(t, "")
	l := dnslist.List{Name: "gone", Zone: "bl.example", Lookup: dnslist.Client}
	p.Config.Spam.Lists = append(p.Config.Spam.Lists, l)
	if found := faults(p.Examine(t.Context())); len(found) != 1 || !named(found, "DNS lists", "gone (bl.example): it does not list 127.0.0.2", "spam.list") {
		t.Errorf("%+v", found)
	}
}

func named(found []Finding, check, what, fix string) bool {
	for _, f := range found {
		if f.Check == check && strings.Contains(f.What, what) && strings.Contains(f.Fix, fix) {
			return true
		}
	}
	return false
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestSendmail: what sendmail.cf says is compared as Sendmail reads it.
func TestSendmail(t *testing.T) {
	const well = "O InputMailFilters=other, milterscan\nO MaxMessageSize=10000000\nXmilterscan, S=local:/run/m.sock, F=T, T=C:10s;S:30s;R:30s;E:5m\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"well":         {well, nil},
		"not named":    {strings.Replace(well, ", milterscan\nO", "\nO", 1), []string{"it is never asked"}},
		"no F":         {strings.Replace(well, " F=T,", "", 1), []string{"no F="}},
		"F=R":          {strings.Replace(well, "F=T", "F=R", 1), []string{"F=R"}},
		"short":        {strings.Replace(well, "R:30s;E:5m", "R:5s;E:30s", 1), []string{"waits 30s for the end", "waits 5s for an answer"}},
		"no times":     {strings.Replace(well, ", T=C:10s;S:30s;R:30s;E:5m", "", 1), nil},
		"any size":     {strings.Replace(well, "O MaxMessageSize=10000000\n", "", 1), []string{"any size"}},
		"other socket": {strings.Replace(well, "/run/m.sock", "/run/x.sock", 1), []string{"does not ask milterscan"}},
		"port at host": {strings.Replace(well, "local:/run/m.sock", "inet:7357@127.0.0.1", 1), nil},
		"empty":        {"", []string{"does not ask milterscan"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sendmail.cf")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := &Installation{Config: config.Default(), Sendmail: path}
			p.Config.Milter.Listen = []config.Address{"unix:/run/m.sock", "tcp:127.0.0.1:7357"}
			found := faults(p.sendmail(t.Context()))
			if len(found) != len(c.want) {
				t.Fatalf("%+v, want %v", found, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(found[i].What, want) || found[i].Fix == "" {
					t.Errorf("%+v, want %q", found[i], want)
				}
			}
		})
	}
}
