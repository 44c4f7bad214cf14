package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Rest is a kept message without its bad parts.
type Rest interface {
	io.Closer
	// Content returns the message. It is good until Close.
	Content() scan.Content
	// Parts lists the parts that were taken out or changed.
	Parts() []string
}

var (
	errNothingBad = &Problem{http.StatusConflict, "act-nothing-bad"}
	errNotClean   = &Problem{http.StatusConflict, "act-not-clean"}
)

// sendClean sends a message without what was objected to in it, to those who have not had
// it.
func (c *Console) sendClean(ctx context.Context, p login.Person, f *found, in form) error {
	to, err := recipients(p, f, in)
	if err != nil {
		return err
	}
	rest, err := c.Host.Without(ctx, f.Entry.Record)
	switch {
	case errors.Is(err, pipeline.ErrNothingBad):
		return errNothingBad
	case errors.Is(err, pipeline.ErrNotClean):
		return errors.Join(errNotClean, err)
	case err != nil:
		return err
	}
	defer rest.Close()
	_, err = c.Host.Releaser(p.Name).Release(ctx, quarantine.Order{ID: f.Record.ID, To: to, Each: p.Bound() || in.Each, Again: in.Again,
		Note:    "without " + clip(strings.Join(rest.Parts(), ", "), 500),
		Instead: func() (io.ReadCloser, error) { return io.NopCloser(scan.Reader(rest.Content())), nil }})
	return err
}

// restOf is a message without its bad parts, with the pipeline that made it.
type restOf struct {
	*pipeline.Rest
	p *pipeline.Pipeline
}

func (r restOf) Content() scan.Content { return r.Rest.Content }

func (r restOf) Parts() []string { return r.Rest.Parts }

// Close gives back what the message holds.
func (r restOf) Close() error {
	err := r.Rest.Close()
	r.p.Close()
	return err
}

// Without takes the bad parts out of a kept message.
func (s *Stores) Without(ctx context.Context, r policy.Record) (Rest, error) {
	kept, err := s.Quarantine().Open(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	about := pipeline.Delivery{From: r.Sender, To: r.Addresses()}
	env, err := about.Envelope()
	if err != nil {
		return nil, err
	}
	p, err := s.pipeline()
	if err != nil {
		return nil, err
	}
	rest, err := p.Without(ctx, kept, env)
	if err != nil {
		p.Close()
		return nil, err
	}
	return restOf{rest, p}, nil
}
