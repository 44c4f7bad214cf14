package virus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

const (
	// restFor is how long an address that failed is left alone while there are
	// others.
	restFor = 5 * time.Second
	// dialTime is how long connecting may take.
	dialTime = 5 * time.Second
)

// server is one address at which clamd listens, and what is known about it.
type server struct {
	network, address string
	resting          atomic.Int64 // Unix nanoseconds until which others are asked first
	memory           memory
}

func newServer(text string) *server {
	network, address, _ := parseAddress(text) // was checked
	return &server{network: network, address: address}
}

// String is the address as the configuration writes it.
func (s *server) String() string { return s.network + ":" + s.address }

func (s *server) rests(now time.Time) bool { return now.UnixNano() < s.resting.Load() }

// judge remembers whether the server can be relied on. That it refused one
// content says nothing about the next; neither does the caller's own haste or a
// content that could not be read.
func (s *server) judge(ctx context.Context, err error) {
	var unreadable *readError
	switch {
	case err == nil:
		s.resting.Store(0)
	case errors.Is(err, ErrTooBig), errors.Is(err, ErrDaemon), errors.As(err, &unreadable), errors.Is(ctx.Err(), context.Canceled):
	default:
		s.resting.Store(time.Now().Add(restFor).UnixNano())
	}
}

// scan asks about all jobs that are not done. What it found stands; what a
// session that failed called clean is asked again.
func (s *server) scan(ctx context.Context, all []*job) error {
	for {
		open := undone(all)
		if len(open) == 0 {
			return nil
		}
		err := s.session(ctx, open)
		if err == nil {
			continue
		}
		for _, j := range open {
			j.done = j.signature != ""
		}
		if !errors.Is(err, ErrTooBig) {
			return err
		}
	}
}

// session asks about jobs over one connection.
func (s *server) session(ctx context.Context, jobs []*job) error {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return err
	}
	session, err := openSession(ctx, conn)
	if err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	defer session.close()
	if err := session.run(ctx, jobs); err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	return nil
}

// undone are the jobs without an answer. A content that was refused for its size
// has one.
func undone(all []*job) []*job {
	var open []*job
	for _, j := range all {
		if !j.done && !j.tooBig {
			open = append(open, j)
		}
	}
	return open
}
