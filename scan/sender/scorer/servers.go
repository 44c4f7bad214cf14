// Package scorer has what scorers share, which are engines that say how likely a message is spam. A
// scorer is a separate program: one of several servers is asked, the first that answers, few
// questions at once, and all within one time. A server that has left question after question
// without an answer is spared for a while.
package scorer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/milterscan/milterscan/scan/breaker"
)

// patience is how many questions in a row a server may leave without an answer: one
// message that takes it too long says nothing about the next.
const patience = 4

// ErrRests says that a server is not asked, since it did not answer a moment ago.
var ErrRests = fmt.Errorf("it has not answered %d times in a row; asked again within %v", patience+1, breaker.Rest)

// Servers are the servers, in the order in which they are asked.
type Servers struct {
	addresses []string
	breakers  []breaker.Breaker
	slots     chan struct{} // one for each question at once
}

// NewServers returns servers that are asked few questions at once.
func NewServers(addresses []string, atOnce int) *Servers {
	s := &Servers{addresses: addresses, breakers: make([]breaker.Breaker, len(addresses)), slots: make(chan struct{}, atOnce)}
	for i := range s.breakers {
		s.breakers[i].Patience = patience
	}
	return s
}

// Ask has one address after the other asked, each within its share of the timeout, until one
// has answered. The error names each address and what was wrong there.
func (s *Servers) Ask(ctx context.Context, timeout time.Duration, ask func(ctx context.Context, address string) error) error {
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-within.Done():
		return fmt.Errorf("waiting for one of %d connections: %w", cap(s.slots), within.Err())
	}
	var errs []error
	for i, address := range s.addresses {
		end, _ := within.Deadline()
		share, cancel := context.WithTimeout(within, time.Until(end)/time.Duration(len(s.addresses)-i))
		err := s.one(ctx, share, i, ask)
		cancel()
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", address, err))
	}
	return errors.Join(errs...)
}

// one asks one server, if it does not rest. A message that is given up says nothing about it.
func (s *Servers) one(message, share context.Context, i int, ask func(context.Context, string) error) error {
	b := &s.breakers[i]
	if !b.MayTry(time.Now()) {
		return ErrRests
	}
	err := ask(share, s.addresses[i])
	b.Note(time.Now(), silent(err) && !errors.Is(message.Err(), context.Canceled))
	return err
}

// silent reports whether an error says that a server is not there or does not answer. One
// that answers nonsense is there, and the next message may be another matter.
func silent(err error) bool {
	var lost net.Error
	return errors.As(err, &lost) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// Each asks every server, whether it rests or not, and returns the errors of those that fail.
func (s *Servers) Each(ctx context.Context, timeout time.Duration, ask func(ctx context.Context, address string) error) error {
	var errs []error
	for _, address := range s.addresses {
		one, cancel := context.WithTimeout(ctx, timeout)
		if err := ask(one, address); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", address, err))
		}
		cancel()
	}
	return errors.Join(errs...)
}
