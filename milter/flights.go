package milter

import "sync"

// flights counts the messages in flight: from the first of their content until
// the MTA has been sent the answer.
type flights struct {
	mu      sync.Mutex
	aloft   int
	closing bool
	landed  chan struct{} // closed when closing and none is aloft
}

func newFlights() *flights { return &flights{landed: make(chan struct{})} }

// takeOff reports whether a message may begin; land must follow.
func (f *flights) takeOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return false
	}
	f.aloft++
	return true
}

func (f *flights) land() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aloft--
	f.settle()
}

// close lets no more messages begin. The channel is closed when the last one
// has landed.
func (f *flights) close() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closing {
		f.closing = true
		f.settle()
	}
	return f.landed
}

// closed reports whether close was called.
func (f *flights) closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closing
}

func (f *flights) settle() {
	if f.closing && f.aloft == 0 {
		close(f.landed)
	}
}
