package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/bombs"
)

// TestSearchFindsTheWorst has a filter that gets slower with every zip around: the
// search comes to those with many.
func TestSearchFindsTheWorst(t *testing.T) {
	l := limits{2 * time.Second, 300}
	try := func(s bombs.Shape) (result, error) {
		return result{bomb: s, cpu: time.Duration(s.Depth) * time.Second, memory: 10}, nil
	}
	worst, err := search(time.Now().Add(50*time.Millisecond), rand.New(rand.NewPCG(1, 1)), l, try)
	if err != nil || len(worst) == 0 || worst[0].bomb.Depth != 8 || l.badness(worst[0]) != 4 {
		t.Errorf("%v, %v", worst, err)
	}
}
