package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// cabFormat reads Microsoft's cabinets (MS-CAB). Members are one after the
// other in folders, and a folder is unpacked from its beginning, so that members
// in the order of their places cost one pass. Others cost one each, and all of it
// is charged.
type cabFormat struct{}

const (
	cabMagic  = "MSCF"
	cabHeader = 36 // bytes of the fixed header, section 2.1
	cabFile   = 16 // of a member's, before its name, section 2.3
	cabData   = 8  // of a block's, section 2.4
	cabName   = 1 << 10

	// A folder is unpacked again for a member that does not follow the one before,
	// so often in a cabinet.
	cabRewinds = 64

	// Flags of the header.
	cabPrevious = 1 << 0
	cabNext     = 1 << 1
	cabReserve  = 1 << 2

	// Folder numbers of members that are in other cabinets as well.
	cabFromPrevious = 0xfffd
	cabToNext       = 0xfffe
	cabBoth         = 0xffff
)

func (cabFormat) Name() string { return "cab" }

func (cabFormat) Match(head []byte, _ Content) bool { return len(head) > 8 && hasAny(head, cabMagic) }

func (cabFormat) suffixes() []string { return []string{".cab"} }

func (cabFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	all := begin(ctx, c, b, visit)
	all.cost = codecDeflate
	at := int64(0)
	if !(cabFormat{}).Match(piece(c, 0, HeadSize), c) {
		at = max(0, cabBegin(c, 0, nil))
	}
	for at >= 0 {
		if at > 0 {
			all.note(prefixed, "by %d bytes", at)
			if err := all.enter(); err != nil {
				return all.end(err)
			}
		}
		w := &cabWalk{walk: all, c: io.NewSectionReader(c, at, c.Size()-at), open: -1}
		if err := w.all(); err != nil {
			return all.end(err)
		}
		at = cabBegin(c, at+max(w.length(), 1), nil)
	}
	return all.end(nil)
}

func (cabFormat) inside(c Content, taken Places) bool { return cabBegin(c, 0, taken) >= 0 }

// cabBegin returns where a cabinet begins at or after a place, -1 if none does within
// sfxSize: cabextract finds all that are in a file.
func cabBegin(c Content, from int64, taken Places) int64 {
	return eachBegin(c, from, cabMagic, 0, func(h []byte, at int64) bool {
		return len(h) >= cabHeader && le16(h[26:]) > 0 && le16(h[28:]) > 0 && int64(le32(h[16:])) < c.Size()-at && !taken.hold(at)
	})
}

// length returns how long the cabinet is by its header, no more than there is.
func (w *cabWalk) length() int64 {
	h := fixed(w.c, 0, cabHeader)
	if h == nil {
		return 0
	}
	return min(int64(le32(h[8:])), w.c.Size()-1)
}

// all hands over the members of one cabinet.
func (w *cabWalk) all() error {
	if err := w.header(); err != nil {
		w.note(damagedContainer, "header: %v", err)
		return nil
	}
	for range w.members {
		m, err := w.next()
		if err != nil {
			w.note(damagedContainer, "after %d members: %v", w.count, err)
			return nil
		}
		if err := w.one(m); err != nil {
			return err
		}
	}
	return nil
}

type cabWalk struct {
	*walk
	c       Content // of the cabinet and what follows it
	folders []cabFolder
	members int
	at      int64 // of the next member's header
	reserve int64 // bytes that every block's header has besides
	open    int   // folder that is being unpacked, -1 for none
	stream  *counted
	rewinds int // times that a folder was begun
}

// errOverlap says that members are in each other too often.
var errOverlap = errors.New("too many members that do not follow each other")

// cabFolder is a run of blocks that are packed as one.
type cabFolder struct {
	start  int64
	blocks int
	method uint16
}

// cabMember is a member's header.
type cabMember struct {
	name   string
	size   int64
	offset int64 // in the unpacked folder
	folder int
}

// header reads all up to the members' headers.
func (w *cabWalk) header() error {
	h := fixed(w.c, 0, cabHeader)
	if h == nil {
		return io.ErrUnexpectedEOF
	}
	w.at, w.members = int64(le32(h[16:])), int(le16(h[28:]))
	flags, at := le16(h[30:]), int64(cabHeader)
	var folder int64
	if flags&cabReserve != 0 {
		r := fixed(w.c, at, 4)
		if r == nil {
			return io.ErrUnexpectedEOF
		}
		at += 4 + int64(le16(r))
		folder, w.reserve = int64(r[2]), int64(r[3])
	}
	for _, flag := range [...]uint16{cabPrevious, cabNext} {
		if flags&flag == 0 {
			continue
		}
		w.note(volume, "one cabinet of several")
		for range 2 { // the names of the other cabinet and of its disk
			name, ok := w.text(at)
			if !ok {
				return io.ErrUnexpectedEOF
			}
			at += int64(len(name)) + 1
		}
	}
	return w.folderHeaders(at, int(le16(h[26:])), folder)
}

func (w *cabWalk) folderHeaders(at int64, n int, reserve int64) error {
	for range n {
		b := fixed(w.c, at, 8)
		if b == nil {
			return io.ErrUnexpectedEOF
		}
		w.folders = append(w.folders, cabFolder{start: int64(le32(b)), blocks: int(le16(b[4:])), method: le16(b[6:])})
		at += 8 + reserve
	}
	return nil
}

// text reads a string that ends with NUL.
func (w *cabWalk) text(at int64) (string, bool) {
	s, _, ok := cstring(piece(w.c, at, cabName))
	return s, ok
}

// next reads the next member's header.
func (w *cabWalk) next() (cabMember, error) {
	b := fixed(w.c, w.at, cabFile)
	name, ok := w.text(w.at + cabFile)
	if b == nil || !ok {
		return cabMember{}, io.ErrUnexpectedEOF
	}
	w.at += cabFile + int64(len(name)) + 1
	return cabMember{name: name, size: int64(le32(b)), offset: int64(le32(b[4:])), folder: int(le16(b[8:]))}, nil
}

func (w *cabWalk) one(f cabMember) error {
	m := Member{Names: distinct(f.name), Size: f.size}
	switch f.folder {
	case cabFromPrevious, cabBoth:
		w.noteNext(volume, "%s begins in another cabinet", m.name())
		return w.member(m, nil)
	case cabToNext:
		w.noteNext(volume, "%s goes on in another cabinet", m.name())
		f.folder = len(w.folders) - 1
	}
	err := w.seek(f)
	if stop, ok := err.(walkError); ok {
		return stop.error
	}
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
		return w.member(m, nil)
	}
	return w.member(m, &exactly{w.stream, f.size})
}

// seek unpacks a member's folder up to the member.
func (w *cabWalk) seek(f cabMember) error {
	if f.folder < 0 || f.folder >= len(w.folders) {
		return fmt.Errorf("there is no folder %d", f.folder)
	}
	if w.open != f.folder || w.stream.n > f.offset {
		if w.rewinds++; w.rewinds > len(w.folders)+cabRewinds {
			return errOverlap
		}
		src, err := w.unpacked(w.folders[f.folder])
		if err != nil {
			return err
		}
		w.open, w.stream = f.folder, &counted{r: src}
	}
	skip := f.offset - w.stream.n
	b, err := w.discard(&exactly{w.stream, skip})
	if b.limited() || w.ctx.Err() != nil {
		return stop(err)
	}
	return err
}

// unpacked returns the unpacked data of a folder.
func (w *cabWalk) unpacked(f cabFolder) (io.Reader, error) {
	blocks := &cabBlocks{walk: w, left: f.blocks, at: f.start}
	switch f.method & 15 {
	case 0:
		return &cabStored{blocks: blocks}, nil
	case 1:
		blocks.feed = w.feed(nil)
		return &mszip{blocks: blocks, budget: w.budget}, nil
	case 2:
		return nil, fmt.Errorf("the method Quantum is %w", errUnsupported)
	case 3:
		return nil, fmt.Errorf("the method LZX is %w", errUnsupported)
	}
	return nil, fmt.Errorf("method %d is %w", f.method&15, errUnsupported)
}
