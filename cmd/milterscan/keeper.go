package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// keeper is the quarantine as a command sees it.
type keeper struct {
	cli.Streams
	name   string // of the command, for errors
	by     string // the user who called it
	config *config.Config
	kept   quarantine.Store
	stores *pipeline.Stores
	close  func()
}

// openKeeper reads the arguments of a quarantine command, which goes on as the owner of
// the quarantine if root has called it. Unless ok, the command ends with the status.
func openKeeper(f *cli.Options, args []string, std cli.Streams, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (k *keeper, status int, ok bool) {
	c, status, ok := cli.Configured(f, args, std, parse, checks...)
	if !ok {
		return nil, status, false
	}
	k = &keeper{Streams: std, name: f.Name(), by: caller(), config: c}
	back, err := cli.AsOwner(c.Quarantine.Dir)
	if err != nil {
		return nil, k.fail(err), false
	}
	stores := pipeline.StoresOf(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	k.kept, k.stores, k.close = stores.Quarantine(c), stores, func() { stores.Close(); back() }
	return k, cli.ExitOK, true
}

// each calls do with the id of every message that is named, and returns the exit status.
func (k *keeper) each(ctx context.Context, names []string, do func(id string) error) int {
	if len(names) == 0 {
		return k.misused("no id is given")
	}
	status := cli.ExitOK
	for _, name := range names {
		id, err := quarantine.Resolve(ctx, k.kept, name)
		if err == nil {
			err = do(id)
		}
		if err != nil {
			status = k.fail(fmt.Errorf("%s: %w", show.Printable(name), err))
		}
	}
	return status
}

// misused prints the error of a call that lacks something, and returns the exit status.
func (k *keeper) misused(what string) int {
	fmt.Fprintf(k.Err, "milterscan %s: %s; nothing was done\n", k.name, what)
	return cli.ExitUsage
}

// fail reports an error and returns the exit status for it.
func (k *keeper) fail(err error) int {
	fmt.Fprintf(k.Err, "milterscan %s: %v\n", k.name, cli.Denied(err, k.config.Quarantine.Dir))
	if errors.Is(err, quarantine.ErrUnknown) {
		return cli.ExitFound
	}
	return cli.ExitError
}

// releaser returns the releaser, in the name of the caller of the command.
func (k *keeper) releaser() quarantine.Releaser { return pipeline.Releaser(k.config, k.kept, k.by) }

// caller returns the name of the user: after sudo, of the user who called it.
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
