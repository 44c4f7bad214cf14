package main

import (
	"context"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/digests"
)

// digested looks after the mail by which people are told of the mail that is kept back from them.
func digested(ctx context.Context, args []string, std cli.Streams) int {
	return digests.Run(ctx, args, std)
}
