package cli

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/policy/config"
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

// NoCommand says why a word is none of the commands, and which may have been meant.
func NoCommand(name string, all []Command) string {
	if strings.HasPrefix(name, "-") {
		return fmt.Sprintf("options such as %s come after the command", name)
	}
	text := fmt.Sprintf("%q is not a command", name)
	if best := config.Nearest(name, Names(all)); best != "" {
		text += fmt.Sprintf("; did you mean %q?", best)
	}
	return text
}

// Names returns the names of commands.
func Names(all []Command) []string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}
