package console

import (
	"context"
	"errors"
	"sync"
)

// mostAsked is how many calls of one part may wait for its answer. A store that hangs
// holds no more goroutines than that.
const mostAsked = 8

// asks bounds the calls of each part.
type asks struct {
	mu     sync.Mutex
	places map[Part]chan struct{}
}

func newAsks() *asks { return &asks{places: map[Part]chan struct{}{}} }

func (a *asks) of(part Part) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.places[part] == nil {
		a.places[part] = make(chan struct{}, mostAsked)
	}
	return a.places[part]
}

// answer is what a part said.
type answer[T any] struct {
	value T
	err   error
}

// ask calls a part in a goroutine, and returns when it has answered, or ctx is done:
// a part may hang where it does not look at ctx. The error is a *PartError, or a
// *Problem that the part returned.
func ask[T any](ctx context.Context, a *asks, part Part, call func(context.Context) (T, error)) (T, error) {
	var none T
	places := a.of(part)
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		return none, &PartError{part, ctx.Err()}
	}
	answers := make(chan answer[T], 1)
	go func() {
		defer func() { <-places }()
		defer func() {
			if fault := recover(); fault != nil {
				answers <- answer[T]{none, &faultOf{fault}}
			}
		}()
		value, err := call(ctx)
		answers <- answer[T]{value, err}
	}()
	select {
	case got := <-answers:
		return got.value, partError(part, got.err)
	case <-ctx.Done():
		return none, &PartError{part, ctx.Err()}
	}
}

// partError names the part of an error.
func partError(part Part, err error) error {
	var problem *Problem
	if err == nil || errors.As(err, &problem) {
		return err
	}
	return &PartError{part, err}
}

// faultOf is a panic of a part.
type faultOf struct{ what any }

// Error says nothing of the panic, which is for the log.
func (f *faultOf) Error() string { return "it failed by a fault of the program" }
