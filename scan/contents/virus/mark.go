package virus

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// marker tells contents apart for the memory of one process, at a fifth of what their
// SHA-256 costs. A window of a content is authenticated by GMAC (NIST SP 800-38D),
// the codes of all windows are hashed. Whoever does not have the key cannot make two contents
// with one mark, and nobody sees key or marks: both stay in this process.
//
// The nonce is always the same, so that equal contents have equal marks. That is
// harmless only because no code leaves the process.
type marker struct{ code cipher.AEAD }

// newMarker returns a marker with a key of its own. A system that allows only what FIPS 140
// has approved has none.
func newMarker() (marker, error) {
	var key [16]byte
	rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return marker{}, err
	}
	code, err := cipher.NewGCM(block)
	return marker{code}, err
}

// ourMarker is that of all engines of this process.
var ourMarker = sync.OnceValues(newMarker)

// ownHasher returns the hasher of engines that keep the hashes to themselves.
func ownHasher() hasher {
	k, err := ourMarker()
	if err != nil {
		return sha256Of
	}
	return k.of
}

// BodyWatches have large bodies marked while they are opened, if there is an engine that tells contents apart. Members of
// archives are not: engines take most of them out themselves.
func BodyWatches(engines []Config) []scratch.Watch {
	k, err := ourMarker()
	if err != nil || !slices.ContainsFunc(engines, func(c Config) bool { return c.Type != TypeHashes }) {
		return nil
	}
	return []scratch.Watch{{Key: markKey{}, Begin: func(scratch.Content) scratch.Watcher { return &marking{code: k.code} }}}
}

type markKey struct{}

// marking is the mark of a content that is given piece by piece.
type marking struct {
	code  cipher.AEAD
	codes []byte
	size  uint64
}

// See takes the next piece.
func (m *marking) See(b []byte) {
	var nonce [12]byte
	m.codes = m.code.Seal(m.codes, nonce[:], nil, b)
	m.size += uint64(len(b))
}

func (m *marking) sum() sum {
	return sha256.Sum256(binary.BigEndian.AppendUint64(slices.Clip(m.codes), m.size))
}

// of returns the mark of the content of a part, which has one.
func (k marker) of(ctx context.Context, m *scan.Message, part int) (sum, error) {
	content := m.Parts[part].Content
	if seen, ok := scratch.LoreOf(content).Recall(markKey{}).(*marking); ok && seen.code == k.code {
		return seen.sum(), nil
	}
	made := marking{code: k.code}
	err := pour(ctx, content, func(piece []byte) error { made.See(piece); return nil })
	if err != nil {
		return sum{}, fmt.Errorf("part %q: %w", m.Parts[part].Path, err)
	}
	return made.sum(), nil
}
