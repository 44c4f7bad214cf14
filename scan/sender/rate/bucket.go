package rate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Key identifies a limit and the sender, client, user or recipient it counts. It is a
// hash: a reader of the store learns no address from it that he does not know.
type Key [16]byte

// Bucket holds tokens, one for each recipient. The store keeps only the moment at
// which it will be full again, since that says everything about it. Each token
// that is taken moves the moment on by Every, and none can be taken while it is
// further off than the bucket is large.
type Bucket struct {
	Size  time.Duration // in which an empty one fills
	Every time.Duration // in which one token comes
}

// Store keeps buckets. It may be used by any number of goroutines, and by several
// hosts, which then have the same limits.
type Store interface {
	// Take takes a token from a bucket, and reports false if there was none. One that was never used is full. One
	// that will be full later than it could be has been used while a clock was wrong: it is empty, and no emptier. A
	// store that several hosts share has its own clock.
	Take(ctx context.Context, k Key, b Bucket, now time.Time) (bool, error)
}

// share returns the bucket that one of several hosts has for itself. It holds one token at least.
func (b Bucket) share(hosts int) Bucket {
	b.Every = min(b.Every*time.Duration(max(hosts, 1)), b.Size)
	return b
}

func (l Limit) bucket() Bucket {
	return Bucket{Size: l.Per.Go(), Every: l.Per.Go() / time.Duration(l.Recipients)}
}

// keyOf returns the key of a limit and a name it counts.
func (l Limit) keyOf(whom string) (k Key) {
	b := binary.AppendUvarint(nil, uint64(len(l.Name)))
	sum := sha256.Sum256(append(append(append(b, l.Name...), l.By...), whom...))
	copy(k[:], sum[:])
	return k
}
