package virus

import (
	"archive/zip"

	"github.com/milterscan/milterscan/scan"
)

// Below these every engine looks into a zip archive to the last member, whatever
// its configuration; clamd's own limits are 10,000 members and 17 levels.
const (
	zipMembers = 1000
	zipDepth   = 4
)

// zips knows which parts an engine gets by being given a zip archive whole.
type zips struct {
	m       *scan.Message
	limit   int64
	total   []int64 // bytes of each part and of all parts in it
	members []int   // parts directly in each part
	depth   []int   // plain zip archives that each part is in; 0 for none
	judged  map[int]bool
}

// newZips counts. It relies on the order of parts: a container comes before its
// members.
func newZips(m *scan.Message, limit int64) *zips {
	n := len(m.Parts)
	z := &zips{m: m, limit: limit, total: make([]int64, n), members: make([]int, n), depth: make([]int, n), judged: map[int]bool{}}
	for i := n - 1; i >= 0; i-- {
		if c := m.Parts[i].Content; c != nil {
			z.total[i] += c.Size()
		}
		if p := m.Parts[i].Parent; p >= 0 && p < i {
			z.total[p] += z.total[i]
			z.members[p]++
		}
	}
	return z
}

// inside reports whether part i is a member of a plain zip archive that goes
// whole. It must be asked in ascending order.
func (z *zips) inside(i int) bool {
	p := z.m.Parts[i]
	if !p.Archived || p.Parent < 0 || p.Parent >= i || !z.plain(p.Parent) {
		return false
	}
	z.depth[i] = z.depth[p.Parent] + 1
	return z.depth[i] <= zipDepth
}

// plain reports whether part i is a zip archive that every program reads alike
// and to its end.
func (z *zips) plain(i int) bool {
	if known, ok := z.judged[i]; ok {
		return known
	}
	p := z.m.Parts[i]
	ok := p.Opened && p.Content != nil && z.total[i] <= z.limit && z.members[i] <= zipMembers && ordinary(p.Content)
	z.judged[i] = ok
	return ok
}

// ordinary reports whether c is a zip archive of members that are stored or
// deflated, and not encrypted.
func ordinary(c scan.Content) bool {
	r, err := zip.NewReader(c, c.Size())
	if err != nil {
		return false
	}
	for _, f := range r.File {
		encrypted := f.Flags&1 != 0
		if encrypted || f.Method != zip.Store && f.Method != zip.Deflate {
			return false
		}
	}
	return true
}
