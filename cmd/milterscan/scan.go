package main

import (
	"context"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

// scanFiles judges mail in files. It writes nothing but its report: no
// quarantine, no history, no notice.
func scanFiles(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("scan", "[-c FILE] [--json] [--from A] [--to B]... [--client IP] [--helo H] [--auth USER] FILE...", std)
	path := cli.ConfigFlag(f)
	asJSON := f.Bool("json", false, "print one JSON object for each file")
	about := cli.DeliveryFlags(f)
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() == 0 {
		f.Usage()
		return cli.ExitUsage
	}
	env, err := about.Envelope()
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan scan:", err)
		return cli.ExitUsage
	}
	p, status := openPipeline(*path, std.Err)
	if p == nil {
		return status
	}
	defer p.Close()
	printer := printer{out: std.Out, json: *asJSON}
	progress := progressOf(std, *asJSON, "scan", f.NArg())
	defer progress.Clear()
	for _, file := range f.Args() {
		progress.Step()
		r, err := p.ScanFile(ctx, file, std.In, env)
		if err != nil {
			printer.fail(file, err)
			continue
		}
		printer.print(show.NewReport(file, r))
		r.Close()
	}
	return printer.status
}

// progressOf returns the progress of work that prints results while it goes on; programs are shown none.
func progressOf(std cli.Streams, asJSON bool, what string, of int) *show.Progress {
	if asJSON {
		return nil
	}
	return show.NewProgress(std.Out, std.Err, what, of)
}

// openPipeline makes a pipeline, or returns nil and the exit status after saying
// why not.
func openPipeline(path string, stderr io.Writer) (*pipeline.Pipeline, int) {
	c, err := cli.Load(path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, cli.ExitConfig
	}
	p, err := pipeline.New(c)
	if err != nil {
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, cli.ExitConfig
	}
	return p, cli.ExitOK
}

// printer prints one outcome for each file and remembers the exit status.
type printer struct {
	out    io.Writer
	json   bool
	status int
}

// fail prints why a file could not be judged.
func (p *printer) fail(file string, err error) {
	p.status = cli.ExitError
	p.write(show.FileError{File: file, Error: err.Error()}, func() { fmt.Fprintf(p.out, "%s: %v\n", file, err) })
}

func (p *printer) print(out show.Report) {
	if out.Action != "deliver" && p.status == cli.ExitOK {
		p.status = cli.ExitFound
	}
	p.write(out, func() { show.WriteReport(p.out, out) })
}

// write prints v as one line of JSON, or calls text.
func (p *printer) write(v any, text func()) {
	if !p.json {
		text()
		return
	}
	show.JSON(p.out, v)
}
