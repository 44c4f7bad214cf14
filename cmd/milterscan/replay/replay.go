package replay

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
)

// Side is one configuration that mail is judged under.
type Side struct {
	pipeline *pipeline.Pipeline
	recall   *pipeline.Recall // nil: senders are asked about again
}

// Open makes a side. Unless online, it asks no other host, and the notes say what that leaves out.
func Open(c *config.Config, online bool) (s *Side, notes []string, err error) {
	if online {
		p, err := pipeline.New(c)
		return &Side{pipeline: p}, nil, err
	}
	recall := &pipeline.Recall{}
	p, notes, err := pipeline.NewOffline(c, recall)
	return &Side{p, recall}, notes, err
}

// Close ends the children of the side.
func (s *Side) Close() { s.pipeline.Close() }

// recalls reports whether the findings of a rule are taken from the record.
func (s *Side) recalls(rule string) bool { return s.recall != nil && pipeline.Recalled(rule) }

// judge returns the record of what would become of a mail.
func (s *Side) judge(ctx context.Context, m Mail) (policy.Record, error) {
	r, err := m.Open(ctx)
	if err != nil {
		return policy.Record{}, err
	}
	defer r.Close()
	if s.recall != nil {
		s.recall.Of(m.Record)
	}
	result, err := s.pipeline.ScanReader(ctx, r, m.Envelope)
	if err != nil {
		return policy.Record{}, err
	}
	defer result.Close()
	return result.Record(), nil
}

// Verdict is what comparing one mail has shown.
type Verdict struct {
	Mail        string       `json:"mail"`
	Differences []Difference `json:"differences,omitempty"`
	Unsure      string       `json:"unsure,omitempty"` // what did not answer, so that the mail does not count
	Error       string       `json:"error,omitempty"`  // why it could not be read
}

// Run compares each mail under two sides, and tells of each; a mail for which done returns a
// verdict is not judged again. Where was is nil, a mail is compared with what was recorded when it
// came. Run returns early when ctx is done, with its error.
func Run(ctx context.Context, mails iter.Seq2[Mail, error], was, now *Side, done func(name string) bool, tell func(Verdict) error) error {
	for m, err := range mails {
		if ctx.Err() != nil {
			break
		}
		var v Verdict
		switch unreadable := (*Unreadable)(nil); {
		case errors.As(err, &unreadable):
			v = Verdict{Mail: unreadable.Name, Error: unreadable.Err.Error()}
		case err != nil:
			return err
		case done(m.Name):
			continue
		default:
			v = weigh(ctx, m, was, now)
		}
		if ctx.Err() != nil {
			break // what was judged meanwhile was cut short
		}
		if err := tell(v); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// weigh judges a mail under both sides at once.
func weigh(ctx context.Context, m Mail, was, now *Side) Verdict {
	v := Verdict{Mail: m.Name}
	if was == nil && m.Record == nil {
		v.Error = errNoRecord.Error()
		return v
	}
	var old, fresh policy.Record
	var oldErr, freshErr error
	var wg sync.WaitGroup
	wg.Go(func() { fresh, freshErr = now.judge(ctx, m) })
	if was != nil {
		wg.Go(func() { old, oldErr = was.judge(ctx, m) })
	} else {
		old = *m.Record
	}
	wg.Wait()
	if err := errors.Join(oldErr, freshErr); err != nil {
		v.Error = err.Error()
		return v
	}
	v.Unsure = unsure(fresh, now.recalls)
	if was != nil && v.Unsure == "" {
		v.Unsure = unsure(old, was.recalls)
	}
	if v.Unsure == "" {
		v.Differences = compare(m.Name, old, fresh)
	}
	return v
}
