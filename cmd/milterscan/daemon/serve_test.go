package daemon

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/tests/child"
)

// TestMain lets the test binary start itself as the child that reads archives, and
// looks for goroutines that outlive their daemon.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == replay.Word {
		os.Exit(replay.Main(os.Stdin, os.Stdout))
	}
	child.Watched(m)
}

// patience is how long a daemon may take for anything.
const patience = time.Minute

// running is a daemon that serves from a directory of its own.
type running struct {
	d    *Daemon
	t    *testing.T
	dir  string
	hup  chan os.Signal
	stop func() int // returns the exit status
}

// settings are a configuration whose files are in dir. What it says about the
// spool, the history and the notices, a test changes.
func settings(dir, more string) string {
	if !strings.Contains(more, "[people]\n") {
		more = "[people]\nfile = \"DIR/people.db\"\n" + more
	}
	return fmt.Sprintf("feed_dir = %q\n[quarantine]\ndir = %q\n%s", filepath.Join(dir, "feeds"), filepath.Join(dir, "quarantine"), strings.ReplaceAll(more, "DIR", dir))
}

// plain is what the tests begin with.
const plain = `
[milter]
listen = ["unix:DIR/m"]
drain = "100ms"
[log]
output = "DIR/log"
[history]
file = "DIR/a.db"
[notices]
dir = "DIR/notices"
`

// start runs a daemon until the test is over.
func start(t *testing.T, dir, text string) *running {
	t.Helper()
	r := &running{t: t, dir: dir, hup: make(chan os.Signal, 1)}
	r.configure(text)
	var errs bytes.Buffer
	d, status := New(filepath.Join(dir, "milterscan.toml"), "test", &errs)
	if d == nil {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	r.d = d
	go func() { ended <- d.Run(ctx, r.hup) }()
	done := -1
	r.stop = func() int {
		cancel()
		if done < 0 {
			done = <-ended
		}
		return done
	}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *running) configure(text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "milterscan.toml"), []byte(settings(r.dir, text)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// log returns what is in a log file.
func (r *running) log(name string) string {
	text, _ := os.ReadFile(filepath.Join(r.dir, name))
	return string(text)
}

// await waits until a log file says something.
func (r *running) await(name, want string) {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if strings.Contains(r.log(name), want) {
			return
		}
	}
	r.t.Fatalf("%s does not say %q:\n%s", name, want, r.log(name))
}

// reload changes the configuration and sends the signal.
func (r *running) reload(text string) {
	r.configure(text)
	r.hup <- os.Interrupt // any signal on that channel
}

// ask has a mail judged at a socket.
func (r *running) ask(socket, mail string) (policy.Ruling, error) {
	conn, err := net.Dial("unix", filepath.Join(r.dir, socket))
	if err != nil {
		return policy.Ruling{}, err
	}
	parser := entity.NewParser(entity.DefaultLimits())
	parser.Write([]byte(mail))
	env := scan.Envelope{Sender: "a@example.org", Recipients: []string{"b@example.com"}}
	return milter.Ask(r.t.Context(), conn, patience, env, bytes.NewReader([]byte(mail)), parser.Close().Root)
}

// mustAsk fails the test if the mail gets no answer.
func (r *running) mustAsk(socket, subject string) {
	r.t.Helper()
	if a, err := r.ask(socket, "From: a@example.org\r\nSubject: "+subject+"\r\n\r\nhello\r\n"); err != nil || a.Answer != policy.Deliver {
		r.t.Fatalf("%s: %v, %v", subject, a.Answer, err)
	}
}

// remembers reports whether a history has a mail with that subject.
func (r *running) remembers(file, subject string) bool {
	r.t.Helper()
	h := store.NewHistory(filepath.Join(r.dir, file), func(err error) { r.t.Error(err) })
	defer h.Close()
	list, err := h.List(context.Background(), history.Filter{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, record := range list {
		if record.Subject == subject {
			return true
		}
	}
	return false
}

// TestReloadPutsEverythingInForce changes addresses, log, limits, history, notices
// and the spool: all but the last are in force, and that is said of the last.
func TestReloadPutsEverythingInForce(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"msg":"ready"`)
	r.mustAsk("m", "before")
	r.reload(strings.NewReplacer(`DIR/m"`, `DIR/n"`, "DIR/log", "DIR/new", "a.db", "b.db", "DIR/notices", "DIR/letters").Replace(plain) +
		"[limits]\nmessage = \"100B\"\n[spool]\nmemory = \"1MB\"\n[[rule]]\nname = \"large\"\nwhen = [\"mime/message-size\"]\naction = \"reject\"\nnotify = [\"admin@example.com\"]\n")
	r.await("new", `"msg":"needs a restart","keys":["spool.memory"]`)
	r.mustAsk("n", "after")
	if a, err := r.ask("n", "From: a@example.org\r\nSubject: large\r\n\r\n"+strings.Repeat("x", 200)); err != nil || a.Answer != policy.Reject {
		t.Errorf("a mail over the new limit: %v, %v", a.Answer, err)
	}
	if _, err := r.ask("m", ""); err == nil {
		t.Error("the old socket answers")
	}
	if letters, _ := filepath.Glob(filepath.Join(r.dir, "letters", "*.json")); len(letters) != 1 {
		t.Errorf("%d letters in the new directory", len(letters))
	}
	if status := r.stop(); status != cli.ExitOK {
		t.Errorf("status %d", status)
	}
	if strings.Contains(r.log("log"), "after") || !strings.Contains(r.log("new"), `"msg":"stopped"`) {
		t.Errorf("the old log is %s\nthe new one %s", r.log("log"), r.log("new"))
	}
	if !r.remembers("a.db", "before") || r.remembers("a.db", "after") || !r.remembers("b.db", "after") {
		t.Error("the histories have other mails than those of their time")
	}
}

// TestLogIsReopened renames the log, as logrotate does, and reloads: also with a
// configuration that cannot be used.
func TestLogIsReopened(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"msg":"ready"`)
	for i, text := range []string{plain, "[log]\nlevel = \"loud\"\n", strings.Replace(plain, "[log]", "[log]\nlevel = \"error\"\nformat = \"console\"", 1), "[log]\nlevel = \"loud\"\n"} {
		old := fmt.Sprintf("log.%d", i)
		if err := os.Rename(filepath.Join(r.dir, "log"), filepath.Join(r.dir, old)); err != nil {
			t.Fatal(err)
		}
		r.reload(text)
		switch i {
		case 0:
			r.await("log", `"msg":"configuration reloaded"`)
		case 1:
			r.await("log", `"msg":"the new configuration is not used, the old one stays"`)
		case 2: // its level leaves no line, and the file is there before it is in force
			for end := time.Now().Add(patience); r.d.config.Load().Log.Level != "error" && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
		case 3: // in the format of before, and at its level
			r.await("log", "  error  the new configuration is not used")
		}
		if strings.Contains(r.log(old), "reloaded") && i == 0 {
			t.Error("the line is in the old file")
		}
	}
	if strings.Contains(r.log("log"), "  info  ") {
		t.Errorf("less than the level is written: %s", r.log("log"))
	}
}

// TestReloadBringsASocketBack removes the socket of a daemon that runs.
func TestReloadBringsASocketBack(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"msg":"ready"`)
	if err := os.Remove(filepath.Join(r.dir, "m")); err != nil {
		t.Fatal(err)
	}
	r.reload(plain)
	r.await("log", `"msg":"configuration reloaded"`)
	r.await("log", "the file of a socket was gone; it is listened on again")
	r.mustAsk("m", "again")
}

// TestReloadToAnAddressThatCannotBe leaves everything as it was.
func TestReloadToAnAddressThatCannotBe(t *testing.T) {
	r := start(t, t.TempDir(), plain)
	r.await("log", `"msg":"ready"`)
	r.reload(strings.NewReplacer(`DIR/m"`, `DIR/none/n"`, "a.db", "b.db").Replace(plain))
	r.await("log", `"msg":"the new configuration is not used, the old one stays"`)
	r.mustAsk("m", "still")
	r.stop()
	if !r.remembers("a.db", "still") {
		t.Error("it is not remembered where it was")
	}
}

// TestSecondDaemonIsQuiet: one that cannot listen says so and nothing else, and
// leaves the stores alone.
func TestSecondDaemonIsQuiet(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, plain)
	first.await("log", `"msg":"ready"`)
	second := start(t, dir, strings.Replace(plain, "DIR/log", "DIR/second", 1)+"[greylist]\nenabled = true\nfile = \"DIR/grey.db\"\n")
	second.await("second", `"msg":"cannot listen"`)
	if status := second.stop(); status != cli.ExitSoftware {
		t.Errorf("status %d", status)
	}
	if lines := strings.Split(strings.TrimSpace(second.log("second")), "\n"); len(lines) != 1 {
		t.Errorf("it says %q", lines)
	}
	first.mustAsk("m", "first")
}

// TestIdleRulesAreTold: what "check" says of a rule that can never do anything is
// in the log at the start and at a reload.
func TestIdleRulesAreTold(t *testing.T) {
	rule := func(name string) string {
		return plain + "[[rule]]\nname = \"a\"\nwhen = [\"" + name + "\"]\naction = \"reject\"\n"
	}
	r := start(t, t.TempDir(), rule("attachment/nmae"))
	const words = `\"a\" can never match: %s is no finding that is ever made; did you mean \"%s\"?`
	r.await("log", fmt.Sprintf(words, "attachment/nmae", "attachment/name"))
	r.reload(rule("content/from"))
	r.await("log", fmt.Sprintf(words, "content/from", "content/form"))
}

// TestNotesAreTold: the warnings of "check" about rules and addresses are in the log at
// the start and at a reload, in the same words.
func TestNotesAreTold(t *testing.T) {
	const rule = "[[rule]]\nname = %q\nwhen = [\"score >= 5\"]\naction = \"reject\"\n"
	r := start(t, t.TempDir(), plain+fmt.Sprintf(rule, "first"))
	const words = `\"%s\" rests on the score, to which only pages and links add here`
	r.await("log", fmt.Sprintf(words, "first"))
	r.reload(plain + fmt.Sprintf(rule, "second"))
	r.await("log", fmt.Sprintf(words, "second"))
}

// TestBadFileOfADomain: it is left out at the start and at a reload, and the log says
// so, while the files of other domains and what else was changed are in force.
func TestBadFileOfADomain(t *testing.T) {
	dir := t.TempDir()
	domain := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "domains.d", name+".toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "domains.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	domain("a.example", "no_such_key = 1\n")
	domain("b.example", "off = [\"spam\"]\n")
	text := plain + "[per_domain]\ndir = \"domains.d\"\n"
	r := start(t, dir, text)
	const words = "the file of a domain is not used, mail to the domain gets the host's rules"
	r.await("log", words)
	r.await("log", "a.example.toml:1: no_such_key: there is no such key")
	domain("b.example", "[[rule")
	r.reload(text + "[limits]\nparts = 77\n")
	r.await("log", "configuration reloaded")
	r.await("log", "b.example.toml:1: ")
	if n := strings.Count(r.log("log"), words); n != 3 || strings.Contains(r.log("log"), "the new configuration is not used") {
		t.Errorf("it is said %d times:\n%s", n, r.log("log"))
	}
}
