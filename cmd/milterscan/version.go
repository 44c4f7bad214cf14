package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// release is the version of this source.
const release = "0.1.0"

// revision is the commit the binary was built from, set by the linker.
var revision string

// version prints what was built from what.
func version(_ context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("version", "", std)
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	name := release
	if revision != "" {
		name += "+" + revision
	}
	fmt.Fprintf(std.Out, "milterscan %s %s %s/%s\n", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return cli.ExitOK
}
