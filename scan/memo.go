package scan

import (
	"context"
	"runtime"
	"sync"
	"weak"
)

// Memo keeps a result for each message as long as the message is in use, so that
// several scanners may ask and the work is done once. Its zero value is empty; any
// number of goroutines may use it.
type Memo[T any] struct {
	mu    sync.Mutex
	known map[weak.Pointer[Message]]*learnt[T]
}

// learnt is the result for one message.
type learnt[T any] struct {
	mu    sync.Mutex // held while learning
	done  bool
	value T
	err   error
}

// Of returns the result and the error of learn for a message. If learn did not finish
// because ctx was done, the next caller starts it again.
func (k *Memo[T]) Of(ctx context.Context, m *Message, learn func(context.Context, *Message) (T, error)) (T, error) {
	l := k.entry(m)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return l.value, l.err
	}
	value, err := learn(ctx, m)
	if ctx.Err() == nil {
		l.done, l.value, l.err = true, value, err
	}
	return value, err
}

// entry returns the one of m, which goes when m does.
func (k *Memo[T]) entry(m *Message) *learnt[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := weak.Make(m)
	if l, ok := k.known[key]; ok {
		return l
	}
	if k.known == nil {
		k.known = map[weak.Pointer[Message]]*learnt[T]{}
	}
	l := new(learnt[T])
	k.known[key] = l
	runtime.AddCleanup(m, k.forget, key)
	return l
}

func (k *Memo[T]) forget(key weak.Pointer[Message]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, key)
}
