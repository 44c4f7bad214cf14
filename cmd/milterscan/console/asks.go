package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"
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

// patience returns how long a part may take: no store holds a page up for longer, and what
// asks an MTA or scans a mail has time for that.
func (part Part) patience() time.Duration {
	switch part {
	case PartJudge, PartMTA, PartScorers:
		return actTime
	}
	return pageTime
}

// ask calls a part in a goroutine, and returns when it has answered, or there is no more
// time: a part may hang where it does not look at its context. What comes too late is
// closed if it can be. The error is a *PartError, or a *Problem that the part returned.
func ask[T any](ctx context.Context, a *asks, part Part, call func(context.Context) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeout(ctx, part.patience())
	places := a.of(part)
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		cancel()
		return none, &PartError{part, ctx.Err()}
	}
	answers := make(chan answer[T])
	go func() {
		defer func() { <-places }()
		got := guarded(ctx, call)
		select {
		case answers <- got:
		case <-ctx.Done():
			if late, ok := any(got.value).(io.Closer); ok && got.err == nil {
				late.Close()
			}
		}
	}()
	select {
	case got := <-answers:
		cancel()
		return got.value, partError(part, got.err)
	case <-ctx.Done():
		cancel()
		return none, &PartError{part, ctx.Err()}
	}
}

// guarded makes an error of a panic.
func guarded[T any](ctx context.Context, call func(context.Context) (T, error)) (got answer[T]) {
	defer func() {
		if fault := recover(); fault != nil {
			got.err = &faultOf{fault, debug.Stack()}
		}
	}()
	got.value, got.err = call(ctx)
	return got
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
type faultOf struct {
	what  any
	stack []byte
}

// Error returns the text for the log.
func (f *faultOf) Error() string {
	return fmt.Sprintf("a fault of the program: %v: %s", f.what, f.stack)
}
