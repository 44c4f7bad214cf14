package integration

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/mailbox"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestMailboxesLetIn: real servers are asked for passwords of mailboxes, Dovecot by IMAP and Postfix, which asks
// Dovecot, by SMTP AUTH.
func TestMailboxesLetIn(t *testing.T) {
	needServers(t)
	const ann, secret = "ann@example.com", `sch\ön "secret" {3}`
	p := servers.StartPlainPostfix(t)
	d := servers.StartMailboxes(t, map[string]string{ann: "secret of ann", "umlaut@example.com": secret}, filepath.Dir(p.MilterSocket())+"/sasl")
	host, _, _ := strings.Cut(p.Addr, ":")
	cert := servers.NewCertificate(t, "mail.example.com", host)
	for _, line := range []string{"smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot", "smtpd_sasl_path = milterscan/sasl", "smtpd_tls_auth_only = yes",
		"smtpd_tls_security_level = may", "smtpd_tls_cert_file = " + cert.File, "smtpd_tls_key_file = " + cert.Key} {
		if out, err := exec.Command("postconf", "-c", p.Config(), "-e", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", line, err, out)
		}
	}
	p.AddServices(t, "tlsmgr unix - - n 1000? 1 tlsmgr\n")
	bare := servers.StartPlainPostfix(t)
	for _, c := range []struct {
		where, ca, name, password string
		want                      string
	}{
		{"imap:" + d.IMAP, d.CA, ann, "secret of ann", "in"},
		{"imaps:" + d.IMAPS, d.CA, ann, "secret of ann", "in"},
		{"imaps:" + d.IMAPS, d.CA, "umlaut@example.com", secret, "in"},
		{"imaps:" + d.IMAPS, d.CA, ann, "secret of ben", "wrong"},
		{"imaps:" + d.IMAPS, d.CA, "nobody@example.com", "secret of ann", "wrong"},
		{"imaps:" + d.IMAPS, "", ann, "secret of ann", "unknown"},
		{"imaps:" + d.IMAP, d.CA, ann, "secret of ann", "unknown"},
		{"imap:" + d.IMAPS, d.CA, ann, "secret of ann", "unknown"},
		{"smtp:" + p.Addr, cert.File, ann, "secret of ann", "in"},
		{"smtp:" + p.Addr, cert.File, "umlaut@example.com", secret, "in"},
		{"smtp:" + p.Addr, cert.File, ann, "secret of ben", "wrong"},
		{"smtp:" + p.Addr, d.CA, ann, "secret of ann", "unknown"},
		{"smtp:" + bare.Addr, cert.File, ann, "secret of ann", "unknown"},
	} {
		err := mailbox.Server{Where: c.where, CAFile: c.ca, Timeout: 10 * time.Second}.Check(t.Context(), c.name, c.password)
		got := "unknown"
		switch {
		case err == nil:
			got = "in"
		case errors.Is(err, mailbox.ErrWrong):
			got = "wrong"
		}
		if got != c.want {
			t.Errorf("%s as %s with %q: %s (%v); want %s", c.where, c.name, c.password, got, err, c.want)
		}
	}
}
