package main

import (
	"context"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/lists"
)

// listSenders changes and shows the lists of senders.
func listSenders(ctx context.Context, args []string, std cli.Streams) int {
	return lists.Run(ctx, args, std, caller())
}
