package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// quickTime bounds a quick examination: the program that asks for one asks again soon.
const quickTime = 10 * time.Second

// examine looks at the installation and prints each fault with its remedy.
func examine(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("doctor", "[-c FILE] [--postfix DIR] [--sendmail FILE] [--user NAME] [--quick | --fleet] [-v | --json | --nagios]", std)
	path := cli.ServiceFlag(f)
	postfix := f.String("postfix", "", "Postfix' configuration `directory`; without it Postfix' own, if Postfix is installed")
	sendmail := f.String("sendmail", "", "sendmail.cf; without it /etc/mail/sendmail.cf, if it is there and Postfix is not")
	as := f.String("user", "", "whom the daemon runs as; without it the owner of its socket, or "+cli.DaemonUser+", if there is such a user")
	quick := f.Bool("quick", false,
		"look only at the configuration, the daemon's sockets and its directories, for 10s at most, "+
			"as the health check of a container")
	fleet := f.Bool("fleet", false, "show the hosts that share the database of [store], and what they do not have alike, and nothing else")
	verbose := f.Bool("v", false, "show what is well, too")
	asJSON := f.Bool("json", false, "print a JSON object with all that was looked at")
	nagios := f.Bool("nagios", false, "print one line, and end with 0, 1 or 2 for OK, WARNING or CRITICAL, as plugins of Nagios do")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	p := installation(&doctor.Installation{File: cli.File(*path), Postfix: *postfix, Sendmail: *sendmail, User: *as})
	if *quick {
		short, cancel := context.WithTimeout(ctx, quickTime)
		defer cancel()
		ctx, p.Only = short, doctor.Quick()
	}
	if *fleet {
		if p.Config.Store.URL == "" {
			fmt.Fprintln(std.Err, "milterscan doctor: the configuration has no store.url, so this host shares nothing")
			return cli.ExitConfig
		}
		*verbose, p.Only = true, []string{doctor.Database, doctor.Fleet}
	}
	found := p.Examine(ctx)
	switch {
	case *nagios:
		return nagiosLine(std, found)
	case *asJSON:
		return findingsJSON(std, found)
	}
	for _, one := range found {
		if one.Level != doctor.OK || *verbose {
			showFinding(std, one)
		}
	}
	if faults := count(found, doctor.Fault); faults > 0 {
		fmt.Fprintf(std.Out, "faults: %d\n", faults)
		return cli.ExitFound
	}
	fmt.Fprintf(std.Out, "healthy: %d checks, no fault\n", len(found))
	return cli.ExitOK
}

// installation adds to what was named on the command line what else the doctor has to know.
func installation(p *doctor.Installation) *doctor.Installation {
	p.Config, p.Problems = config.Load(p.File)
	p.Notes = notes(p.Config, p.Problems)
	p.Workers, p.Now = worker.Defaults(), time.Now()
	p.Postconf, p.Sendmail = findMTA(p.Postfix, p.Sendmail)
	p.User = cmp.Or(p.User, findUser(p.Config.Milter))
	return p
}

// notes returns what in a configuration that can be used is probably a mistake.
func notes(c *config.Config, problems error) (list config.Problems) {
	if problems != nil {
		return nil
	}
	errors.As(c.Contradictions(pipeline.Catalogue()), &list)
	return append(list, c.Notes(pipeline.Catalogue())...)
}

// count counts the findings of a level.
func count(found []doctor.Finding, level doctor.Level) (n int) {
	for _, one := range found {
		if one.Level == level {
			n++
		}
	}
	return n
}

// findingsJSON prints what was found for programs.
func findingsJSON(std cli.Streams, found []doctor.Finding) int {
	type finding struct {
		Level string `json:"level"` // ok, advice, fault
		Check string `json:"check"`
		What  string `json:"what"`
		Fix   string `json:"fix,omitempty"`
	}
	list := []finding{}
	for _, one := range found {
		list = append(list, finding{strings.ToLower(one.Level.String()), one.Check, one.What, one.Fix})
	}
	faults := count(found, doctor.Fault)
	show.JSON(std.Out, map[string]any{"healthy": faults == 0, "faults": faults, "findings": list})
	if faults > 0 {
		return cli.ExitFound
	}
	return cli.ExitOK
}

// nagiosLine prints what was found as a plugin of Nagios does: the worst of it.
func nagiosLine(std cli.Streams, found []doctor.Finding) int {
	faults, advice := count(found, doctor.Fault), count(found, doctor.Advice)
	line := func(state string, status int, level doctor.Level, n int) int {
		first := found[slices.IndexFunc(found, func(f doctor.Finding) bool { return f.Level == level })]
		fmt.Fprintf(std.Out, "MILTERSCAN %s - %d of %d checks, first: %s: %s\n", state, n, len(found), first.Check,
			strings.ReplaceAll(show.Printable(first.What), "|", "/"))
		return status
	}
	switch {
	case faults > 0:
		return line("CRITICAL", cli.ExitError, doctor.Fault, faults)
	case advice > 0:
		return line("WARNING", cli.ExitFound, doctor.Advice, advice)
	}
	fmt.Fprintf(std.Out, "MILTERSCAN OK - %d checks\n", len(found))
	return cli.ExitOK
}

// showFinding writes a finding, and below it what to do.
func showFinding(std cli.Streams, f doctor.Finding) {
	fmt.Fprintf(std.Out, "%-7s %-14s %s\n", f.Level, f.Check, show.Printable(f.What))
	if f.Fix != "" {
		fmt.Fprintf(std.Out, "%-7s %-14s fix: %s\n", "", "", show.Printable(f.Fix))
	}
}

// findMTA returns the program that shows Postfix' settings, and the file with
// Sendmail's; "" for an MTA that is not there.
func findMTA(postfix, sendmail string) (postconf, cf string) {
	const system = "/etc/mail/sendmail.cf"
	program, err := exec.LookPath("postconf")
	if _, there := os.Stat("/etc/postfix/main.cf"); err == nil && (postfix != "" || there == nil && sendmail == "") {
		return program, sendmail
	}
	if _, err := os.Stat(system); err == nil && sendmail == "" {
		sendmail = system
	}
	return "", sendmail
}

// findUser returns the user that the daemon runs as: the owner of a socket it has made, else the
// user of the package if there is one, else the user who asks.
func findUser(m config.Milter) string {
	for _, a := range m.Listen {
		path, isUnix := strings.CutPrefix(string(a), "unix:")
		given, _, _ := strings.Cut(m.SocketOwner, ":")
		if name := ownerOf(path); isUnix && given == "" && name != "" {
			return name
		}
	}
	if u, err := user.Lookup(cli.DaemonUser); err == nil {
		return u.Username
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}

// ownerOf returns the name of the owner of a socket, "" if there is none.
func ownerOf(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(owner.Uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}
