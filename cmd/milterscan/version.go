package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the version of this source; a build may add its revision.
const release = "0.1.0"

// version prints what was built from what.
func version(_ context.Context, args []string, std streams) int {
	f := flags("version", "", std)
	if status, ok := parse(f, args); !ok {
		return status
	}
	fmt.Fprintf(std.out, "milterscan %s%s %s %s/%s\n", release, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}

// revision is the commit the binary was built from, if the build recorded one.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "+" + s.Value[:12]
		}
	}
	return ""
}
