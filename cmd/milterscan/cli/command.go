package cli

import (
	"fmt"
	"strings"
)

// CommandOf takes the name of a command out of its arguments. The configuration
// may be named before it.
func CommandOf(args []string) (name string, rest []string) {
	var before []string
	for len(args) > 0 {
		switch arg := args[0]; {
		case (arg == "-c" || arg == "--c") && len(args) > 1:
			before, args = append(before, arg, args[1]), args[2:]
		case strings.HasPrefix(arg, "-c=") || strings.HasPrefix(arg, "--c="):
			before, args = append(before, arg), args[1:]
		default:
			return arg, append(before, args[1:]...)
		}
	}
	return "", before
}

// NoCommand says why a word is no command.
func NoCommand(name string) string {
	if strings.HasPrefix(name, "-") {
		return fmt.Sprintf("options such as %s come after the command", name)
	}
	return fmt.Sprintf("%q is not a command", name)
}
