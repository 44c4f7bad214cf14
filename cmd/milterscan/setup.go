package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
)

// setUp hooks milterscan into an MTA, or takes it out again. Everything that
// would be done is shown first.
func setUp(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("setup", "[-c FILE] [--dry-run | --yes] [--uninstall] [--dir D] [--program P] ["+strings.Join(setup.Names(), "|")+"]", std)
	s := installer{std: std, answers: bufio.NewReader(std.In)}
	f.StringVar(&s.config, "c", "", "milterscan's configuration `file`, which says where it listens")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what would be done, and do nothing")
	f.BoolVar(&s.yes, "yes", false, "do not ask")
	uninstall := f.Bool("uninstall", false, "put every file back as it was before")
	f.StringVar(&s.at.Dir, "dir", "", "`directory` of the MTA's configuration, if not the usual one")
	f.StringVar(&s.at.Program, "program", "", "the MTA's main `program`: postconf, sendmail or exim")
	f.StringVar(&s.site.State, "state", setup.StateDir, "`directory` in which the old contents are kept")
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() > 1 {
		f.Usage()
		return cli.ExitUsage
	}
	name := f.Arg(0)
	if name == "" {
		if name = s.choose(ctx); name == "" {
			return cli.ExitUsage
		}
	}
	do := s.install
	if *uninstall {
		do = s.uninstall
	}
	if err := do(ctx, name); err != nil {
		fmt.Fprintln(std.Err, "milterscan setup:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}

// installer is one call of setup.
type installer struct {
	std         cli.Streams
	answers     *bufio.Reader
	config      string
	dryRun, yes bool
	at          setup.Place
	site        setup.Site
}

// choose lists the MTAs of this host and asks for one; "" is none.
func (s *installer) choose(ctx context.Context) string {
	found := setup.Find(ctx)
	if len(found) == 0 {
		fmt.Fprintf(s.std.Err, "milterscan setup: found none of %s here\n", strings.Join(setup.Names(), ", "))
		return ""
	}
	fmt.Fprintln(s.std.Out, "Found here:")
	for _, m := range found {
		fmt.Fprintf(s.std.Out, "  %-9s %-10s %-13s %s\n", m.Name, m.Version, m.Dir, strings.Join(m.Hooks, "; "))
	}
	fmt.Fprintf(s.std.Out, "Which one? [%s] ", found[0].Name)
	answer, err := s.answers.ReadString('\n')
	if answer = strings.TrimSpace(answer); answer != "" {
		return answer
	}
	if err != nil {
		fmt.Fprintln(s.std.Out)
		return ""
	}
	return found[0].Name
}

// agreed asks whether to go on.
func (s *installer) agreed() bool {
	if s.yes {
		return true
	}
	fmt.Fprint(s.std.Out, "\nDo it? [y/N] ")
	answer, _ := s.answers.ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// errNotAgreed ends a setup that nobody wanted.
var errNotAgreed = errors.New("nothing was done")

// install shows, asks, and sets up.
func (s *installer) install(ctx context.Context, name string) error {
	if err := s.undoEarlier(ctx, name); err != nil {
		return err
	}
	mta, err := setup.Lookup(ctx, name, s.at)
	if err != nil {
		return err
	}
	address, err := s.socket(name)
	if err != nil {
		return err
	}
	plan, err := mta.Plan(ctx, address)
	if errors.Is(err, setup.ErrNothingToDo) {
		fmt.Fprintln(s.std.Out, err)
		return nil
	}
	if err != nil {
		return err
	}
	plan.Print(s.std.Out)
	probe := setup.Probe{Address: address, SMTP: plan.SMTP, Running: len(plan.Reload) > 0, Out: s.std.Out}
	fmt.Fprintln(s.std.Out, "  "+probe.String())
	if s.dryRun {
		return nil
	}
	if name != "exim" && !setup.Listening(address) {
		return fmt.Errorf("milterscan is not listening at %s, so all mail would be deferred; start it first. Nothing was done", address)
	}
	if !s.agreed() {
		return errNotAgreed
	}
	if err := s.site.Apply(ctx, plan, probe.Run); err != nil {
		return err
	}
	fmt.Fprintf(s.std.Out, "\n%s asks milterscan from now on. \"milterscan setup --uninstall %s\" undoes it.\n", name, name)
	return nil
}

// undoEarlier undoes what an interrupted setup has left behind.
func (s *installer) undoEarlier(ctx context.Context, name string) error {
	if s.dryRun {
		return nil
	}
	was, err := s.site.Recover(ctx, name)
	if was && err == nil {
		fmt.Fprintf(s.std.Out, "An earlier setup of %s was interrupted; everything is as it was before it.\n", name)
	}
	return err
}

// uninstall shows, asks, and puts everything back.
func (s *installer) uninstall(ctx context.Context, name string) error {
	plan, err := s.site.Removal(name)
	if err != nil {
		return err
	}
	plan.Print(s.std.Out)
	if s.dryRun {
		return nil
	}
	if !s.agreed() {
		return errNotAgreed
	}
	if err := s.site.Uninstall(ctx, name); err != nil {
		return err
	}
	fmt.Fprintf(s.std.Out, "\nEvery file of %s is as it was before.\n", name)
	return nil
}

// socket is the address of ours that suits the MTA best: for Postfix one below
// its queue directory, where there is one, since it may be in a chroot.
func (s *installer) socket(name string) (string, error) {
	c, err := cli.Load(s.config)
	if err != nil {
		return "", err
	}
	if len(c.Milter.Listen) == 0 {
		return "", errors.New("milterscan listens nowhere: set milter.listen")
	}
	for _, a := range c.Milter.Listen {
		if inSpool := strings.Contains(string(a), "/spool/"); name == "postfix" && inSpool {
			return string(a), nil
		}
	}
	return string(c.Milter.Listen[0]), nil
}
