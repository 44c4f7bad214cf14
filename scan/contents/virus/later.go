package virus

import (
	"context"
	"errors"
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// Later asks the service of an entry of type "http" for verdicts to which it had not come in time. It may be
// used by several goroutines at once.
type Later struct {
	engine  *Engine
	service *service
}

// errNoLater says that an engine gives its verdicts at once.
var errNoLater = errors.New("it gives no verdicts later")

// Later reports whether the engine may come to verdicts after the mail was decided about.
func (c Config) Later() bool { return c.Type == TypeHTTP && c.Poll != "" }

// NewLater returns what asks the engine of an entry later.
func NewLater(c Config) (*Later, error) {
	if !c.Later() {
		return nil, errNoLater
	}
	e, err := Open(c)
	if err != nil {
		return nil, err
	}
	s, ok := e.servers[0].Server.(*service)
	if !ok {
		return nil, errNoLater
	}
	return &Later{e, s}, nil
}

// Progress is what a service has come to about the contents of a message.
type Progress struct {
	Jobs []string // that go on
	// Found is what was found in one of the contents; nil while nothing is.
	Found *scan.Finding
}

// Ask asks for the verdicts on jobs, until something is found. The error is ErrNoJob where the service knows
// nothing of one of them.
func (l *Later) Ask(ctx context.Context, jobs []string) (p Progress, err error) {
	for _, job := range jobs {
		a, err := l.service.get(ctx, job)
		if err != nil {
			return Progress{}, err
		}
		switch {
		case !a.settled:
			p.Jobs = append(p.Jobs, job)
		case a.name != "":
			f := l.engine.found(a.name, scan.WholeMessage)
			p.Found = &f
			return p, nil
		}
	}
	return p, nil
}

// Submit has the service look at a message again, from the beginning, and waits for no verdict.
func (l *Later) Submit(ctx context.Context, m *scan.Message) (p Progress, err error) {
	whole, large := split(questions(m, l.engine.feed, l.engine.limit, nil), l.engine.limit)
	if whole, err = l.engine.hash.digest(ctx, m, whole); err != nil {
		return p, err
	}
	s := *l.service
	s.verdicts = newVerdicts(s.Remember.Go()) // jobs that are lost
	all := slices.Concat(whole, windows(large, l.engine.limit))
	jobs, err := s.begin(ctx, all)
	if err != nil {
		return p, err
	}
	for _, q := range all {
		if q.tooBig { // and has not been looked at
			return Progress{}, ErrTooBig
		}
		if q.signature != "" && p.Found == nil {
			f := l.engine.found(q.signature, scan.WholeMessage)
			p.Found = &f
		}
		if job, ok := jobs[q]; ok && !slices.Contains(p.Jobs, job) {
			p.Jobs = append(p.Jobs, job)
		}
	}
	return p, nil
}
