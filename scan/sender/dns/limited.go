package dns

import (
	"context"
	"sync/atomic"
)

// Limited returns a resolver that asks r at most n questions, and says ErrBudget
// to all others: what one message may cost, however many names it holds.
func Limited(r Resolver, n int) Resolver {
	l := &limited{resolver: r}
	l.left.Store(int64(n))
	return l
}

type limited struct {
	resolver Resolver
	left     atomic.Int64
}

func (l *limited) Lookup(ctx context.Context, name string, t Type) ([]Record, error) {
	if l.left.Add(-1) < 0 {
		return nil, &Error{Name: name, Type: t, Err: ErrBudget}
	}
	return l.resolver.Lookup(ctx, name, t)
}
