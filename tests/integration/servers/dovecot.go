package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Dovecot is a private Dovecot that offers mail by POP3: any user with the
// password "secret" has a mailbox.
type Dovecot struct {
	Addr string // where its POP3 server listens

	dir  string
	proc *process
}

// StartDovecot starts a Dovecot. Cleanup stops it.
func StartDovecot(t TB) *Dovecot {
	t.Helper()
	needRoot(t, "Dovecot")
	d := &Dovecot{Addr: newAddr(t), dir: newDir(t)}
	host, port, _ := strings.Cut(d.Addr, ":")
	writeFile(t, d.path("dovecot.conf"), strings.NewReplacer("@dir@", d.dir, "@host@", host, "@port@", port).Replace(dovecotConf))
	d.proc = run(t, d.path("output.log"), "/usr/sbin/dovecot", "-F", "-c", d.path("dovecot.conf"))
	t.Cleanup(d.proc.stop)
	d.proc.ready(t, "Dovecot at "+d.Addr, func() bool { return answers("tcp", d.Addr) })
	return d
}

// Put puts a mail into a user's mailbox.
func (d *Dovecot) Put(t TB, user string, mail []byte) {
	t.Helper()
	box := d.path("mail/" + user + "/new")
	if err := os.MkdirAll(box, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	writeFile(t, filepath.Join(box, fmt.Sprint(d.Count(t, user))), string(mail))
	if out, err := exec.Command("chown", "-R", "nobody", d.path("mail")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Count returns the number of mails in a user's mailbox.
func (d *Dovecot) Count(t TB, user string) int {
	t.Helper()
	files, err := filepath.Glob(d.path("mail/" + user + "/[nc][eu][wr]/*"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return len(files)
}

// Log returns what Dovecot has logged so far.
func (d *Dovecot) Log() string {
	text, _ := os.ReadFile(d.path("dovecot.log"))
	return string(text)
}

func (d *Dovecot) path(name string) string { return filepath.Join(d.dir, name) }

// dovecotConf has no encryption and no privileges to keep apart: it is for
// loopback, and for one test.
const dovecotConf = `base_dir = @dir@/run
state_dir = @dir@/run
log_path = @dir@/dovecot.log
protocols = pop3
listen = @host@
ssl = no
disable_plaintext_auth = no
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
first_valid_uid = 0
mail_location = maildir:@dir@/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=@dir@/mail/%u
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = @port@
  }
  inet_listener pop3s {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`

// Agent is a delivery agent: a script that delivers into a maildir, called with
// sender and recipient.
type Agent struct {
	Path  string
	Inbox *Maildir
}

// NewAgent makes a delivery agent.
func NewAgent(t TB) *Agent {
	t.Helper()
	dir := newDir(t)
	for _, d := range []string{"new", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatalf("%v", err)
		}
		if err := os.Chmod(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatalf("%v", err)
		}
	}
	a := &Agent{Path: filepath.Join(dir, "deliver"), Inbox: &Maildir{dir: dir}}
	writeScript(t, a.Path, fmt.Sprintf(deliverScript, dir))
	return a
}

// writeScript writes a file that can be run.
func writeScript(t TB, path, text string) {
	t.Helper()
	writeFile(t, path, text)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
}
