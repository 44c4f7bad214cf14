package cli

import (
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// Told registers --json, and returns what prints something that was done: a line for persons, where there is one,
// or an object for programs.
func Told(f *Options, std Streams) func(object map[string]any, line string, args ...any) {
	asJSON := f.Bool("json", false, "print one JSON object a line for what was done")
	return func(object map[string]any, line string, args ...any) {
		switch {
		case *asJSON:
			show.JSON(std.Out, object)
		case line != "":
			fmt.Fprintf(std.Out, line+"\n", args...)
		}
	}
}
