package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// setUp hooks milterscan into an MTA, or takes it out again. Everything that
// would be done is shown first.
func setUp(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("setup", "[-c FILE] [--dry-run [--json] | --yes] [--uninstall] [--dir D] [--program P] ["+
		strings.Join(setup.Names(), "|")+"]", std)
	s := installer{std: std, answers: bufio.NewReader(std.In)}
	named := cli.ConfigFlagFor(f, "milterscan's configuration `file`, which says where it listens",
		", else what is shipped")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what would be done, and do nothing")
	f.BoolVar(&s.json, "json", false, "with --dry-run and the name of an MTA: print what would be done as a JSON object")
	f.BoolVar(&s.yes, "yes", false, "do not ask")
	uninstall := f.Bool("uninstall", false, "take milterscan out again; files that were not changed since become what they were")
	f.StringVar(&s.at.Dir, "dir", "", "`directory` of the MTA's configuration, if not the usual one")
	f.StringVar(&s.at.Program, "program", "", "the MTA's main `program`: postconf, sendmail or exim")
	f.StringVar(&s.site.State, "state", setup.StateDir, "`directory` in which the old contents are kept")
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() > 1 || s.json && (!s.dryRun || f.NArg() == 0) {
		f.Usage()
		return cli.ExitUsage
	}
	s.config = *named
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
	json        bool
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

// agreed asks the administrator whether to go on.
func (s *installer) agreed() bool {
	if s.yes {
		return true
	}
	fmt.Fprint(s.std.Out, "\nDo it? [y/N] ")
	answer, _ := s.answers.ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// errNotAgreed ends a setup that was declined.
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
	us, key, err := s.ourselves()
	if err != nil {
		return err
	}
	plan, err := mta.Plan(ctx, us)
	there := errors.Is(err, setup.ErrNothingToDo)
	if s.json && (err == nil || there) {
		return s.showJSON(plan, there || plan == nil)
	}
	if there {
		fmt.Fprintln(s.std.Out, err)
	}
	if err != nil && !there || plan == nil {
		return ignore(err, setup.ErrNothingToDo)
	}
	probe := &setup.Probe{Address: plan.Address, SMTP: plan.SMTP, Running: len(plan.Reload) > 0, Key: key, Out: s.std.Out}
	if !there {
		plan.Print(s.std.Out)
		fmt.Fprintln(s.std.Out, "  "+probe.String())
	}
	if s.dryRun {
		return nil
	}
	if name != "exim" && !setup.Listening(plan.Address) {
		return fmt.Errorf("milterscan is not listening at %s, so all mail would be deferred; start it first. Nothing was done", plan.Address)
	}
	if there {
		if err := probe.Prepare(ctx); err != nil {
			return err
		}
		return probe.Run(ctx)
	}
	return s.apply(ctx, plan, probe)
}

// showJSON prints what would be done: null if everything is there already.
func (s *installer) showJSON(plan *setup.Plan, there bool) error {
	shown := map[string]any{"nothing_to_do": there, "plan": nil}
	if !there {
		shown["plan"] = plan.View()
	}
	show.JSON(s.std.Out, shown)
	return nil
}

// ignore returns an error unless it is the other one.
func ignore(err, other error) error {
	if errors.Is(err, other) {
		return nil
	}
	return err
}

// apply asks, does what the plan says, and probes.
func (s *installer) apply(ctx context.Context, plan *setup.Plan, probe *setup.Probe) error {
	if !s.agreed() {
		return errNotAgreed
	}
	if err := probe.Prepare(ctx); err != nil {
		return fmt.Errorf("%w. Nothing was done", err)
	}
	if err := s.site.Apply(ctx, plan, probe.Run); err != nil {
		return err
	}
	name, when := plan.MTA.Name, "from now on"
	if !probe.Running && probe.SMTP != "" {
		when = "when it is started; call setup again then, to see that it does"
	}
	fmt.Fprintf(s.std.Out, "\n%s asks milterscan %s. \"milterscan setup --uninstall %s\" undoes it.\n", name, when, name)
	return nil
}

// undoEarlier undoes what an interrupted setup has left.
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

// uninstall shows, asks, and takes milterscan out. A configuration of milterscan's
// that is broken does not keep it from that.
func (s *installer) uninstall(ctx context.Context, name string) error {
	if err := s.undoEarlier(ctx, name); err != nil {
		return err
	}
	mta, err := setup.Lookup(ctx, name, s.at)
	if err != nil {
		return err
	}
	us, _, err := s.ourselves()
	if err != nil {
		fmt.Fprintln(s.std.Err, "milterscan setup:", err)
	}
	plan, err := s.site.Removal(ctx, mta, us)
	if err != nil {
		return err
	}
	if s.json {
		return s.showJSON(plan, false)
	}
	plan.Print(s.std.Out)
	if s.dryRun {
		return nil
	}
	if !s.agreed() {
		return errNotAgreed
	}
	if err := s.site.TakeOut(ctx, plan); err != nil {
		return err
	}
	fmt.Fprintf(s.std.Out, "\n%s does not ask milterscan any more.\n", name)
	return nil
}

// ourselves returns the addresses and answers of milterscan that an MTA has to know, and
// the key by which the daemon knows a probe.
func (s *installer) ourselves() (us setup.Us, key func() ([]byte, error), err error) {
	c, err := cli.Load(s.config)
	if err != nil {
		return us, nil, err
	}
	us.Daemon = findUser(c.Milter)
	if len(c.Milter.Listen) == 0 {
		return us, nil, errors.New("milterscan listens nowhere: set milter.listen")
	}
	for _, a := range c.Milter.Listen {
		us.Listen = append(us.Listen, string(a))
	}
	return us, func() ([]byte, error) { return setup.ProbeKey(c.Quarantine.Key()) }, nil
}
