package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// release is the version of this source.
const release = "0.1.0"

// revision is the commit the binary was built from, set by the linker.
var revision string

// version prints what was built from what.
func version(_ context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("version", "[--json]", std)
	asJSON := f.Bool("json", false, "print a JSON object")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	if *asJSON {
		show.JSON(std.Out, map[string]string{"version": release, "revision": revision, "go": runtime.Version(), "os": runtime.GOOS,
			"arch": runtime.GOARCH})
		return cli.ExitOK
	}
	fmt.Fprintln(std.Out, versionLine())
	return cli.ExitOK
}

// versionLine says on one line what was built from what.
func versionLine() string {
	name := release
	if revision != "" {
		name += "+" + revision
	}
	return fmt.Sprintf("milterscan %s %s %s/%s", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
