// Package cli is what all commands have in common: the files they talk through,
// their exit statuses, and the flags that several of them take.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/milterscan/milterscan/policy/config"
)

// Exit statuses, as in sysexits(3) where it has one.
const (
	ExitOK          = 0
	ExitFound       = 1  // scan: something is not delivered
	ExitError       = 2  // scan: something could not be read
	ExitUsage       = 64 // the command line is wrong
	ExitRefused     = 69 // filter: the message is refused
	ExitSoftware    = 70
	ExitTempfail    = 75 // filter: try again later
	ExitConfig      = 78 // the configuration is wrong
	ExitNothingLeft = 99 // filter: accepted, and nothing to pass on
)

// Streams are the three files a command talks through.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Command is one subcommand, or a group of them.
type Command struct {
	Name  string
	About string
	Run   func(ctx context.Context, args []string, std Streams) int // nil for a group
	Sub   []Command                                                 // of a group
}

// DefaultFile is the configuration file that is read where no other is named.
const DefaultFile = "/etc/milterscan/milterscan.toml"

// ConfigFlag registers the flag that names the configuration file, for Load.
func ConfigFlag(f *Options) *string {
	return f.String("c", "", "configuration `file`; without it "+DefaultFile+" if there, else what is shipped")
}

// Configured reads the arguments of a command as parse does, lets the checks look at them,
// and loads the configuration that they name. Unless ok, the command ends with the status.
func Configured(f *Options, args []string, std Streams, parse func(*Options, []string) (int, bool),
	checks ...func() error) (c *config.Config, status int, ok bool) {
	path := ConfigFlag(f)
	if status, ok := parse(f, args); !ok {
		return nil, status, false
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return nil, f.Refuse(err), false
		}
	}
	c, err := Load(*path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return nil, ExitConfig, false
	}
	return c, ExitOK, true
}

// Load reads the named configuration; where none is named, the one of the
// system if there is one, and else the shipped one.
func Load(path string) (*config.Config, error) {
	if path != "" {
		return config.Load(path)
	}
	if _, err := os.Stat(DefaultFile); errors.Is(err, fs.ErrNotExist) {
		return config.Default(), nil
	}
	return config.Load(DefaultFile)
}
