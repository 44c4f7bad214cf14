package survey

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
	"github.com/milterscan/milterscan/scan/units"
)

// program writes a shell script and returns its path.
func program(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// postconf is a Postfix whose settings are main, in any directory.
func postconf(t *testing.T, main string) string {
	t.Helper()
	dir := t.TempDir()
	program(t, dir, "postmulti", "exit 1\n")
	return program(t, dir, "postconf", "case \" $* \" in\n*' -d '*) echo 3.7.11;;\n*' -M '*) cat <<'END'\nsmtp inet n - y - - smtpd\nEND\n;;\n"+
		"*' -Px '*) ;;\n*) cat <<'END'\n"+main+"END\nesac\n")
}

// TestPostfix reads one, two instances, a broken one, and none.
func TestPostfix(t *testing.T) {
	const main = "queue_directory = /q\nmail_owner = root\nmydestination = a.example\nmynetworks = 127.0.0.0/8\nmessage_size_limit = 1000\n" +
		"smtpd_milters = unix:milterscan/milter.sock, inet:localhost:11332, unix:opendkim/s\ncontent_filter = smtp-amavis:[127.0.0.1]:10024\n"
	see := func(at setup.Place) ([]MTA, error) { return Places{MTA: "postfix", At: at}.mtas(t.Context()) }
	all, err := see(setup.Place{Program: postconf(t, main)})
	want := "[{postfix 3.7.11 /etc/postfix [a.example] [127.0.0.0/8] [] [] 1000 [inet:localhost:11332 unix:opendkim/s] smtp-amavis:[127.0.0.1]:10024 unix:/q/milterscan/milter.sock root}]"
	if got := fmt.Sprint(all); err != nil || got != want {
		t.Errorf("%s, %v; not\n%s", got, err, want)
	}
	two := postconf(t, main)
	program(t, filepath.Dir(two), "postmulti", "printf -- '- - y /etc/postfix\\nout mta y /etc/postfix-out\\n'\n")
	if all, err := see(setup.Place{Program: two}); err != nil || len(all) != 2 || all[1].Dir != "/etc/postfix-out" {
		t.Errorf("two instances: %+v, %v", all, err)
	}
	if all, err := see(setup.Place{Program: two, Dir: "/etc/postfix-out"}); err != nil || len(all) != 1 || all[0].Dir != "/etc/postfix-out" {
		t.Errorf("one of two instances: %+v, %v", all, err)
	}
	broken := program(t, t.TempDir(), "postconf", "[ \"$1\" != -d ] || { echo 3.7.11; exit; }\necho \"postconf: fatal: /etc/postfix/main.cf, line 3: missing '='\" >&2; exit 1\n")
	if _, err := see(setup.Place{Program: broken}); err == nil || !strings.Contains(err.Error(), "main.cf, line 3: missing '='") {
		t.Errorf("broken: %v", err)
	}
	if _, err := see(setup.Place{Program: filepath.Join(t.TempDir(), "postconf")}); err == nil || !strings.Contains(err.Error(), "postfix is not installed") {
		t.Errorf("none: %v", err)
	}
}

// TestSendmail wants a sendmail.cf that can be read.
func TestSendmail(t *testing.T) {
	dir := t.TempDir()
	sendmail := program(t, dir, "sendmail", "cat >/dev/null\nprintf 'Version 8.17.1\\nEnter <ruleset> <address>\\n> a.example\\n> > > > '\n")
	see := func() ([]MTA, error) {
		return Places{MTA: "sendmail", At: setup.Place{Program: sendmail, Dir: dir}}.mtas(t.Context())
	}
	if _, err := see(); err == nil || !strings.Contains(err.Error(), "sendmail.cf") {
		t.Errorf("without a sendmail.cf: %v", err)
	}
	program(t, dir, "sendmail.cf", "O MaxMessageSize=5\nO InputMailFilters=x\nXx, S=inet:1@localhost\n")
	all, err := see()
	if got := fmt.Sprint(all); err != nil || got != "[{sendmail 8.17.1 "+dir+" [a.example] [127.0.0.0/8 ::1] [] [] 5 [x at inet:1@localhost]   }]" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestExim reads the lists that Exim prints.
func TestExim(t *testing.T) {
	exim := program(t, t.TempDir(), "exim4", `case "$*" in
*-C*) echo 'Exim version 4.96 #2';;
*primary_hostname) echo 'primary_hostname = mx.example';;
*message_size_limit) echo 'message_size_limit = 50M';;
*+local_domains) echo 'domainlist local_domains = @ : localhost : *.sub.example : @[] : lsearch;/etc/d';;
*+relay_to_domains) echo 'domainlist relay_to_domains =';;
*+relay_from_hosts) echo 'hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 10.0.0.0/8 ; *.host.example';;
*) exit 1;;
esac
`)
	all, err := Places{MTA: "exim", At: setup.Place{Program: exim, Dir: "/e"}}.mtas(t.Context())
	want := "[{exim 4.96 /e [mx.example localhost .sub.example] [127.0.0.1/32 ::1/128 10.0.0.0/8] [local_domains: lsearch;/etc/d] [relay_from_hosts: *.host.example] 52428800 []   }]"
	if got := fmt.Sprint(all); err != nil || got != want {
		t.Errorf("%s, %v; not\n%s", got, err, want)
	}
	broken := program(t, t.TempDir(), "exim4", `case "$*" in
*-C*) echo 'Exim version 4.96 #2';;
*) printf 'LOG: PANIC DIE\n  Exim configuration error in line 7:\n  no\n2026 Exim configuration error in line 7:\n' >&2; exit 1;;
esac
`)
	if _, err := (Places{MTA: "exim", At: setup.Place{Program: broken, Dir: "/e"}}).mtas(t.Context()); err == nil ||
		!strings.HasSuffix(err.Error(), "-bP primary_hostname: exit status 1: Exim configuration error in line 7: no") {
		t.Error(err)
	}
	circle := program(t, t.TempDir(), "exim4", `case "$*" in
*-C*) echo 'Exim version 4.96 #2';;
*+relay_from_hosts) exit 1;;
*+a) echo 'domainlist a = a.example : +b';;
*+b) echo 'domainlist b = b.example : +local_domains';;
*+local_domains) echo 'domainlist local_domains = +a : +gone';;
*+gone) exit 1;;
*) echo 'x =';;
esac
`)
	all, err = Places{MTA: "exim", At: setup.Place{Program: circle, Dir: "/e"}}.mtas(t.Context())
	if err != nil || fmt.Sprint(all[0].Domains) != "[a.example b.example]" || !slices.Contains(all[0].MoreDomains, "local_domains: Exim has no list +gone") ||
		!slices.Contains(all[0].MoreClients, "relay_from_hosts: Exim has no list +relay_from_hosts") {
		t.Errorf("%+v, %v", all, err)
	}
	if got := fmt.Sprintf("%q", eximItems("127.0.0.1 : ::::1 : 2001::db8::::/32")); got != `["127.0.0.1" "::1" "2001:db8::/32"]` {
		t.Error(got)
	}
}

// TestClamd reads where clamd listens, and the least of its limits.
func TestClamd(t *testing.T) {
	for text, want := range map[string]string{
		"LocalSocket /var/run/clamav/clamd.ctl\nTCPSocket 3310\nAlertExceedsMax true\n": "unix:/run/clamav/clamd.ctl 25MB true",
		"TCPSocket 3310\nStreamMaxLength 10M\nMaxFileSize 0\nMaxScanSize 1G\n":          "tcp:127.0.0.1:3310 10MB false",
		"TCPSocket 3310\nTCPAddr ::\nStreamMaxLength 30000K\nMaxFileSize 2G":            "tcp:[::1]:3310 25MB false",
		"TCPSocket 3310\r\nTCPAddr 192.0.2.1\r\n#LocalSocket /x\r\n":                    "tcp:192.0.2.1:3310 25MB false",
		"LocalSocket \"/a b\"\nLocalSocket /c\nStreamMaxLength junk\n":                  "unix:/a b 25MB false",
		"StreamMaxLength 0\nMaxFileSize 0\nMaxScanSize 0\n":                             " 0B false",
		"": " 25MB false",
	} {
		c := readClamd("clamd.conf", text)
		if got := fmt.Sprint(c.Address, " ", c.Least, " ", c.Admits); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "clamd.conf")
	if err := os.WriteFile(file, []byte("LocalSocket /nowhere/clamd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := (Places{Clamd: []string{"/nowhere/clamd.conf", file}}).clamd(t.Context()); c == nil || c.Err == nil || c.File != file {
		t.Errorf("a clamd that is away: %+v", c)
	}
	if c := (Places{Clamd: []string{"/nowhere/clamd.conf"}}).clamd(t.Context()); c != nil {
		t.Errorf("no clamd: %+v", c)
	}
}

// TestResolvers tells what each of them hears from a DNS list.
func TestResolvers(t *testing.T) {
	const entry = "2.0.0.127.bl.example"
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("# c\nsearch example\nnameserver 192.0.2.1\nnameserver junk\nnameserver 2001:db8::1\noptions x\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, zone := range map[Hearing]dnstest.Zone{
		Heard:   {entry: {"127.0.0.2", "127.0.0.4"}},
		Refused: {entry: {"127.255.255.254"}},
		Deaf:    {rootServer: {"198.41.0.4"}},
		Lost:    {},
		Silent:  {entry: {dnstest.Timeout}},
	} {
		all := Places{Names: file, List: "bl.example"}.resolvers(t.Context(), func(dns.Server) dns.Resolver { return zone })
		if len(all) != 3 || all[1].Server != "[2001:db8::1]:53" {
			t.Fatalf("%+v", all)
		}
		for _, r := range all {
			if r.Hears != want {
				t.Errorf("%v: hears %d, not %d (%v)", zone, r.Hears, want, r.Err)
			}
		}
	}
	if all := (Places{Names: "/nowhere"}).resolvers(t.Context(), dnsClient); all != nil {
		t.Errorf("%+v", all)
	}
}

// TestScorers finds a spamd that answers, and takes nothing else for one.
func TestScorers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 100))
			c.Write([]byte("SPAMD/1.5 0 PONG\r\n"))
			c.Close()
		}
	}()
	p := Places{Spamd: []string{"unix:/nowhere/spamd", "tcp:" + l.Addr().String()}, Rspamd: []string{"http://" + l.Addr().String()}}
	if found := p.scorers(t.Context()); len(found) != 1 || found[0].Section != "spam.spamassassin" || found[0].Address != "tcp:"+l.Addr().String() {
		t.Errorf("%+v", found)
	}
}

// TestRoom sees room in a directory that is yet to be made.
func TestRoom(t *testing.T) {
	dir := t.TempDir()
	r := Places{State: filepath.Join(dir, "a/b/c"), Spool: dir}.room()
	if r.State <= 0 || r.State != r.Spool && r.State < units.MB || r.Memory <= 0 {
		t.Errorf("%+v", r)
	}
}
