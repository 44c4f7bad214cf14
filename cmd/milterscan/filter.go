package main

import (
	"context"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/filter"
)

// filterMail judges the one mail on standard input as the daemon would: by the
// daemon itself, where one is running. Mail to be delivered goes to standard
// output, which is empty unless the status is 0, or to the program named after
// "--", whose status is ours then.
func filterMail(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("filter", "[-c FILE] [--from A] [--to B]... [--client IP] [--helo H] [--auth USER] [-- PROGRAM "+
		"ARGUMENT...] <MAIL >RESULT", std)
	path := cli.ConfigFlag(f)
	about := cli.DeliveryFlags(f)
	if status, ok := cli.ParseProgram(f, args); !ok {
		return status
	}
	env, err := about.Envelope()
	if err == nil && f.NArg() > 0 && !filepath.IsAbs(f.Arg(0)) {
		err = fmt.Errorf("%q is no absolute path of a program", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan filter:", err)
		return cli.ExitUsage
	}
	// A reader that is gone is an error to be told, not the end of us.
	signal.Ignore(syscall.SIGPIPE)
	c, err := cli.Load(*path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return cli.ExitConfig
	}
	job := filter.Job{Config: c, Envelope: env, Streams: std, Program: f.Args()}
	return job.Run(ctx)
}
