package past

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// errNoHistory says that there is no history to read.
var errNoHistory = errors.New("there is no history")

// openedHistory is the history as a command reads it.
type openedHistory struct {
	*store.History
	back func()
}

// Close closes the history.
func (r *openedHistory) Close() {
	r.History.Close()
	r.back()
}

// mustOpenHistory opens the history that the configuration names, or returns nil and the
// exit status after saying why not.
func mustOpenHistory(name, path string, std cli.Streams) (*openedHistory, int) {
	c, err := cli.Load(path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return nil, cli.ExitConfig
	}
	h, err := openHistory(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	if err != nil {
		fmt.Fprintf(std.Err, "milterscan %s: %v\n", name, err)
		return nil, cli.ExitError
	}
	return h, cli.ExitOK
}

// openHistory opens the history a command reads, as its owner if root has called the
// command. The error is errNoHistory if there is none.
func openHistory(c *config.Config, warn func(error)) (*openedHistory, error) {
	file := c.History.File
	if file == "" {
		return nil, fmt.Errorf("%w: set history.file", errNoHistory)
	}
	back, err := cli.AsOwner(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	if err := readable(file); err != nil {
		back()
		return nil, err
	}
	return &openedHistory{store.NewHistory(file, warn), back}, nil
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
