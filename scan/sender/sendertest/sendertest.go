// Package sendertest tests what every store about senders promises, whether one host has it or several share it.
package sendertest

import (
	"sync"
	"testing"
	"time"
)

// Clock is that by which a store goes.
type Clock struct {
	Now   func() time.Time    // what callers say the time is
	Later func(time.Duration) // lets time go by; a negative one puts the clock back
}

// racers are how many call a store at once.
const racers = 16

// race calls do at once, and counts its answers.
func race[A comparable](t *testing.T, do func(i int) (A, error)) map[A]int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	n := map[A]int{}
	for i := range racers {
		all.Go(func() {
			a, err := do(i)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			n[a]++
		})
	}
	all.Wait()
	return n
}
