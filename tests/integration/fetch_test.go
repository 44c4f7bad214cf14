package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// fetched is a user's mail on its way from a POP3 server through milterscan.
type fetched struct {
	dovecot *servers.Dovecot
	agent   *servers.Agent
	rc      string
}

// newFetched sets fetchmail up as contrib/filter/fetchmailrc shows it.
func newFetched(t *testing.T, config string) *fetched {
	t.Helper()
	needServers(t)
	f := &fetched{dovecot: servers.StartDovecot(t), agent: servers.NewAgent(t)}
	showLog(t, f.dovecot)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "fetchmail.toml"), servers.Private(config, dir))
	host, port, _ := strings.Cut(f.dovecot.Addr, ":")
	rc := strings.NewReplacer(
		"poll mail.example.net protocol POP3", "poll "+host+" protocol POP3 port "+port+" auth password",
		"is \"joe\" here", "is \"joe\" here sslproto \"\" no sslcertck fetchall",
		"/usr/local/lib/milterscan/milterscan-mda", filepath.Join(servers.Root(t), "contrib/filter/milterscan-mda"),
		"/etc/milterscan/fetchmail.toml", filepath.Join(dir, "fetchmail.toml"),
		"/usr/sbin/sendmail -i -f %F -- %T", f.agent.Path+" %F %T",
	).Replace(read(t, filepath.Join(servers.Root(t), "contrib/filter/fetchmailrc")))
	f.rc = filepath.Join(dir, "fetchmailrc")
	write(t, f.rc, fmt.Sprintf("set idfile %q\nset pidfile %q\n%s", dir+"/ids", dir+"/pid", rc))
	return f
}

// fetch runs fetchmail once and returns what it said.
func (f *fetched) fetch(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("fetchmail", "-f", f.rc, "--nosyslog")
	cmd.Env = append(os.Environ(), "MILTERSCAN="+servers.Binary(t), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("fetchmail: %v (.ci/packages installs it)", err)
	}
	return string(out)
}

// Mail that fetchmail gets from a POP3 server: clean mail is delivered, a virus
// is put into quarantine and not delivered, and the server keeps neither.
func TestFetchmail(t *testing.T) {
	kept := t.TempDir()
	f := newFetched(t, "profile = \"hosting\"\n"+alone+fmt.Sprintf("[quarantine]\ndir = %q\n", kept))
	f.dovecot.Put(t, "joe", clean("fetched").Data)
	f.dovecot.Put(t, "joe", infected().Data)
	said := f.fetch(t)
	got := f.agent.Inbox.All()
	if len(got) != 1 || !strings.HasSuffix(string(got[0].Mail), asDelivered(clean("fetched").Data)) {
		t.Errorf("%d mails arrived, %q; fetchmail said:\n%s", len(got), got, said)
	}
	if copies(t, kept) != 1 || f.dovecot.Count(t, "joe") != 0 {
		t.Errorf("%d mails are in quarantine, %d still on the server; fetchmail said:\n%s", copies(t, kept), f.dovecot.Count(t, "joe"), said)
	}
}

// What cannot be judged or delivered now stays on the server.
func TestFetchmailLater(t *testing.T) {
	f := newFetched(t, alone+asking("unix:/nowhere/clamd.sock", ""))
	f.dovecot.Put(t, "joe", clean("later").Data)
	said := f.fetch(t)
	if f.agent.Inbox.Count() != 0 || f.dovecot.Count(t, "joe") != 1 {
		t.Errorf("%d mails arrived, %d are on the server; fetchmail said:\n%s", f.agent.Inbox.Count(), f.dovecot.Count(t, "joe"), said)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
