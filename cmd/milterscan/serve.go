package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/daemon"
)

// serve answers the MTA until it is told to stop.
func serve(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("serve", "[-c FILE]", std)
	path := cli.ServiceFlag(f)
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	d, status := daemon.New(cli.File(*path), release, std.Err)
	if d == nil {
		return status
	}
	return d.Run(ctx, hup)
}
