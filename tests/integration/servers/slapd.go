package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Slapd is a private OpenLDAP server for dc=example,dc=com. It takes names and
// passwords over encrypted connections only.
type Slapd struct {
	Addr   string // of ldap://, which can be encrypted by StartTLS
	Secure string // of ldaps://
	CA     string // the file with its authority

	dir  string
	proc *process
}

// SlapdAdmin and SlapdPassword may read and write everything there.
const (
	SlapdAdmin    = "cn=admin,dc=example,dc=com"
	SlapdPassword = "admin's secret"
)

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile %[1]s/slapd.pid
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
security simple_bind=64
database mdb
suffix "dc=example,dc=com"
rootdn "%[4]s"
rootpw "%[5]s"
directory %[1]s/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// StartSlapd starts a directory with entries, in LDIF. Cleanup stops it.
func StartSlapd(t TB, entries string) *Slapd {
	t.Helper()
	s := &Slapd{Addr: newAddr(t), dir: newDir(t)}
	host, _, _ := strings.Cut(s.Addr, ":")
	s.Secure = host + ":636"
	cert := NewCertificate(t, "ldap.test.local", host)
	s.CA = cert.File
	if err := os.Mkdir(filepath.Join(s.dir, "data"), 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	conf := filepath.Join(s.dir, "slapd.conf")
	writeFile(t, conf, fmt.Sprintf(slapdConf, s.dir, cert.File, cert.Key, SlapdAdmin, SlapdPassword))
	s.proc = run(t, filepath.Join(s.dir, "slapd.log"),
		"/usr/sbin/slapd", "-f", conf, "-h", "ldap://"+s.Addr+"/ ldaps://"+s.Secure+"/", "-d", "0")
	t.Cleanup(s.Stop)
	s.proc.ready(t, "slapd at "+s.Addr, func() bool { return answers("tcp", s.Addr) && answers("tcp", s.Secure) })
	s.add(t, entries)
	return s
}

// add puts entries into the directory.
func (s *Slapd) add(t TB, entries string) {
	t.Helper()
	cmd := exec.Command("ldapadd", "-x", "-ZZ", "-H", "ldap://"+s.Addr, "-D", SlapdAdmin, "-w", SlapdPassword)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+s.CA)
	cmd.Stdin = strings.NewReader("dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\n" +
		"o: Example\ndc: example\n\n" + entries)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("filling the directory: %v\n%s", err, out)
	}
}

// Stop ends the server.
func (s *Slapd) Stop() { s.proc.stop() }
