package dnstest

import (
	"context"
	"fmt"
	"sync"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Recorder is a resolver that remembers what it was asked.
type Recorder struct {
	dns.Resolver

	mu    sync.Mutex
	asked []string
}

// Lookup notes the question and passes it on.
func (r *Recorder) Lookup(ctx context.Context, name string, t dns.Type) ([]dns.Record, error) {
	r.mu.Lock()
	r.asked = append(r.asked, fmt.Sprintf("%s %v", name, t))
	r.mu.Unlock()
	return r.Resolver.Lookup(ctx, name, t)
}

// Asked returns the questions so far, as "name TYPE".
func (r *Recorder) Asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.asked...)
}
