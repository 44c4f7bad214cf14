package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// Of a transaction that others are in the way of.
const (
	tries  = 5
	apiece = 20 * time.Millisecond // by which the longest wait before the next try grows
)

// again calls do until no other transaction is in its way, some times at most. Of two that were in each other's way neither begins
// again at the same moment.
func again(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if !postgres.Again(err) || n == tries || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(time.Duration(n) * apiece)):
		}
	}
}
