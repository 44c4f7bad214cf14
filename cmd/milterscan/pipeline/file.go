package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// scanFiles judges mail in files. It writes nothing but its report: no
// quarantine, no history, no notice.
func scanFiles(ctx context.Context, args []string, std streams) int {
	f := flags("scan", "[-c FILE] [--json] [--from A] [--to B]... [--client IP] [--helo H] [--auth USER] FILE...", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	asJSON := f.Bool("json", false, "print one JSON object for each file")
	var about envelopeFlags
	about.register(f.FlagSet)
	if status, ok := parseArguments(f, args); !ok {
		return status
	}
	if f.NArg() == 0 {
		f.Usage()
		return exitUsage
	}
	env, err := about.envelope()
	if err != nil {
		fmt.Fprintln(std.err, "milterscan scan:", err)
		return exitUsage
	}
	p, status := newPipeline(*path, std.err)
	if p == nil {
		return status
	}
	defer p.Close()
	printer := printer{out: std.out, json: *asJSON}
	for _, file := range f.Args() {
		r, err := p.scanFile(ctx, file, std.in, env)
		printer.print(file, r, err)
	}
	return printer.status
}

// scanFile judges one file; "-" is standard input.
func (p *pipeline) scanFile(ctx context.Context, file string, stdin io.Reader, env scan.Envelope) (*judge.Result, error) {
	raw, err := p.load(file, stdin)
	if err != nil {
		return nil, err
	}
	in, err := p.receive(env, withoutMboxLine(raw))
	if err != nil {
		return nil, err
	}
	return p.judge.Examine(ctx, in), nil
}

// stored is a message at rest that somebody has to close.
type stored interface {
	scan.Content
	io.Closer
}

// load returns what is in a file. What is no regular file is kept in the spool
// first.
func (p *pipeline) load(file string, stdin io.Reader) (stored, error) {
	if file == "-" {
		return p.keep(stdin)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", file)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if info.Mode().IsRegular() {
		return section{io.NewSectionReader(f, 0, info.Size()), f}, nil
	}
	defer f.Close()
	return p.keep(f)
}

// keep reads r to its end into the spool.
func (p *pipeline) keep(r io.Reader) (stored, error) {
	b := p.spool.Buffer()
	if _, err := io.Copy(b, r); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// section is a piece of something that is closed as a whole.
type section struct {
	*io.SectionReader
	io.Closer
}

// receive parses a message as it would come from an MTA: up to the size limit.
func (p *pipeline) receive(env scan.Envelope, raw stored) (scan.Received, error) {
	in := scan.Received{Envelope: env, Raw: raw, Size: raw.Size()}
	if limit := p.maxMessage; in.Size > limit {
		in.Raw = section{io.NewSectionReader(raw, 0, limit), raw}
	}
	parser := p.judge.NewParser()
	if _, err := io.Copy(parser, scan.Reader(in.Raw)); err != nil {
		raw.Close()
		return in, err
	}
	in.Tree = parser.Close()
	return in, nil
}

// withoutMboxLine is the content without the "From " line that mbox files put
// before a message.
func withoutMboxLine(c stored) stored {
	head := make([]byte, 5)
	if n, _ := c.ReadAt(head, 0); n < len(head) || string(head) != "From " {
		return c
	}
	line, err := bufio.NewReader(io.NewSectionReader(c, 0, 1<<16)).ReadString('\n')
	if err != nil {
		return c
	}
	n := int64(len(line))
	return section{io.NewSectionReader(c, n, c.Size()-n), c}
}

// printer prints one outcome for each file and remembers the exit status.
type printer struct {
	out    io.Writer
	json   bool
	status int
}

func (p *printer) print(file string, r *judge.Result, err error) {
	if err != nil {
		p.status = exitError
		p.write(fileError{file, err.Error()}, func() { fmt.Fprintf(p.out, "%s: %v\n", file, err) })
		return
	}
	defer r.Close()
	out := newReport(file, r)
	if out.Action != "deliver" && p.status == exitOK {
		p.status = exitFound
	}
	p.write(out, func() { explainTo(p.out, out) })
}

// write prints v as one line of JSON, or calls text.
func (p *printer) write(v any, text func()) {
	if !p.json {
		text()
		return
	}
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	enc.Encode(v)
}
