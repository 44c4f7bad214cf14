package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// examine looks at the installation and says what is wrong with it, and what to do.
func examine(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("doctor", "[-c FILE] [-postfix DIR] [-sendmail FILE] [-user NAME] [-v]", std)
	path := f.String("c", cli.DefaultFile, "configuration `file`")
	postfix := f.String("postfix", "", "Postfix' configuration `directory`; without it Postfix' own, if Postfix is installed")
	sendmail := f.String("sendmail", "", "sendmail.cf; without it /etc/mail/sendmail.cf, if it is there and Postfix is not")
	as := f.String("user", "", "whom the daemon runs as; without it "+cli.DaemonUser+", if there is such a user")
	verbose := f.Bool("v", false, "show what is well, too")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	c, err := config.Load(*path)
	p := &doctor.Installation{File: *path, Config: c, Problems: err, Postfix: *postfix, Sendmail: *sendmail, User: *as, Workers: worker.Defaults(), Now: time.Now()}
	p.Postconf, p.Sendmail = findMTA(p.Postfix, p.Sendmail)
	p.User = cmp.Or(p.User, findUser())
	faults := 0
	found := p.Examine(ctx)
	for _, one := range found {
		if one.Level == doctor.Fault {
			faults++
		}
		if one.Level != doctor.OK || *verbose {
			showFinding(std, one)
		}
	}
	if faults > 0 {
		fmt.Fprintf(std.Out, "faults: %d\n", faults)
		return cli.ExitFound
	}
	fmt.Fprintf(std.Out, "healthy: %d checks, no fault\n", len(found))
	return cli.ExitOK
}

// showFinding writes a finding, and below it what to do.
func showFinding(std cli.Streams, f doctor.Finding) {
	fmt.Fprintf(std.Out, "%-7s %-14s %s\n", f.Level, f.Check, show.Printable(f.What))
	if f.Fix != "" {
		fmt.Fprintf(std.Out, "%-7s %-14s fix: %s\n", "", "", show.Printable(f.Fix))
	}
}

// findMTA is the program that shows Postfix' settings, and the file with
// Sendmail's; "" for what is not there.
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

// findUser is the daemon's user if there is one, else whoever asks.
func findUser() string {
	if u, err := user.Lookup(cli.DaemonUser); err == nil {
		return u.Username
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}
