package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// lhaFormat reads LHA and LArc archives with headers of the levels 0 to 3. What
// its data say of themselves is a CRC-16 and nothing else.
type lhaFormat struct{}

const (
	lhaFixed    = 22      // bytes of a header up to where the levels differ
	lhaMethod   = 2       // where its method is
	lhaExtended = 64      // extended headers of one member
	lhaRetries  = 1024    // marks of headers that were none
	lhaMostName = 1 << 13 // bytes of an extended header that are looked at
)

func (lhaFormat) Name() string { return "lha" }

func (lhaFormat) Match(head []byte, _ Content) bool { return lhaMark(head) }

func (lhaFormat) suffixes() []string { return []string{".lzh", ".lha"} }

// lhaMark reports whether b begins like a header: a method that is known, and a
// level.
func lhaMark(b []byte) bool {
	if len(b) < lhaFixed-1 || b[2] != '-' || b[6] != '-' || b[20] > 3 {
		return false
	}
	family, kind := string(b[3:5]), b[5]
	return family == "lh" && (kind >= '0' && kind <= '9' || kind == 'd' || kind == 'x') ||
		family == "lz" && (kind == 's' || kind >= '2' && kind <= '8') || family == "pm" && kind >= '0' && kind <= '2'
}

func (lhaFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &lhaWalk{walk: begin(ctx, c, b, visit), c: c}
	first := max(0, lhaBegin(c, nil))
	if first > 0 {
		w.note(prefixed, "by %d bytes", first)
	}
	for at := first; at < c.Size(); {
		h, err := readLHA(c, at)
		if err == io.EOF {
			return w.end(nil)
		}
		if err != nil {
			w.note(damagedContainer, "at byte %d: %v", at, err)
			if at = w.resume(at); at < 0 {
				break
			}
			continue
		}
		if err := w.one(h); err != nil {
			return w.end(err)
		}
		at = h.data + h.packed
	}
	return w.end(ctx.Err())
}

type lhaWalk struct {
	*walk
	c     Content
	tries int
}

// resume returns where the next header is after from, or -1.
func (w *lhaWalk) resume(from int64) int64 {
	for from += 3; w.tries < lhaRetries; w.tries++ {
		mark := find(w.c, "-l", from, w.c.Size())
		if mark < 0 {
			return -1
		}
		if h, err := readLHA(w.c, mark-2); err == nil && h != nil {
			return mark - 2
		}
		from = mark + 1
	}
	w.note(tooComplex, "too many false headers")
	return -1
}

func (w *lhaWalk) one(h *lhaMember) error {
	if h.method == "-lhd-" {
		return w.enter()
	}
	m := Member{Names: h.names(), Size: h.size}
	src, err := w.unpacked(h)
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
		return w.member(m, nil)
	}
	sum := &crc16{r: src}
	b, err := w.hand(m, sum)
	if err != nil {
		return err
	}
	w.noteEnd(m, b)
	if b.whole() && sum.sum != h.sum {
		w.noteLast(checksumMismatch, "%s", m.name())
	}
	return nil
}

// lhaMember is a header and where its data are.
type lhaMember struct {
	method       string
	packed, size int64
	sum          uint16
	name         string // in the header itself
	long         string // in an extended header
	unicode      string
	dir          string
	wideDir      string
	data         int64
}

// names returns all names with the directory that programs put before them.
func (m *lhaMember) names() []string {
	return distinct(join(m.dir, m.long), join(m.wideDir, m.unicode), m.name)
}

// join puts a directory, which may end with a slash, before a name.
func join(dir, name string) string {
	if dir == "" || name == "" {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

// unpacked returns the reader of the unpacked data of a member.
func (w *lhaWalk) unpacked(h *lhaMember) (io.Reader, error) {
	w.cost = codecBits
	if h.stored() {
		w.cost = codecNone
	}
	return h.open(w.feed(stretch(w.c, h.data, h.packed)))
}

func (m *lhaMember) stored() bool {
	return m.method == "-lh0-" || m.method == "-lz4-" || m.method == "-pm0-"
}

func (m *lhaMember) open(src io.Reader) (io.Reader, error) {
	if m.stored() {
		return src, nil
	}
	var unpacked io.Reader
	switch m.method {
	case "-lh1-":
		unpacked = newUnlzhuf(src)
	case "-lh4-":
		unpacked = newUnlzh(src, shapeLH4)
	case "-lh5-":
		unpacked = newUnlzh(src, shapeLH5)
	case "-lh6-":
		unpacked = newUnlzh(src, shapeLH6)
	case "-lh7-":
		unpacked = newUnlzh(src, shapeLH7)
	case "-lzs-":
		unpacked = newUnlzs(src)
	case "-lz5-":
		unpacked = newUnlz5(src)
	default:
		return nil, fmt.Errorf("method %s is %w", m.method, errUnsupported)
	}
	return &exactly{unpacked, m.size}, nil
}

var errLHA = errors.New("no header where one must be")

// readLHA reads the header at off; io.EOF at the mark of the end.
func readLHA(c Content, off int64) (*lhaMember, error) {
	b := piece(c, off, lhaFixed)
	if len(b) > 0 && b[0] == 0 && !lhaMark(b) {
		return nil, io.EOF
	}
	if !lhaMark(b) {
		return nil, errLHA
	}
	if len(b) < lhaFixed {
		return nil, io.ErrUnexpectedEOF
	}
	m := &lhaMember{method: string(b[2:7]), packed: int64(le32(b[7:])), size: int64(le32(b[11:]))}
	switch b[20] {
	case 0, 1:
		return m, m.short(c, off, b)
	default:
		return m, m.wide(c, off, b[20])
	}
}

// short reads the rest of a header of level 0 or 1, whose first byte is its
// length and whose second the sum of the others.
func (m *lhaMember) short(c Content, off int64, fixedPart []byte) error {
	b := fixed(c, off+2, int64(fixedPart[0]))
	name := int(fixedPart[21])
	if b == nil {
		return io.ErrUnexpectedEOF
	}
	var sum byte
	for _, c := range b {
		sum += c
	}
	if sum != fixedPart[1] || len(b) < lhaFixed+name {
		return fmt.Errorf("%w: checksum", errLHA)
	}
	b = b[lhaFixed-2:]
	m.name, m.sum = slashes(b[:name]), le16(b[name:])
	m.data = off + 2 + int64(fixedPart[0])
	if fixedPart[20] == 0 || len(b) < name+5 {
		return nil
	}
	// The packed size counts the extended headers, too.
	before := m.data
	err := m.extended(c, int64(le16(b[len(b)-2:])), 2)
	m.packed = max(0, m.packed-(m.data-before))
	return err
}

// wide reads the rest of a header of level 2 or 3, which has sizes of 2 or 4
// bytes.
func (m *lhaMember) wide(c Content, off int64, level byte) error {
	b := fixed(c, off, 32)
	if b == nil {
		return io.ErrUnexpectedEOF
	}
	m.sum = le16(b[21:])
	end, first, width := int64(le16(b)), int64(le16(b[24:])), int64(2)
	m.data = off + 26
	if level == 3 {
		end, first, width = int64(le32(b[24:])), int64(le32(b[28:])), 4
		m.data = off + 32
	}
	err := m.extended(c, first, width)
	m.data = max(m.data, off+end)
	return err
}

// extended reads the extended headers that begin at m.data, the first having
// size bytes, and sets m.data after them.
func (m *lhaMember) extended(c Content, size, width int64) error {
	for range lhaExtended {
		if size == 0 {
			return nil
		}
		next := fixed(c, m.data+size-width, width)
		if size <= width || next == nil {
			return fmt.Errorf("%w: an extended header of %d bytes", errLHA, size)
		}
		if b := piece(c, m.data, min(size-width, lhaMostName)); len(b) > 0 {
			m.extension(b[0], b[1:])
		}
		m.data += size
		if size = int64(le16(next)); width == 4 {
			size = int64(le32(next))
		}
	}
	return fmt.Errorf("%w: too many extended headers", errLHA)
}

// extension takes the names from an extended header.
func (m *lhaMember) extension(kind byte, b []byte) {
	switch kind {
	case 0x01:
		m.long = slashes(b)
	case 0x02:
		m.dir = slashes(b)
	case 0x44:
		m.unicode = wideText(b)
	case 0x45:
		m.wideDir = strings.ReplaceAll(wideText(b), "\uffff", "/")
	case 0x42:
		if len(b) >= 16 {
			m.packed, m.size = int64(le64(b)&largest), int64(le64(b[8:])&largest)
		}
	}
}

// slashes returns a path whose components LHA separates by 0xff.
func slashes(b []byte) string { return strings.ReplaceAll(string(b), "\xff", "/") }

// wideText returns text in UTF-16, lowest byte first.
func wideText(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = le16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
