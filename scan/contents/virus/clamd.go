package virus

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// dialTime is how long connecting may take.
const dialTime = 5 * time.Second

// clamd is one address at which clamd listens.
type clamd struct {
	network, address string
	resting          *resting
}

func newClamd(address string) (clamd, error) {
	network, address, err := units.ParseAddress(address)
	return clamd{network, address, newResting()}, err
}

// clamdEngine returns an engine whose servers are clamds. They take mail apart
// themselves, so they get what suits that.
func clamdEngine(c Config) (*Engine, error) {
	var servers []Server
	for _, a := range c.Address {
		s, err := newClamd(a)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	e := NewEngine(c, servers...)
	e.feed = cmp.Or(c.Feed, FeedAuto)
	return e, nil
}

func checkClamd(c Config, check *units.Check) {
	check.If(len(c.Address) == 0, "address", "it is missing; write \"unix:/path\" or \"tcp:host:port\"")
	c.checkAddresses(check, func(a string) error { _, err := newClamd(a); return err })
}

// String returns the address as the configuration writes it.
func (d clamd) String() string { return d.network + ":" + d.address }

// Ask asks about one content.
func (d clamd) Ask(ctx context.Context, c scan.Content) (string, error) {
	q := &Question{Content: c}
	err := d.AskAll(ctx, []*Question{q})
	if err == nil && q.tooBig {
		err = ErrTooBig
	}
	return q.signature, err
}

// AskAll asks until everything is answered. What it found is; what a session
// that failed called clean is asked again.
func (d clamd) AskAll(ctx context.Context, all []*Question) error {
	return d.askAll(ctx, all, d.session)
}

// askAll does so, at first in the session that begin returns.
func (d clamd) askAll(ctx context.Context, all []*Question, begin func(context.Context) (*session, error)) error {
	for {
		open := unanswered(all)
		if len(open) == 0 {
			return nil
		}
		s, err := begin(ctx)
		if err != nil {
			return err
		}
		rested := s.sent > 0
		if err = s.run(ctx, open); err == nil {
			d.resting.add(s)
			begin = d.session
			continue
		}
		s.close()
		for _, q := range open {
			q.done = q.signature != ""
		}
		switch {
		case errors.Is(err, ErrTooBig):
			begin = d.session
		case rested && ctx.Err() == nil && (errors.Is(err, ErrNoReply) || errors.Is(err, ErrGarbage)):
			begin = d.dial // clamd ended it at the same moment
		default:
			return err
		}
	}
}

// session returns one that rests, or a new one.
func (d clamd) session(ctx context.Context) (*session, error) {
	if s := d.resting.take(); s != nil {
		return s, nil
	}
	return d.dial(ctx)
}

// dial returns a new session.
func (d clamd) dial(ctx context.Context) (*session, error) {
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, d.network, d.address)
	if err != nil {
		return nil, err
	}
	return openSession(conn), nil
}
