package daemon

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// staffed goes by people of a table: some of a group get nothing, and those who are not there neither.
const staffed = plain + `
[local]
domains = ["example.com"]
[people]
file = "DIR/people.db"
[[people.source]]
name = "staff"
type = "csv"
file = "DIR/%s.csv"
domains = ["example.com"]
[[rule]]
name = "unknown"
when = ["recipient/unknown"]
action = "reject"
[[rule]]
name = "closed"
to = ["group:closed"]
action = "reject"
reply = "550 5.7.1 closed"
`

// mailTo has a mail to a recipient judged.
func (r *running) mailTo(to string) string {
	r.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(r.dir, "m"))
	if err != nil {
		r.t.Fatal(err)
	}
	mail := []byte("From: a@example.org\r\nSubject: x\r\n\r\nhello\r\n")
	parser := entity.NewParser(entity.DefaultLimits())
	parser.Write(mail)
	env := scan.Envelope{Sender: "a@example.org", Recipients: []string{to}}
	a, err := milter.Ask(r.t.Context(), conn, patience, env, bytes.NewReader(mail), parser.Close().Root)
	if err != nil {
		r.t.Fatal(err)
	}
	if a.Answer == policy.Deliver {
		return "deliver"
	}
	return fmt.Sprintf("%d %s", a.Reply.Code, a.Reply.Enhanced)
}

func (r *running) gets(about string, want map[string]string) {
	r.t.Helper()
	for to, answer := range want {
		if got := r.mailTo(to); got != answer {
			r.t.Errorf("%s, mail to %s: %s, want %s", about, to, got, answer)
		}
	}
}

func (r *running) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// TestPeopleInForce: rules go by people from the first mail on, also after a restart while their source is gone; then
// nobody is unknown. A reload with other people is in force when it is done.
func TestPeopleInForce(t *testing.T) {
	r := &running{t: t, dir: t.TempDir()}
	r.write("a.csv", "address,aliases,groups\nann@example.com,a@example.com,closed\nbob@example.com,,\n")
	r = start(t, r.dir, fmt.Sprintf(staffed, "a"))
	r.await("log", `"msg":"ready"`)
	r.gets("loaded", map[string]string{"ann@example.com": "550 5.7.1", "A+x@example.com": "550 5.7.1", "bob@example.com": "deliver", "eve@example.com": "550 5.1.1"})
	r.stop()

	if err := os.Remove(filepath.Join(r.dir, "a.csv")); err != nil {
		t.Fatal(err)
	}
	r.write("log", "")
	r = start(t, r.dir, fmt.Sprintf(staffed, "a"))
	r.await("log", "people cannot be loaded; what was loaded last stays in force")
	r.gets("the source is gone", map[string]string{"ann@example.com": "550 5.7.1", "bob@example.com": "deliver", "eve@example.com": "deliver"})

	r.write("b.csv", "address,groups\neve@example.com,closed\nann@example.com,\n")
	r.reload(fmt.Sprintf(staffed, "b"))
	r.await("log", "configuration reloaded")
	r.gets("reloaded", map[string]string{"ann@example.com": "deliver", "bob@example.com": "550 5.1.1", "eve@example.com": "550 5.7.1"})

	r.reload(fmt.Sprintf(staffed, "nowhere"))
	r.await("log", "people cannot be loaded, and nothing is known of them")
	r.gets("a source that never was", map[string]string{"ann@example.com": "451 4.3.0"})
}
