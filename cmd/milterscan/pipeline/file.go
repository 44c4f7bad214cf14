package pipeline

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// ScanFile judges one file; "-" is standard input.
func (p *Pipeline) ScanFile(ctx context.Context, file string, stdin io.Reader, env scan.Envelope) (*judge.Result, error) {
	raw, err := p.load(file, stdin)
	if err != nil {
		return nil, err
	}
	return p.examine(ctx, raw, env)
}

// ScanReader judges a mail that comes from a reader.
func (p *Pipeline) ScanReader(ctx context.Context, r io.Reader, env scan.Envelope) (*judge.Result, error) {
	raw, err := p.keep(r)
	if err != nil {
		return nil, err
	}
	return p.examine(ctx, raw, env)
}

// examine judges a mail at rest.
func (p *Pipeline) examine(ctx context.Context, raw Stored, env scan.Envelope) (*judge.Result, error) {
	in, err := p.receive(env, WithoutMboxLine(raw))
	if err != nil {
		return nil, err
	}
	return p.Judge.Examine(ctx, in), nil
}

// Open takes a mail apart, and asks no scanner about it. The caller closes the message.
func (p *Pipeline) Open(ctx context.Context, r io.Reader) (*scan.Message, error) {
	raw, err := p.keep(r)
	if err != nil {
		return nil, err
	}
	in, err := p.receive(scan.Envelope{}, raw)
	if err != nil {
		return nil, err
	}
	return p.Judge.Opener.Open(ctx, in), nil
}

// Stored is a message at rest. The caller closes it.
type Stored interface {
	scan.Content
	io.Closer
}

// load returns the content of a file. It first copies a pipe, or
// anything else but a regular file, to the spool.
func (p *Pipeline) load(file string, stdin io.Reader) (Stored, error) {
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
func (p *Pipeline) keep(r io.Reader) (Stored, error) {
	b := p.Spool.Buffer()
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
func (p *Pipeline) receive(env scan.Envelope, raw Stored) (scan.Received, error) {
	in := scan.Received{Envelope: env, Raw: raw, Size: raw.Size()}
	if limit := p.MaxMessage; in.Size > limit {
		in.Raw = section{io.NewSectionReader(raw, 0, limit), raw}
	}
	parser := p.Judge.NewParser()
	if _, err := io.Copy(parser, scan.Reader(in.Raw)); err != nil {
		raw.Close()
		return in, err
	}
	in.Tree = parser.Close()
	return in, nil
}

// WithoutMboxLine returns the content without the "From " line that mbox files put
// before a message.
func WithoutMboxLine(c Stored) Stored {
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
