package picture

import (
	"encoding/binary"
	"errors"
	"io"
	"sort"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Sort is what an item of a set is.
type Sort byte

// The sorts of items.
const (
	Image  Sort = 'i' // a file of any format that is read
	PDF    Sort = 'p' // a document, whose pages show pictures
	Raster Sort = 'r' // what Matrix.Content returns
)

// Set is many pictures as one content, to be handed to a child at once. Its contents
// are read when they are looked at, and are not copied.
type Set struct {
	items []entry
	head  []byte // nil until the set is read
	ends  []int64
}

type entry struct {
	sort    Sort
	content scratch.Content
}

// Add adds a picture. Found.Item is the number of calls before. Add must not be called
// once the set was read.
func (s *Set) Add(sort Sort, c scratch.Content) { s.items = append(s.items, entry{sort, c}) }

// Len returns the number of pictures.
func (s *Set) Len() int { return len(s.items) }

const (
	setMagic  = "pictures"
	entrySize = 9
	mostItems = 20_000
)

// Seal makes the set ready to be read, by any number of goroutines.
func (s *Set) Seal() *Set {
	s.head = binary.LittleEndian.AppendUint32([]byte(setMagic), uint32(len(s.items)))
	for _, e := range s.items {
		s.head = append(s.head, byte(e.sort))
		s.head = binary.LittleEndian.AppendUint64(s.head, uint64(e.content.Size()))
	}
	at := int64(len(s.head))
	s.ends = []int64{at}
	for _, e := range s.items {
		at += e.content.Size()
		s.ends = append(s.ends, at)
	}
	return s
}

// Size returns the bytes of all pictures and of everything before them.
func (s *Set) Size() int64 { return s.ends[len(s.ends)-1] }

// ReadAt reads as io.ReaderAt says.
func (s *Set) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		at := off + int64(n)
		if at < 0 || at >= s.Size() {
			return n, io.EOF
		}
		got := 0
		if at < s.ends[0] {
			got = copy(p[n:], s.head[at:])
		} else {
			i := sort.Search(len(s.items), func(i int) bool { return s.ends[i+1] > at })
			most := min(int64(len(p)-n), s.ends[i+1]-at)
			got, err = s.items[i].content.ReadAt(p[n:n+int(most)], at-s.ends[i])
			if int64(got) == most {
				err = nil
			} else if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
		}
		n += got
	}
	return n, err
}

var errSet = errors.New("not a set of pictures")

// parseSet returns the items of a set.
func parseSet(c scratch.Content) ([]entry, error) {
	head, err := scratch.ReadAt(c, 0, len(setMagic)+4)
	if err != nil {
		return nil, err
	}
	if len(head) < len(setMagic)+4 || string(head[:len(setMagic)]) != setMagic {
		return nil, errSet
	}
	n := binary.LittleEndian.Uint32(head[len(setMagic):])
	if n > mostItems {
		return nil, errSet
	}
	table, err := scratch.ReadAt(c, int64(len(head)), int(n)*entrySize)
	if err != nil || len(table) < int(n)*entrySize {
		return nil, errors.Join(errSet, err)
	}
	at := int64(len(head) + len(table))
	var items []entry
	for ; len(table) > 0; table = table[entrySize:] {
		size := int64(binary.LittleEndian.Uint64(table[1:]))
		if size < 0 || size > c.Size()-at {
			return nil, errSet
		}
		items = append(items, entry{Sort(table[0]), io.NewSectionReader(c, at, size)})
		at += size
	}
	return items, nil
}
