package past

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// errNoHistory says that there is no history to read.
var errNoHistory = errors.New("there is no history")

// Opened is the history as a command reads it. The command closes it.
type Opened struct {
	history.Store
	close func()
}

// Close closes the history.
func (r *Opened) Close() { r.close() }

// mustOpenHistory opens the history that the configuration names, or returns nil and the
// exit status after saying why not.
func mustOpenHistory(name, path string, std cli.Streams) (*Opened, int) {
	h, _, status := Open(name, path, std)
	return h, status
}

// Open opens the history that the configuration names for a command of that name, as its owner if root has called
// it. The history is nil if that fails: the command has said why then, and ends with the status.
func Open(name, path string, std cli.Streams) (h *Opened, c *config.Config, status int) {
	c, err := cli.Load(path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return nil, nil, cli.ExitConfig
	}
	h, err = openHistory(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	if err != nil {
		fmt.Fprintf(std.Err, "milterscan %s: %v\n", name, err)
		return nil, nil, cli.ExitError
	}
	return h, c, cli.ExitOK
}

// openHistory opens the history a command reads, as its owner if root has called the
// command. The error is errNoHistory if there is none.
func openHistory(c *config.Config, warn func(error)) (*Opened, error) {
	file := c.History.File
	if file == "" {
		return nil, fmt.Errorf("%w: set history.file", errNoHistory)
	}
	back, err := cli.AsOwner(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	if c.Store.URL == "" {
		if err := readable(file); err != nil {
			back()
			return nil, err
		}
	}
	stores := pipeline.StoresOf(c, warn)
	return &Opened{stores.History(c), func() {
		stores.Close()
		back()
	}}, nil
}

// readable returns an error if a file cannot be read.
func readable(file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w at %q: the daemon makes it with the first mail; see [history] in the configuration", errNoHistory, file)
	}
	if err != nil {
		return cli.Denied(err, file)
	}
	return f.Close()
}
