package main

import (
	"context"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/who"
)

// shownPeople says who is who.
func shownPeople(ctx context.Context, args []string, std cli.Streams) int {
	return who.Run(ctx, args, std)
}
