// Package child lets the binary of a test start itself as the program's child that
// reads archives.
package child

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/milterscan/milterscan/scan/open/worker"
)

// Main runs the tests of a package and returns the exit status. In a child it reads
// archives instead, and does not return. It is called by TestMain of every package
// whose tests judge mail by the whole program.
func Main(run func() int) int {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(worker.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	before := exists(state)
	status := run()
	if !before && exists(state) {
		fmt.Fprintf(os.Stderr, "a test made %s: give its configuration files and directories of its own\n", state)
		return 1
	}
	return status
}

// state is where the program keeps things if nothing else is configured; tests keep
// out of it.
const state = "/var/lib/milterscan"

// exists reports whether there is such a file.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Run runs the tests; a TestMain that needs nothing else calls it.
func Run(m *testing.M) { os.Exit(Main(m.Run)) }

// Watched runs the tests like Run, and then looks for goroutines that outlive them. The
// spool drops spare files from time to time, which may be at that moment.
func Watched(m *testing.M) {
	goleak.VerifyTestMain(tests(func() int { return Main(m.Run) }),
		goleak.IgnoreAnyFunction("github.com/milterscan/milterscan/scan/spool.(*Spool).dropSpares"))
}

// tests are what goleak runs.
type tests func() int

// Run runs them.
func (t tests) Run() int { return t() }
