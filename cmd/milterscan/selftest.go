package main

import (
	"context"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/selftest"
)

// testItself makes mail with a harmless payload that programs read in different
// ways, and shows how this filter, or any other, fares with it.
func testItself(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("selftest", "[-c FILE] [--family F] [--huge] [--dir D | --smtp HOST:PORT --to A]", std)
	path := cli.ConfigFlag(f)
	family := f.String("family", "", "only this `family`, such as H1")
	huge := f.Bool("huge", false, "also mail of megabytes, up to one gigabyte")
	dir := f.String("dir", "", "write the mail into this `directory`, one file each")
	server := f.String("smtp", "", "send the mail to the server at `host:port`")
	to := f.String("to", "", "the `address` the mail is sent to")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	cases := selftest.Stock(*family, *huge)
	switch {
	case f.NArg() > 0 || (*server != "") != (*to != "") || *dir != "" && *server != "":
		f.Usage()
		return cli.ExitUsage
	case *dir != "":
		return made(std, selftest.Write(*dir, cases, std.Out))
	case *server != "":
		return made(std, selftest.Send(ctx, *server, *to, cases, std.Out))
	}
	p, status := openPipeline(*path, std.Err)
	if p == nil {
		return status
	}
	defer p.Close()
	return selftest.Judge(ctx, p, cases, std.Out)
}

// made prints the error of a self-test that only makes mail, and returns its exit status.
func made(std cli.Streams, err error) int {
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan selftest:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}
