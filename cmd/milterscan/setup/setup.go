// Package setup hooks milterscan into an MTA's configuration, and out of it
// again. The MTA's own tools work on a copy first, so that everything that would
// change can be shown; then the files are put in their place, with their old
// contents kept. Whatever fails or is interrupted on the way is undone, at once
// or by the next call.
package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// MTA is one that was found on this host.
type MTA struct {
	Name    string // "postfix", "sendmail", "exim"
	Version string
	Dir     string   // of its configuration
	Hooks   []string // by which milterscan can be asked, the best first
	program string
	procedure
}

// procedure is how one kind of MTA is changed.
type procedure struct {
	planner func(ctx context.Context, m MTA, stage string, us Us) (*Plan, error)
	// remover plans to take out what names milterscan, and nothing else. The journal
	// is that of the setup, nil if there is none.
	remover func(ctx context.Context, m MTA, stage string, us Us, j *journal) (*Plan, error)
	reload  func(ctx context.Context, m MTA) []Command // nil: as at the setup
	// smtp returns the address at which the MTA takes mail; nil where that is not known.
	smtp func(ctx context.Context, m MTA) (string, error)
}

// Program returns the path of the MTA's main program.
func (m MTA) Program() string { return m.program }

// SMTP returns the address at which the MTA takes mail, "" where that is not known.
func (m MTA) SMTP(ctx context.Context) (string, error) {
	if m.smtp == nil {
		return "", nil
	}
	return m.smtp(ctx, m)
}

// ErrNothingToDo is returned by Plan where milterscan is asked already.
var ErrNothingToDo = errors.New("milterscan is set up there already")

// candidate is an MTA that may be there.
type candidate struct {
	name, dir string
	hooks     []string
	programs  []string // where its main program may be
	version   func(ctx context.Context, program, dir string) (string, error)
	procedure
}

func candidates() []candidate {
	return []candidate{
		{"postfix", "/etc/postfix", []string{"milter", "pipe (contrib/postfix/pipe.cf)"}, []string{"postconf"}, postfixVersion,
			procedure{planPostfix, unplanPostfix, postfixReload, postfixSMTP}},
		{"sendmail", "/etc/mail", []string{"milter"}, []string{"/usr/libexec/sendmail/sendmail", "/usr/lib/sm.bin/sendmail",
			"/usr/sbin/sendmail.sendmail", "sendmail"}, sendmailVersion, procedure{planSendmail, unplanSendmail, nil, sendmailSMTP}},
		{"exim", "/etc/exim4", []string{"pipe in front of routing", "transport filter (contrib/exim)"}, []string{"exim4", "exim"},
			eximVersion, procedure{planExim, unplanExim, nil, nil}},
	}
}

// Names returns the names of the MTAs that can be set up.
func Names() []string {
	var names []string
	for _, c := range candidates() {
		names = append(names, c.name)
	}
	return names
}

// Find lists the MTAs of this host.
func Find(ctx context.Context) []MTA {
	var found []MTA
	for _, c := range candidates() {
		if m, err := c.find(ctx, Place{}); err == nil {
			found = append(found, m)
		}
	}
	return found
}

// Place says where an MTA is, if not in the usual place.
type Place struct {
	Dir     string // of its configuration
	Program string // its main program: postconf, sendmail or exim
}

// Lookup finds one MTA by its name. The error names the missing piece.
func Lookup(ctx context.Context, name string, at Place) (MTA, error) {
	for _, c := range candidates() {
		if c.name == name {
			return c.find(ctx, at)
		}
	}
	return MTA{}, fmt.Errorf("%q is no MTA that can be set up; there are %s", name, strings.Join(Names(), ", "))
}

func (c candidate) find(ctx context.Context, at Place) (MTA, error) {
	m := MTA{Name: c.name, Dir: c.dir, Hooks: c.hooks, procedure: c.procedure}
	if at.Dir != "" {
		m.Dir = at.Dir
	}
	programs := c.programs
	if at.Program != "" {
		programs = []string{at.Program}
	}
	err := fmt.Errorf("%s is not installed: there is no %s", c.name, strings.Join(programs, " or "))
	for _, p := range programs {
		path, lookErr := exec.LookPath(p)
		if lookErr != nil {
			continue
		}
		if m.Version, err = c.version(ctx, path, m.Dir); err == nil {
			m.program = path
			return m, nil
		}
	}
	return MTA{}, err
}

// Us is what an MTA has to know of milterscan.
type Us struct {
	Listen []string // milter.listen: "unix:/run/milterscan/milter.sock", "tcp:127.0.0.1:7357"
	Daemon string   // the user it runs as
}

// Plan works out what would change, on a copy in a separate directory. Where
// nothing would, the error is ErrNothingToDo; the plan may still say where to probe.
func (m MTA) Plan(ctx context.Context, us Us) (*Plan, error) {
	stage, err := os.MkdirTemp("", "milterscan-setup-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	p, err := m.planner(ctx, m, stage, us)
	if p != nil {
		p.MTA = m
	}
	if err != nil && !errors.Is(err, ErrNothingToDo) {
		return nil, fmt.Errorf("%s: %w; nothing was done", m.Name, err)
	}
	return p, err
}

// sibling returns a program in the directory of another, or in the path.
func sibling(program, name string) string {
	path := filepath.Join(filepath.Dir(program), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return name
}
