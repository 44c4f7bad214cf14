package archive

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// compound is a compound file (MS-CFB): a file system in a file, of sectors that
// a table chains, with a second one of the same kind for small streams. Nothing
// is taken on trust: tables are no longer than the file, and a chain that is
// longer than its table goes in circles.
type compound struct {
	c       Content
	shift   uint // a sector has 1<<shift bytes
	cutoff  int64
	fat     []uint32 // by sector, the next one
	mini    []uint32
	small   []uint32 // the sectors that hold the small ones
	entries []cfbEntry

	followed int // sectors that were looked up for where streams are
}

// cfbEntry is an entry of the directory, section 2.6.
type cfbEntry struct {
	name                     string
	kind                     byte
	left, right, child, next uint32 // next: the first sector
	size                     int64
	parent                   int // -1 if nothing leads to the entry
}

const (
	cfbMagic  = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	cfbHeader = 512 // bytes of the header; sectors begin after it, or one sector further in
	cfbRecord = 128 // bytes of a directory entry
	cfbSmall  = 6   // a small sector has 1<<cfbSmall bytes
	cfbMost   = 0xfffffffa
	cfbListed = 109 // sectors of the table that the header lists

	cfbStorage = 1
	cfbStream  = 2
	cfbRoot    = 5

	// cfbDepth bounds storages inside each other.
	cfbDepth = 32
	// cfbEntries bounds the directory.
	cfbEntries = 1 << 17
)

var errCFB = errors.New("not a compound file")

// openCompound reads tables and directory, as far as they can be read. It may
// return both an error and a file that is useful.
func openCompound(c Content) (*compound, error) {
	h := fixed(c, 0, cfbHeader)
	if h == nil {
		return &compound{c: c}, io.ErrUnexpectedEOF
	}
	f := &compound{c: c, shift: uint(le16(h[30:])), cutoff: int64(le32(h[56:]))}
	if f.shift < 7 || f.shift > 16 {
		return f, fmt.Errorf("%w: sectors of 2^%d bytes", errCFB, f.shift)
	}
	if f.cutoff == 0 {
		f.cutoff = 4096
	}
	f.table(h)
	err := f.directory(le32(h[48:]))
	if len(f.entries) > 0 {
		root := f.entries[0]
		f.small = f.chain(root.next)
		f.mini = f.words(f.chain(le32(h[60:])), int64(len(f.small))<<f.shift>>cfbSmall)
	}
	f.adopt()
	return f, err
}

// sectors returns how many sectors there are, a last one that is cut off included.
func (f *compound) sectors() int64 {
	return (f.c.Size() + 1<<f.shift - 1) >> f.shift
}

// place returns where a sector begins. The header takes the room of one.
func (f *compound) place(sector uint32) int64 { return (int64(sector) + 1) << f.shift }

// table reads the table of sectors, the places of which the header lists; what
// the header has no room for is in sectors that name the next of their kind.
func (f *compound) table(h []byte) {
	per := int64(1) << f.shift / 4
	most := (f.sectors() + per - 1) / per
	var list []uint32
	add := func(b []byte) {
		for ; len(b) >= 4 && int64(len(list)) < most; b = b[4:] {
			if n := le32(b); n < cfbMost {
				list = append(list, n)
			}
		}
	}
	add(h[76 : 76+4*cfbListed])
	for next, n := le32(h[68:]), int64(0); next < cfbMost && n < most && int64(len(list)) < most; n++ {
		b := fixed(f.c, f.place(next), 1<<f.shift)
		if b == nil {
			break
		}
		add(b[:len(b)-4])
		next = le32(b[len(b)-4:])
	}
	f.fat = f.words(list, f.sectors())
}

// words reads up to most numbers from a list of sectors.
func (f *compound) words(sectors []uint32, most int64) []uint32 {
	var words []uint32
	for _, s := range sectors {
		for b := piece(f.c, f.place(s), 1<<f.shift); len(b) >= 4 && int64(len(words)) < most; b = b[4:] {
			words = append(words, le32(b))
		}
	}
	return words
}

// chain lists the sectors that begin with first. A chain in a circle ends where
// it would be longer than the table.
func (f *compound) chain(first uint32) []uint32 {
	var sectors []uint32
	for s := first; int64(s) < int64(len(f.fat)) && len(sectors) < len(f.fat); s = f.fat[s] {
		sectors = append(sectors, s)
	}
	return sectors
}

// directory reads the entries.
func (f *compound) directory(first uint32) error {
	sectors := f.chain(first)
	if len(sectors) == 0 && first < cfbMost {
		sectors = []uint32{first} // a table that is damaged
	}
	seen := map[uint32]bool{}
	for _, s := range sectors {
		if seen[s] {
			return fmt.Errorf("%w: the directory goes in circles", errCFB)
		}
		seen[s] = true
		for b := piece(f.c, f.place(s), 1<<f.shift); len(b) >= cfbRecord; b = b[cfbRecord:] {
			if len(f.entries) == cfbEntries {
				return fmt.Errorf("%w: more than %d entries", errCFB, cfbEntries)
			}
			f.entries = append(f.entries, f.entry(b))
		}
	}
	if len(f.entries) == 0 {
		return fmt.Errorf("%w: no directory", errCFB)
	}
	return nil
}

func (f *compound) entry(b []byte) cfbEntry {
	e := cfbEntry{
		kind: b[66], left: le32(b[68:]), right: le32(b[72:]), child: le32(b[76:]),
		next: le32(b[116:]), size: int64(le32(b[120:])), parent: -1,
	}
	if f.shift > 9 { // in version 3 the high half is void
		e.size |= int64(le32(b[124:])&0x7fffffff) << 32
	}
	e.name = cfbName(b[:min(64, int(le16(b[64:])))])
	return e
}

// cfbName returns a name without the NUL at its end.
func cfbName(b []byte) string {
	name, _, _ := strings.Cut(wideText(b), "\x00")
	return name
}

// adopt finds the storage each entry is in: the entries of a storage are a binary
// tree below its child.
func (f *compound) adopt() {
	if len(f.entries) == 0 {
		return
	}
	type branch struct {
		at     uint32
		parent int
	}
	open := []branch{{f.entries[0].child, 0}}
	for len(open) > 0 {
		b := open[len(open)-1]
		open = open[:len(open)-1]
		if b.at == 0 || int64(b.at) >= int64(len(f.entries)) || f.entries[b.at].parent >= 0 {
			continue
		}
		e := &f.entries[b.at]
		e.parent = b.parent
		open = append(open, branch{e.left, b.parent}, branch{e.right, b.parent})
		if e.kind == cfbStorage {
			open = append(open, branch{e.child, int(b.at)})
		}
	}
}

// path returns the name of an entry with those of the storages it is in.
func (f *compound) path(i int) string {
	path := f.entries[i].name
	for depth := 0; depth < cfbDepth; depth++ {
		if i = f.entries[i].parent; i <= 0 {
			break
		}
		path = f.entries[i].name + "/" + path
	}
	return path
}

// stream returns the content of an entry, for one goroutine. Its chain may end before its
// size.
func (f *compound) stream(e cfbEntry) *cfbContent {
	s := &cfbContent{f: f, table: f.fat, next: e.next, shift: f.shift, size: e.size}
	if e.size < f.cutoff {
		s.table, s.shift = f.mini, cfbSmall
	}
	return s
}

// cfbContent follows a chain as far as it is read.
type cfbContent struct {
	f     *compound
	table []uint32
	shift uint
	size  int64
	chain []uint32 // the first sectors
	next  uint32   // the one after them
}

// Size returns the size that the directory states.
func (s *cfbContent) Size() int64 { return s.size }

// ReadAt reads as io.ReaderAt says.
func (s *cfbContent) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n, want := 0, p[:min(int64(len(p)), s.size-off)]
	for n < len(want) {
		at := off + int64(n)
		b := s.sector(at >> s.shift)
		skip := at & (1<<s.shift - 1)
		if int64(len(b)) <= skip {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(want[n:], b[skip:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// sector returns the i-th sector of the chain, nil if it is not as long as that or
// goes in circles.
func (s *cfbContent) sector(i int64) []byte {
	if number, ok := s.number(i); ok {
		return s.f.sector(number, s.shift)
	}
	return nil
}

// number returns the number of the i-th sector of the chain, if it has one.
func (s *cfbContent) number(i int64) (uint32, bool) {
	for int64(len(s.chain)) <= i {
		if int64(s.next) >= int64(len(s.table)) || len(s.chain) >= len(s.table) {
			return 0, false
		}
		s.chain = append(s.chain, s.next)
		s.next = s.table[s.next]
	}
	return s.chain[i], true
}

// sector reads a sector, or a small one.
func (f *compound) sector(n uint32, shift uint) []byte {
	if at, ok := f.placeOf(n, shift); ok {
		return piece(f.c, at, 1<<shift)
	}
	return nil
}

// placeOf returns where a sector, or a small one, begins.
func (f *compound) placeOf(n uint32, shift uint) (int64, bool) {
	if shift != cfbSmall {
		return f.place(n), true
	}
	at := int64(n) << cfbSmall
	if holder := at >> f.shift; holder < int64(len(f.small)) {
		return f.place(f.small[holder]) + at&(1<<f.shift-1), true
	}
	return 0, false
}
