package integration

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// firstMinutes runs a script in a view of this system that has a fresh installation of the
// package, and returns what was shown.
func firstMinutes(t *testing.T, script string) string {
	t.Helper()
	needServers(t)
	servers.NeedMounts(t)
	file := filepath.Join(t.TempDir(), "minutes")
	write(t, file, freshHost+script)
	cmd := exec.Command("unshare", "--mount", "--net", "--uts", "sh", "-ec", privateView, t.TempDir(), file, pack(t, "1.0"), servers.Root(t))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "everything works") {
		t.Fatalf("%v", err)
	}
	return string(out)
}

// freshHost is a host with the package and a clamd. There is no systemd: what stands in for
// systemctl starts milterscan when it is told to restart it.
const freshHost = `
export DEBIAN_FRONTEND=noninteractive
rm -rf /var/lib/milterscan /etc/milterscan /run/milterscan
ip link set lo up
hostname mx.test.local
printf '127.0.0.1 localhost\n127.0.0.2 mx.test.local mx\n' >/tmp/hosts && mount --bind /tmp/hosts /etc/hosts
printf 'nameserver 127.0.0.1\n' >/tmp/resolv && mount --bind /tmp/resolv /etc/resolv.conf 2>/dev/null || true
dpkg --force-unsafe-io -i "$1"
mkdir -p /run/systemd/system /run/milterscan
chown milterscan:milterscan /run/milterscan
cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
[ "$1" = restart ] || exit 0
setpriv --reuid milterscan --regid milterscan --init-groups milterscan serve >>/tmp/milterscan.log 2>&1 &
echo $! >>/tmp/daemons
END
chmod 755 /usr/local/bin/systemctl
printf '44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test\n' >/var/lib/clamav/eicar.hdb
install -d -o clamav -g clamav /run/clamav
echo 'AlertExceedsMax yes' >>/etc/clamav/clamd.conf
clamd --foreground -c /etc/clamav/clamd.conf >/tmp/clamd.log 2>&1 &
echo $! >/tmp/daemons
stop() { kill $(cat /tmp/daemons) 2>/dev/null || true; cat /tmp/sendmail.log 2>/dev/null || true; }
trap stop EXIT
for i in $(seq 240); do [ ! -S /run/clamav/clamd.ctl ] || break; sleep 0.5; done
`

// TestInitPostfix: three commands after the package is there, the test virus is refused by the
// host's own Postfix; nothing was edited, and doctor names no fault.
func TestInitPostfix(t *testing.T) {
	out := firstMinutes(t, `
[ -s /etc/postfix/main.cf ] || cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e myhostname=mx.test.local 'mydestination=$myhostname, localhost' inet_interfaces=loopback-only smtpd_milters= non_smtpd_milters= \
    virtual_alias_domains=hash:/etc/postfix/virtual virtual_alias_maps=hash:/etc/postfix/virtual message_size_limit=70000000
printf 'virtual.test ok\nuser@virtual.test root\n' >/etc/postfix/virtual
postmap /etc/postfix/virtual
postfix start
trap 'postfix stop; stop' EXIT

date +BEGIN\ %T.%N
milterscan init --yes
date +%T.%N
milterscan setup --yes postfix
date +%T.%N
milterscan selftest --eicar
date +END\ %T.%N

cat /etc/milterscan/milterscan.toml
[ "$(stat -c %U:%G:%a /etc/milterscan/milterscan.toml)" = root:root:644 ]
[ "$(stat -c %U:%G:%a /var/spool/postfix/milterscan)" = milterscan:postfix:2750 ]
milterscan check
milterscan doctor -v
[ "$(milterscan explain --json "$(milterscan history --json --limit 1 | sed 's/.*"id":"\([^"]*\)".*/\1/')" | grep -c reject)" -gt 0 ]

# A second time nothing is lost: it is as it should be, and a changed file is not replaced.
milterscan init --yes >/dev/null
echo '# mine' >>/etc/milterscan/milterscan.toml
! milterscan init --yes
grep -q '^# mine' /etc/milterscan/milterscan.toml
milterscan init --yes --force >/dev/null
! grep -q '^# mine' /etc/milterscan/milterscan.toml
grep -q '^# mine' /etc/milterscan/milterscan.toml.old-1
# Without a terminal nobody can be asked.
status=0; echo | milterscan init >/tmp/asked 2>&1 || status=$?
[ $status = 64 ]
postfix status
echo everything works
`)
	for _, want := range []string{`"mx.test.local"`, `"virtual.test"`, "message = \"67MB\"", "The probe was refused, as it should be: 550",
		"The test virus was refused, as it should be.", "550 5.7.1", "healthy"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q was not shown", want)
		}
	}
}

// TestInitSendmail does the same with Sendmail, which is unpacked into the view.
func TestInitSendmail(t *testing.T) {
	out := firstMinutes(t, `
cp -a "$2/bin/unpacked/sendmail/." /
mkdir -p /etc/mail /var/spool/mqueue
chmod 700 /var/spool/mqueue
for name in smmta smmsp; do getent passwd $name >/dev/null || useradd --system --user-group --no-create-home $name; done
cat >/etc/mail/sendmail.mc <<'END'
define(`+"`_CF_DIR_', `/usr/share/sendmail/cf/'"+`)dnl
include(`+"`/usr/share/sendmail/cf/m4/cf.m4'"+`)dnl
OSTYPE(`+"`linux'"+`)dnl
define(`+"`confDOMAIN_NAME', `mx.test.local'"+`)dnl
define(`+"`confPID_FILE', `/run/sendmail.pid'"+`)dnl
define(`+"`confMAX_MESSAGE_SIZE', `20000000'"+`)dnl
define(`+"`confDONT_PROBE_INTERFACES', `True'"+`)dnl
define(`+"`confREFUSE_LA', `1000'"+`)dnl
define(`+"`confQUEUE_LA', `1000'"+`)dnl
define(`+"`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch'"+`)dnl
FEATURE(`+"`no_default_msa'"+`)dnl
FEATURE(`+"`use_cw_file'"+`)dnl
FEATURE(`+"`accept_unresolvable_domains'"+`)dnl
LOCAL_DOMAIN(`+"`example.test'"+`)dnl
RELAY_DOMAIN(`+"`relayed.test 192.0.2'"+`)dnl
DAEMON_OPTIONS(`+"`Name=MTA, Addr=127.0.0.1, Port=25, Family=inet'"+`)dnl
MAILER(`+"`local'"+`)dnl
MAILER(`+"`smtp'"+`)dnl
END
printf 'hosts files\naliases files\npasswd files\n' >/etc/mail/service.switch
printf 'also.test\n' >/etc/mail/local-host-names
printf 'postmaster: root\n' >/etc/mail/aliases
m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf
/usr/libexec/sendmail/sendmail -bi || true
/usr/libexec/sendmail/sendmail -bD >/tmp/sendmail.log 2>&1 &
echo $! >>/tmp/daemons
for i in $(seq 360); do ! ss -Hltn 'sport = :25' | grep -q . || break; sleep 0.5; done

date +BEGIN\ %T.%N
milterscan init --yes sendmail
date +%T.%N
milterscan setup --yes sendmail
date +%T.%N
milterscan selftest --eicar --smtp 127.0.0.1:25
date +END\ %T.%N

cat /etc/milterscan/milterscan.toml
milterscan check
milterscan doctor -v --sendmail /etc/mail/sendmail.cf
echo everything works
`)
	for _, want := range []string{`"example.test"`, `"also.test"`, `".relayed.test"`, `"192.0.2.0/24"`, "The probe was refused, as it should be: 550",
		"The test virus was refused, as it should be.", "healthy"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q was not shown", want)
		}
	}
}

// TestInitExim: of the configuration that Debian's package makes, Exim itself tells init which domains and networks
// are ours; what cannot be listed is named, and a broken configuration is an error that names its line.
func TestInitExim(t *testing.T) {
	needServers(t)
	servers.NeedMounts(t)
	e := servers.ConfigureExim(t, `dc_eximconfig_configtype='internet'
dc_other_hostnames='example.test;also.test'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost=''
dc_relay_domains='relayed.test;*.below.test'
dc_minimaldns='false'
dc_relay_nets='192.0.2.0/24;2001:db8::/32'
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
`)
	conf := filepath.Join(e.Etc(), "exim4", "exim4.conf")
	look := func() (string, error) {
		out, err := exec.Command(servers.Binary(t), "init", "--dry-run", "--program", e.Program(), "--dir", filepath.Dir(conf),
			"--output", filepath.Join(t.TempDir(), "milterscan.toml"), "exim").CombinedOutput()
		t.Logf("%s", out)
		return string(out), err
	}
	shown, err := look()
	for _, want := range []string{"exim 4.", "up to 52428800 bytes", `"localhost", "example.test", "also.test", "relayed.test", ".below.test"]`,
		`networks = ["192.0.2.0/24", "2001:db8::/32", "127.0.0.1/32", "::1/128"]`} {
		if err != nil || !strings.Contains(shown, want) {
			t.Errorf("%q was not shown (%v)", want, err)
		}
	}

	made := read(t, conf)
	odd := strings.Replace(made, "\ndomainlist relay_to_domains", "\ndomainlist further = more.test : lsearch;/etc/exim4/domains\ndomainlist relay_to_domains", 1)
	odd = strings.Replace(odd, "\nMAIN_LOCAL_DOMAINS=@:", "\nmessage_size_limit = ${if def:spool_directory{20M}{10M}}\nMAIN_LOCAL_DOMAINS=+further:@:", 1)
	write(t, conf, odd)
	shown, err = look()
	for _, want := range []string{"mail for 7 domains and some that cannot be listed", "local_domains: lsearch;/etc/exim4/domains"} {
		if err != nil || !strings.Contains(shown, want) {
			t.Errorf("%q was not shown (%v)", want, err)
		}
	}
	if strings.Contains(shown, "domains = [") {
		t.Error("domains are written though not all of them are known")
	}

	write(t, conf, "no_such_option = 1\n"+made)
	if shown, err = look(); err == nil || !strings.Contains(shown, "exit status 1: Exim configuration error in line 1 of /etc/exim4/exim4.conf: main option \"no_such_option\" unknown; nothing was done") {
		t.Errorf("a broken configuration is taken: %v", err)
	}
}
