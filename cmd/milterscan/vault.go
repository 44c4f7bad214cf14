package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/token"
)

// vault is the quarantine as a command sees it.
type vault struct {
	cli.Streams
	name   string // of the command, for errors
	by     string // who has called it
	config *config.Config
	dir    *quarantine.Dir
	close  func()
}

// openVault reads the arguments of a quarantine command, which goes on as the owner of
// the quarantine if root has called it. Unless ok, the command ends with the status.
func openVault(f *cli.Options, args []string, std cli.Streams, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (v *vault, status int, ok bool) {
	path := cli.ConfigFlag(f)
	if status, ok := parse(f, args); !ok {
		return nil, status, false
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return nil, f.Refuse(err), false
		}
	}
	c, err := cli.Load(*path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return nil, cli.ExitConfig, false
	}
	v = &vault{Streams: std, name: f.Name(), by: caller(), config: c}
	back, err := cli.AsOwner(c.Quarantine.Dir)
	if err != nil {
		return nil, v.fail(err), false
	}
	kept := pipeline.NewStores()
	kept.Warn = func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) }
	v.dir, v.close = kept.Quarantine(c.Quarantine.Dir), func() { kept.Close(); back() }
	return v, cli.ExitOK, true
}

// each does something with every message that is named, and returns the exit status.
func (v *vault) each(ctx context.Context, names []string, do func(id string) error) int {
	if len(names) == 0 {
		return v.misused("no id is given")
	}
	status := cli.ExitOK
	for _, name := range names {
		id, err := v.dir.Resolve(ctx, name)
		if err == nil {
			err = do(id)
		}
		if err != nil {
			status = v.fail(fmt.Errorf("%s: %w", show.Printable(name), err))
		}
	}
	return status
}

// misused says what a call lacks.
func (v *vault) misused(what string) int {
	fmt.Fprintf(v.Err, "milterscan %s: %s; nothing was done\n", v.name, what)
	return cli.ExitUsage
}

// fail reports an error and returns the exit status for it.
func (v *vault) fail(err error) int {
	fmt.Fprintf(v.Err, "milterscan %s: %v\n", v.name, cli.Denied(err, v.config.Quarantine.Dir))
	if errors.Is(err, quarantine.ErrUnknown) {
		return cli.ExitFound
	}
	return cli.ExitError
}

// exit returns the way out, for whoever has called the command.
func (v *vault) exit() quarantine.Exit {
	from, host := pipeline.Author(v.config)
	return quarantine.Exit{
		From:   from,
		Host:   host,
		Store:  v.dir,
		Sender: v.config.Submission.Via,
		Key:    token.KeyFile(v.config.Quarantine.Key()).Make,
		Now:    time.Now,
		By:     v.by,
	}
}

// caller returns who is doing this: after sudo, whoever called it.
func caller() string {
	for _, name := range []string{os.Getenv("SUDO_USER"), currentUser()} {
		if name != "" {
			return name
		}
	}
	return "unknown"
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
