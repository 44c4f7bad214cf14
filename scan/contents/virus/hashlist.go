package virus

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"slices"
)

// algorithm is a hash function that ClamAV's lists use.
type algorithm int

const (
	algMD5 algorithm = iota
	algSHA1
	algSHA256
)

// algorithms are the functions and the length of their results in bytes.
var algorithms = [...]struct {
	length int
	make   func() hash.Hash
}{
	algMD5:    {md5.Size, md5.New},
	algSHA1:   {sha1.Size, sha1.New},
	algSHA256: {sha256.Size, sha256.New},
}

// anySize is the size of a hash that is listed for contents of any size.
const anySize = -1

// hashKey is a hash of a list. Shorter results leave the end zero.
type hashKey struct {
	algorithm algorithm
	size      int64 // or anySize
	sum       [sha256.Size]byte
}

// hashList is all lists together.
type hashList struct {
	signatures map[hashKey]string
	sizes      map[int64][]algorithm // which functions any list uses for contents of a size
}

func newHashList() *hashList {
	return &hashList{signatures: map[hashKey]string{}, sizes: map[int64][]algorithm{}}
}

// add takes one entry; of two for the same hash the first stays.
func (l *hashList) add(k hashKey, name string) {
	if _, ok := l.signatures[k]; ok {
		return
	}
	l.signatures[k] = name
	if !slices.Contains(l.sizes[k.size], k.algorithm) {
		l.sizes[k.size] = append(l.sizes[k.size], k.algorithm)
	}
}

// running is a hash being taken.
type running struct {
	algorithm algorithm
	hash      hash.Hash
}

// sums begins the hashes that are worth taking of a content of that size: mostly
// none.
func (l *hashList) sums(size int64) []running {
	var all []running
	for _, a := range slices.Concat(l.sizes[size], l.sizes[anySize]) {
		if !slices.ContainsFunc(all, func(r running) bool { return r.algorithm == a }) {
			all = append(all, running{a, algorithms[a].make()})
		}
	}
	return all
}

// names looks the finished hashes up.
func (l *hashList) names(sums []running, size int64) (names []string) {
	for _, r := range sums {
		k := hashKey{algorithm: r.algorithm, size: size}
		r.hash.Sum(k.sum[:0])
		for _, k.size = range []int64{size, anySize} {
			if name, ok := l.signatures[k]; ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
