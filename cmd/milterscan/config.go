package main

import (
	"context"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/policy/config"
)

// printConfig prints the example configuration.
func printConfig(_ context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("config", "", std)
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	fmt.Fprint(std.Out, config.Example())
	return cli.ExitOK
}
