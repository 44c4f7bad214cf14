package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// tarFormat reads tar in the dialects of V7, ustar, PAX and GNU, through
// archive/tar. After a damaged header it looks for the next good one, as tar(1)
// does.
type tarFormat struct{}

// tarBlock is the unit of a tar file.
const tarBlock = 512

func (tarFormat) Name() string { return "tar" }

func (tarFormat) Match(head []byte, _ Content) bool {
	return len(head) >= tarBlock && tarHeader(head[:tarBlock])
}

// tarHeader reports whether the block is a tar header: its checksum, taken with
// the checksum field blank, is the only mark all dialects share.
func tarHeader(block []byte) bool {
	if first := block[148]; block[0] == 0 || first != ' ' && first != 0 && (first < '0' || first > '7') {
		return false
	}
	field := bytes.Trim(block[148:156], " \x00")
	if len(bytes.Trim(field, "+-01234567")) > 0 { // as of most blocks
		return false
	}
	want, err := strconv.ParseInt(string(field), 8, 64)
	if err != nil {
		return false
	}
	var unsigned, signed int64
	for i, c := range block {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

func (tarFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	begins := tarBegins(c, nil)
	switch {
	case len(begins) == 0 && !blank(c):
		w.note(damagedContainer, "no header in the first %d bytes", min(c.Size(), sfxSize))
	case len(begins) > 0 && begins[0] > 0 && spoiledTarHeader(c):
		w.note(damagedContainer, "at byte 0: a header with a wrong checksum")
	}
	for _, at := range begins {
		if at > 0 {
			w.note(prefixed, "by %d bytes", at)
		}
		if err := (&tarWalk{walk: w, tries: map[int64]int{}}).all(at); err != nil {
			return w.end(err)
		}
	}
	return w.end(ctx.Err())
}

// all walks all runs of members from the header at a place on.
func (t *tarWalk) all(first int64) error {
	for from := first; from < t.c.Size(); {
		t.in, t.from, t.safe = &counted{r: t.source(from)}, from, from
		err := t.run(tar.NewReader(t.in))
		if stop, ok := err.(walkError); ok {
			return stop.error
		}
		if at, ok := t.again(err); ok {
			from = at
			continue
		}
		if err != nil {
			t.note(damagedContainer, "at byte %d: %v", from+t.in.n, err)
		}
		t.hidden = err == nil
		from = t.next(from + max(t.in.n, tarBlock))
	}
	return nil
}

type tarWalk struct {
	*walk
	in     *counted      // of the run that is walked
	from   int64         // where that began
	safe   int64         // where the next member begins, headers that belong to its own included; -1 if not known
	hidden bool          // beyond the end mark, which only tar --ignore-zeros skips
	tries  map[int64]int // how often a header was tried that archive/tar refuses
	mended int64         // the header that is read mended
}

// tarTries is how often a header is tried: mended, and mended without what comes
// before it and belongs to it.
const tarTries = 2

// again decides, after an error, whether the header that was refused is to be read
// once more with its numbers mended, and from where: GNU tar warns of a number it
// cannot read, of most not even that, and unpacks the member.
func (t *tarWalk) again(err error) (from int64, ok bool) {
	at := t.from + t.in.n - tarBlock
	block := fixed(t.c, at, tarBlock)
	if err == nil || block == nil || !tarHeader(block) || t.tries[at] == tarTries {
		return 0, false
	}
	t.mended = at
	if t.tries[at]++; t.tries[at] == 1 {
		t.noteNext(oddHeader, "at byte %d: %v", at, err)
		if t.safe >= 0 && t.safe < at {
			return t.safe, true
		}
	}
	return at, true
}

// source reads the archive from one place on, with the header mended that is to be.
func (t *tarWalk) source(from int64) io.Reader {
	rest := func(at int64) io.Reader { return io.NewSectionReader(t.c, at, t.c.Size()-at) }
	if t.tries[t.mended] == 0 || t.mended < from {
		return rest(from)
	}
	return io.MultiReader(io.NewSectionReader(t.c, from, t.mended-from), bytes.NewReader(t.mend(t.mended)), rest(t.mended+tarBlock))
}

// tarNumbers are the places of numbers in a header: mode, owner, group, time, and
// those of devices and of GNU tar, which begin where others have names.
var tarNumbers = [...]span{{100, 108}, {108, 116}, {116, 124}, {136, 148}, {329, 337}, {337, 345}}

// mend returns the header at a place with no number in it but the size. One whose size
// cannot be read goes on to the next header.
func (t *tarWalk) mend(at int64) []byte {
	block := piece(t.c, at, tarBlock)
	for _, n := range tarNumbers {
		clear(block[n.start:n.end])
	}
	if _, ok := tarNumber(block[124:136]); !ok {
		copy(block[124:136], fmt.Sprintf("%011o\x00", t.next(at+tarBlock)-at-tarBlock))
	}
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

// tarNumber returns a number of a header, in octal digits or in base 256.
func tarNumber(field []byte) (int64, bool) {
	if field[0]&0x80 != 0 {
		n := int64(field[0] & 0x7f)
		for _, c := range field[1:] {
			if n > largest>>8 {
				return 0, false
			}
			n = n<<8 | int64(c)
		}
		return n, true
	}
	n, err := strconv.ParseInt("0"+string(bytes.Trim(field, " \x00")), 8, 62)
	return n, err == nil
}

// run walks one run of members without damage between them; nil at the end mark.
func (t *tarWalk) run(r *tar.Reader) error {
	for {
		var h *tar.Header
		err := safely(func() (err error) { h, err = r.Next(); return err })
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if err := t.one(h, r); err != nil {
			return stop(err)
		}
	}
}

func (t *tarWalk) one(h *tar.Header, body io.Reader) error {
	m := Member{Names: distinct(h.Name), Size: h.Size, Hidden: t.hidden}
	t.safe = t.after(h)
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return t.enter()
	case tar.TypeReg:
		m.Places = t.place(h)
	case tar.TypeSymlink, tar.TypeLink:
		m.Link = true
		if h.Size == 0 {
			body = bytes.NewReader([]byte(h.Linkname))
		}
	}
	if m.Hidden {
		t.noteNext(hiddenMember, "%s stands after the end of the archive", m.name())
	}
	return t.member(m, body)
}

// place returns where a file is that is not stored as sparse: after its header,
// which was just read.
func (t *tarWalk) place(h *tar.Header) Places {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return nil
		}
	}
	at := t.from + t.in.n
	return Places{{at, at + h.Size}}
}

// after returns where the next member begins after one whose header was just read.
func (t *tarWalk) after(h *tar.Header) int64 {
	at := t.from + t.in.n
	switch {
	case h.Typeflag == tar.TypeGNUSparse, t.place(h) == nil: // stored shorter than it is
		return -1
	case h.Typeflag >= tar.TypeLink && h.Typeflag <= tar.TypeFifo: // a header alone
		return at
	}
	return at + (h.Size+tarBlock-1)/tarBlock*tarBlock
}

// next finds the next header of the run that is walked.
func (t *tarWalk) next(at int64) int64 { return nextTarHeader(t.c, at, t.from) }

// nextTarHeader finds the next block with a valid checksum at or after a place, or the
// end of the content. Blocks are as far from begin as they are long.
func nextTarHeader(c Content, at, begin int64) int64 {
	at += (begin - at) & (tarBlock - 1)
	block := make([]byte, tarBlock)
	for ; at < c.Size(); at += tarBlock {
		if n, _ := c.ReadAt(block, at); n == tarBlock && tarHeader(block) {
			return at
		}
	}
	return at
}

// counted counts the bytes read from r.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
