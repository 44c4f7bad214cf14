package virus

import (
	"context"
	"crypto/sha256"

	"github.com/milterscan/milterscan/scan"
)

// sum is the hash of a content by which an engine knows it again, the zero value if it
// was not taken.
type sum = scan.Sum

// hasher takes the hash of the content of a part.
type hasher func(ctx context.Context, m *scan.Message, part int) (sum, error)

// sha256Of is the hasher of engines that tell others the hashes.
func sha256Of(ctx context.Context, m *scan.Message, part int) (sum, error) {
	return m.SHA256(ctx, part)
}

// digest takes the hash of every part, and makes with the same content one question.
func (hash hasher) digest(ctx context.Context, m *scan.Message, in []*Question) ([]*Question, error) {
	seen := map[sum]*Question{}
	var out []*Question
	for _, q := range in {
		if q.parts[0] == scan.WholeMessage {
			out = append(out, q)
			continue
		}
		var err error
		if q.sum, err = hash(ctx, m, q.parts[0]); err != nil {
			return nil, err
		}
		if first := seen[q.sum]; first != nil {
			first.parts = append(first.parts, q.parts...)
			continue
		}
		seen[q.sum] = q
		out = append(out, q)
	}
	return out, nil
}

// digest takes the hash of a content that is no part.
func (q *Question) digest(ctx context.Context) error {
	h := sha256.New()
	err := each(ctx, q.Content, func(b *block, n int) error {
		h.Write(b[4 : 4+n]) // never fails
		return nil
	})
	h.Sum(q.sum[:0])
	return err
}
