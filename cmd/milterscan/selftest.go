package main

import (
	"context"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/selftest"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// testItself makes mail with a harmless payload that programs read in different
// ways, and shows how this filter, or any other, fares with it.
func testItself(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("selftest",
		"[-c FILE] [--family F] [--huge] [--dir D | --smtp HOST:PORT --to A | --eicar [--smtp HOST:PORT] [--to A]]", std)
	path := cli.ConfigFlag(f)
	family := f.String("family", "", "only this `family`, such as H1")
	huge := f.Bool("huge", false, "also mail of megabytes, up to one gigabyte")
	dir := f.String("dir", "", "write the mail into this `directory`, one file each")
	server := f.String("smtp", "", "send the mail to the server at `host:port`")
	to := f.String("to", "", "the `address` the mail is sent to")
	eicar := f.Bool("eicar", false,
		"send only the EICAR test file, by SMTP: "+
			"without --smtp through the MTA of this host, without --to to postmaster")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	if *eicar && (*family != "" || *huge || *dir != "") {
		f.Usage()
		return cli.ExitUsage
	}
	if *eicar {
		return sendEicar(ctx, *server, *to, std)
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

// sendEicar sends the EICAR test file through an MTA, and says what that means.
func sendEicar(ctx context.Context, server, to string, std cli.Streams) int {
	if server == "" {
		var err error
		if server, err = setup.Server(ctx); err != nil {
			return made(std, err)
		}
	}
	o := setup.SendEicar(ctx, server, to)
	fmt.Fprintf(std.Out, "The MTA at %s was sent the EICAR test file, and said:\n  %s\n%s\n", server, show.Printable(o.Said), o.Meaning)
	if !o.Refused {
		return cli.ExitFound
	}
	return cli.ExitOK
}

// made prints the error of a self-test that only makes mail, and returns its exit status.
func made(std cli.Streams, err error) int {
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan selftest:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}
