package servers

import (
	"strings"
)

// Mailboxes is a private Dovecot that lets users in by IMAP, encrypted, and answers an MTA that asks
// it for SASL. Each user has a separate password.
type Mailboxes struct {
	IMAP string // where STARTTLS comes first
	// IMAPS is where the connection is encrypted from the start.
	IMAPS string
	CA    string // of its certificate, in PEM

	dir  string
	proc *process
}

// StartMailboxes starts a Dovecot with users, by their names with their passwords, that answers an MTA at a
// socket. Cleanup stops it.
func StartMailboxes(t TB, users map[string]string, sasl string) *Mailboxes {
	t.Helper()
	needRoot(t, "Dovecot")
	m := &Mailboxes{IMAP: newAddr(t), IMAPS: newAddr(t), dir: newDir(t)}
	host, plain, _ := strings.Cut(m.IMAP, ":")
	other, secure, _ := strings.Cut(m.IMAPS, ":")
	cert := NewCertificate(t, "mail.example.com", host, other)
	m.CA = cert.File
	var passwd strings.Builder
	for name, password := range users {
		passwd.WriteString(name + ":{PLAIN}" + password + "\n")
	}
	writeFile(t, m.dir+"/passwd", passwd.String())
	writeFile(t, m.dir+"/dovecot.conf", strings.NewReplacer("@dir@", m.dir, "@sasl@", sasl,
		"@host@", host+", "+other, "@plain@", plain, "@secure@", secure,
		"@cert@", cert.File, "@key@", cert.Key).Replace(mailboxesConf))
	m.proc = run(t, m.dir+"/output.log", "/usr/sbin/dovecot", "-F", "-c", m.dir+"/dovecot.conf")
	t.Cleanup(m.proc.stop)
	m.proc.ready(t, "Dovecot at "+m.IMAPS, func() bool { return answers("tcp", m.IMAPS) && answers("tcp", m.IMAP) })
	return m
}

// mailboxesConf has no privileges to keep apart: it is for loopback, and for one test.
const mailboxesConf = `base_dir = @dir@/run
state_dir = @dir@/run
log_path = @dir@/dovecot.log
protocols = imap
listen = @host@
ssl = required
ssl_cert = <@cert@
ssl_key = <@key@
auth_mechanisms = plain login
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
first_valid_uid = 0
mail_location = maildir:@dir@/mail/%u
passdb {
  driver = passwd-file
  args = @dir@/passwd
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=@dir@/mail/%u
}
service auth {
  unix_listener @sasl@ {
    mode = 0666
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = @plain@
  }
  inet_listener imaps {
    port = @secure@
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
