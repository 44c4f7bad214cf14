// Package consoletest has what the tests of the console's pages and of its API share:
// persons, a configuration, an MTA and a history.
package consoletest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// People are persons by their names, one for each role, and two of domains.
var People = map[string]login.Person{
	"root":  {Account: 1, Name: "root", Role: login.Administrator},
	"desk":  {Account: 2, Name: "desk", Role: login.HelpDesk},
	"audit": {Account: 3, Name: "audit", Role: login.Auditor},
	"own":   {Account: 4, Name: "own", Role: login.Domain, Domains: []string{"example.com"}, Delegated: login.Delegated(login.Capabilities())},
	"other": {Account: 5, Name: "other", Role: login.Domain, Domains: []string{"example.org"},
		Delegated: login.Delegated(login.Capabilities())},
}

// settings keep everything in one directory.
const settings = `
[quarantine]
dir = "DIR/quarantine"
[history]
file = "DIR/history.db"
[console]
file = "DIR/console.db"
[notices]
dir = "DIR/notices"
[people]
file = "DIR/people.db"
[submission]
via = "sendmail:/bin/false"
RULES
[[rule]]
name = "never met"
from = ["nobody@example.net"]
action = "reject"
`

// Config returns a configuration with some rules, and one that no mail meets. It keeps
// everything in a directory of the test.
func Config(t testing.TB, rules string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("DIR", dir, "RULES", rules).Replace(settings)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// MTA takes mail, or fails. A test asks what it has once the console sends no more.
type MTA struct {
	Err error      // what sending ends with, if not nil
	Got []string   // the mails
	To  [][]string // and their recipients

	mu sync.Mutex
}

// Send takes a mail.
func (m *MTA) Send(_ context.Context, mail submission.Mail) error {
	text, err := io.ReadAll(mail.Message)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err != nil {
		return m.Err
	}
	m.Got, m.To = append(m.Got, string(text)), append(m.To, mail.To)
	return err
}

// Remember puts records into the history of a configuration.
func Remember(t testing.TB, c *config.Config, records ...policy.Record) {
	t.Helper()
	h := store.NewHistory(c.History.File, func(err error) { t.Log(err) })
	defer h.Close()
	if err := h.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}
