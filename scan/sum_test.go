package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

// counted is a content that counts how often it is read from its beginning.
type counted struct {
	*bytes.Reader
	begun *atomic.Int64
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 {
		c.begun.Add(1)
	}
	return c.Reader.ReadAt(p, off)
}

// short is a content that ends before its size.
type short struct{}

func (short) Size() int64                             { return 100 }
func (short) ReadAt(p []byte, off int64) (int, error) { return 0, io.EOF }

// TestSHA256 takes a hash once, for all who ask at the same time, and again where the first was stopped.
func TestSHA256(t *testing.T) {
	text := bytes.Repeat([]byte("content "), 1<<17)
	c := counted{bytes.NewReader(text), new(atomic.Int64)}
	m := &Message{Parts: []Part{{Path: "1", Content: c}, {Path: "2", Content: short{}}}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := m.SHA256(stopped, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	c.begun.Store(0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if sum, err := m.SHA256(t.Context(), 0); err != nil || sum != sha256.Sum256(text) {
				t.Errorf("%x, %v", sum, err)
			}
		})
	}
	all.Wait()
	if n := c.begun.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
	if _, err := m.SHA256(t.Context(), 1); err == nil {
		t.Error("a content that ends early has a hash")
	}
}
