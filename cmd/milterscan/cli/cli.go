// Package cli is what all commands have in common: the files they talk through,
// their exit statuses, and the flags that several of them take.
package cli

import (
	"cmp"
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

// FileVariable is the variable of the environment that names the configuration file for calls
// without -c. The directory of the caller is no place to look for one: a configuration names programs that
// are run, and root may be called from anywhere.
const FileVariable = "MILTERSCAN_CONFIG"

// ConfigFlag registers the flag that names the configuration file, for Load.
func ConfigFlag(f *Options) *string {
	return ConfigFlagFor(f, "configuration `file`", ", else what is shipped")
}

// ServiceFlag registers the flag that names the configuration file of the service, for File: without a file
// there is nothing to serve or to examine.
func ServiceFlag(f *Options) *string { return ConfigFlagFor(f, "configuration `file`", "") }

// ConfigFlagFor registers a flag that names the configuration file. what describes it in the help, and otherwise says
// which one is taken where none is found.
func ConfigFlagFor(f *Options, what, otherwise string) *string {
	there := ""
	if otherwise != "" {
		there = " if there"
	}
	return f.String("c", "", what+"; without it the one that $"+FileVariable+" names, else "+DefaultFile+there+otherwise)
}

// File returns the configuration file of a call: the one that -c named, else that of the environment, else
// that of the system.
func File(named string) string { return cmp.Or(named, os.Getenv(FileVariable), DefaultFile) }

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

// Load reads the named configuration; where none is named, the one that File finds, and the shipped one if
// nothing names a file and the system has none.
func Load(path string) (*config.Config, error) {
	if NoFile(path) {
		return config.Default(), nil
	}
	c, err := config.Load(File(path))
	if err != nil && path == "" && os.Getenv(FileVariable) != "" {
		err = fmt.Errorf("%w\nThe environment names this file, by %s", err, FileVariable)
	}
	return c, err
}

// NoFile reports whether nothing names a configuration file, and the system has none.
func NoFile(path string) bool {
	if path != "" || os.Getenv(FileVariable) != "" {
		return false
	}
	_, err := os.Stat(DefaultFile)
	return errors.Is(err, fs.ErrNotExist)
}
