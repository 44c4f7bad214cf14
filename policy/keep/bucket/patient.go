package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// patient reads for an exchange that ends when nothing moves for some time: between two reads, or between the last one
// and the answer.
type patient struct {
	from       io.Reader
	time       time.Duration
	impatience *time.Timer
	cancel     context.CancelCauseFunc
	ctx        context.Context
	failed     error // of what was to be read
}

// mostRead is how much moves in that time at least, unless it is the end.
const mostRead = 512 << 10

// patiently returns the context of an exchange, and what is read for it. The caller ends it.
func patiently(ctx context.Context, d time.Duration, from io.Reader) (context.Context, *patient) {
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(d, func() { cancel(fmt.Errorf("it did nothing for %v: %w", d, context.DeadlineExceeded)) })
	return ctx, &patient{from: from, time: d, impatience: late, cancel: cancel, ctx: ctx}
}

// Read reads, and begins to wait anew.
func (p *patient) Read(b []byte) (int, error) {
	p.impatience.Reset(p.time)
	n, err := p.from.Read(b[:min(len(b), mostRead)])
	p.impatience.Reset(p.time)
	if err != nil && !errors.Is(err, io.EOF) {
		p.failed = err
	}
	return n, err
}

// end ends the exchange.
func (p *patient) end() {
	p.impatience.Stop()
	p.cancel(nil)
}

// why returns the reason for an error of the exchange.
func (p *patient) why(err error) error {
	if cause := context.Cause(p.ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
