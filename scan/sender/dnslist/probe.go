package dnslist

import (
	"context"
	"errors"
	"sync"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Probe asks every list for the entries it must and must not have, and returns an
// error for each, nil for one that is well.
func Probe(ctx context.Context, c Config, r dns.Resolver) []error {
	results := make([]error, len(c.Lists))
	var wg sync.WaitGroup
	for i, one := range c.Lists {
		wg.Go(func() {
			l := &list{List: one, resolver: r}
			missing, err := l.examine(ctx)
			results[i] = errors.Join(missing, err)
		})
	}
	wg.Wait()
	return results
}
