package main

import (
	"context"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/user"
)

// users looks after the accounts of the console.
func users(ctx context.Context, args []string, std cli.Streams) int {
	return user.Run(ctx, args, std, caller())
}

// tokens looks after the tokens of programs.
func tokens(ctx context.Context, args []string, std cli.Streams) int {
	return user.RunToken(ctx, args, std, caller())
}

// audited lists what was looked at and done in the console.
func audited(ctx context.Context, args []string, std cli.Streams) int {
	return user.Audit(ctx, args, std)
}
