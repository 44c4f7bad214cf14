package scorer

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

var errGone = &net.OpError{Op: "dial", Err: errors.New("refused")}

// asked counts the questions to each address.
type asked map[string]int

func (a asked) by(errs map[string]error) func(context.Context, string) error {
	return func(_ context.Context, address string) error {
		a[address]++
		return errs[address]
	}
}

func TestFirstThatAnswers(t *testing.T) {
	s, n := NewServers([]string{"a", "b", "c"}, 1), asked{}
	if err := s.Ask(t.Context(), time.Minute, n.by(map[string]error{"a": errGone})); err != nil || n["a"] != 1 || n["b"] != 1 || n["c"] != 0 {
		t.Errorf("asked %v, error %v", n, err)
	}
	err := s.Ask(t.Context(), time.Minute, n.by(map[string]error{"a": errGone, "b": errGone, "c": errGone}))
	if err == nil || !strings.Contains(err.Error(), "b: ") || !strings.Contains(err.Error(), "c: ") {
		t.Errorf("error %v", err)
	}
}

// TestRests: a server that does not answer is spared, and one that answers nonsense is not.
func TestRests(t *testing.T) {
	s, n := NewServers([]string{"a", "b"}, 1), asked{}
	for range 2 * (patience + 1) {
		s.Ask(t.Context(), time.Minute, n.by(map[string]error{"a": errGone, "b": errors.New("nonsense")}))
	}
	if n["a"] != patience+1 || n["b"] != 2*(patience+1) {
		t.Errorf("asked %v", n)
	}
	if err := s.Ask(t.Context(), time.Minute, n.by(map[string]error{"b": errGone})); !errors.Is(err, ErrRests) {
		t.Errorf("error %v", err)
	}
	n = asked{}
	if err := s.Each(t.Context(), time.Minute, n.by(nil)); err != nil || n["a"] != 1 || n["b"] != 1 {
		t.Errorf("each: asked %v, error %v", n, err)
	}
}

// TestGivenUp: messages that are given up do not count against a server.
func TestGivenUp(t *testing.T) {
	s, n := NewServers([]string{"a"}, 1), asked{}
	for range 2 * (patience + 1) {
		ctx, cancel := context.WithCancel(t.Context())
		s.Ask(ctx, time.Minute, func(context.Context, string) error { cancel(); return errGone })
	}
	if err := s.Ask(t.Context(), time.Minute, n.by(nil)); err != nil {
		t.Error(err)
	}
}

// TestFewAtOnce: who finds no place waits, and not for ever.
func TestFewAtOnce(t *testing.T) {
	s := NewServers([]string{"a"}, 1)
	s.Ask(t.Context(), time.Minute, func(ctx context.Context, _ string) error {
		if err := s.Ask(ctx, time.Millisecond, asked{}.by(nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		return nil
	})
	if err := s.Ask(t.Context(), time.Minute, asked{}.by(nil)); err != nil {
		t.Error(err)
	}
}
