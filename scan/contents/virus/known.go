package virus

import (
	"crypto/sha256"

	"github.com/milterscan/milterscan/scan"
)

// Known is hash lists for those who have no contents any more, only the SHA-256 and the size of each.
type Known struct {
	list *hashList
	sums map[scan.Sum]struct{} // of any size
}

// LoadKnown reads hash lists. All errors are returned at once.
func LoadKnown(files ...string) (Known, error) {
	list, err := loadLists(files)
	k := Known{list: list, sums: map[scan.Sum]struct{}{}}
	for key := range list.signatures {
		if key.algorithm == algSHA256 {
			k.sums[key.sum] = struct{}{}
		}
	}
	return k, err
}

// Len returns how many entries there are by SHA-256, and how many by other hashes, which are of no use here.
func (k Known) Len() (entries, others int) {
	for key := range k.list.signatures {
		if key.algorithm == algSHA256 {
			entries++
		}
	}
	return entries, len(k.list.signatures) - entries
}

// Has reports whether a SHA-256 is listed, for contents of some size or of any.
func (k Known) Has(sum scan.Sum) bool {
	_, ok := k.sums[sum]
	return ok
}

// Name returns the name by which a content is listed.
func (k Known) Name(sum [sha256.Size]byte, size int64) (name string, ok bool) {
	for _, s := range []int64{size, anySize} {
		if name, ok = k.list.signatures[hashKey{algSHA256, s, sum}]; ok {
			return name, true
		}
	}
	return "", false
}

// Signature returns the rule of findings about contents that are listed under a name.
func Signature(name string) string { return found("", name, scan.WholeMessage).Rule }
