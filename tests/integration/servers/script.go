package servers

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Script runs a program that starts servers, such as the demo, and returns its
// exit status. Whatever the program has registered with Cleanup is done when it
// returns, when it fails, and when it is interrupted.
func Script(program func(TB)) (status int) {
	s := &script{}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		<-interrupted
		s.clean()
		os.Exit(130)
	}()
	defer s.clean()
	defer func() {
		if p := recover(); p != nil {
			status = 1
			if _, told := p.(failure); !told {
				fmt.Fprintln(os.Stderr, p)
			}
		}
	}()
	program(s)
	return 0
}

// failure is what Fatalf panics with; it has been printed already.
type failure struct{}

type script struct {
	mu      sync.Mutex
	cleanup []func()
}

func (s *script) Helper() {}

func (s *script) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (s *script) Fatalf(format string, args ...any) {
	s.Logf(format, args...)
	panic(failure{})
}

func (s *script) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanup = append(s.cleanup, f)
}

// clean runs the cleanup functions, last to first, and those that are registered
// meanwhile: an interrupted program may be in the middle of starting something.
func (s *script) clean() {
	for f := s.next(); f != nil; f = s.next() {
		f()
	}
}

// next takes the last cleanup function, nil if there is none left.
func (s *script) next() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cleanup) == 0 {
		return nil
	}
	f := s.cleanup[len(s.cleanup)-1]
	s.cleanup = s.cleanup[:len(s.cleanup)-1]
	return f
}
