package scan

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Sum is the SHA-256 of a content.
type Sum [sha256.Size]byte

// summed is the hash of one part, for all who ask for it.
type summed struct {
	mu   sync.Mutex // held while it is taken
	done bool
	sum  Sum
}

// SHA256 returns the hash of the content of a part, which has one. It is taken once for all
// callers: the history goes by it, and so do virus engines that share what they know.
func (m *Message) SHA256(ctx context.Context, part int) (Sum, error) {
	m.mu.Lock()
	if m.sums == nil {
		m.sums = map[int]*summed{}
	}
	s := m.sums[part]
	if s == nil {
		s = new(summed)
		m.sums[part] = s
	}
	m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return s.sum, nil
	}
	if err := s.take(ctx, m.Parts[part].Content); err != nil {
		return Sum{}, fmt.Errorf("part %q: %w", m.Parts[part].Path, err)
	}
	return s.sum, nil
}

// take reads a content to its end.
func (s *summed) take(ctx context.Context, c Content) error {
	h, read := sha256.New(), int64(0)
	err := scratch.Windows(c, 0, 0, func(b []byte, off int64) error {
		h.Write(b)
		read = off + int64(len(b))
		return ctx.Err()
	})
	if err == nil && read < c.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		h.Sum(s.sum[:0])
		s.done = true
	}
	return err
}

// SumOf returns the SHA-256 of bytes.
func SumOf(b []byte) Sum { return sha256.Sum256(b) }
