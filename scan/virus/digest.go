package virus

import (
	"context"
	"crypto/sha256"

	"github.com/milterscan/milterscan/scan"
)

// sum is the SHA-256 of a content, the zero value if it was not taken.
type sum [sha256.Size]byte

// digest takes the hash of every part, and makes with the same content one job.
func digest(ctx context.Context, in []*job) ([]*job, error) {
	seen := map[sum]*job{}
	var out []*job
	for _, j := range in {
		if j.parts[0] == scan.WholeMessage {
			out = append(out, j)
			continue
		}
		if err := j.digest(ctx); err != nil {
			return nil, err
		}
		if first := seen[j.sum]; first != nil {
			first.parts = append(first.parts, j.parts...)
			continue
		}
		seen[j.sum] = j
		out = append(out, j)
	}
	return out, nil
}

func (j *job) digest(ctx context.Context) error {
	h := sha256.New()
	err := each(ctx, j.content, func(b *block, n int) error {
		h.Write(b[4 : 4+n]) // never fails
		return nil
	})
	h.Sum(j.sum[:0])
	return err
}
