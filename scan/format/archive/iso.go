package archive

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// isoFormat reads disc images with the file system ISO 9660 (ECMA-119), its
// extensions Joliet and Rock Ridge, and its later version of 1999. Each
// descriptor has a separate tree over the same data; programs go by different
// ones, so their names are put together, and a file that not all of them have is
// told.
type isoFormat struct{}

const (
	isoSector      = 2048
	isoFirst       = 16 // sector of the first descriptor
	isoDescriptors = 64
	isoMagic       = "CD001"
)

func (isoFormat) Name() string { return "iso" }

func (isoFormat) Match(_ []byte, c Content) bool { return isoTrack(c) != nil }

// isoLayouts are the sizes of sectors, and of the header before the data in
// them: plain images, and raw ones of several kinds of track.
var isoLayouts = [...]struct{ sector, header int64 }{{2048, 0}, {2352, 16}, {2352, 24}, {2336, 8}, {2448, 16}, {2448, 24}}

// isoTrack presents the content as sectors of 2048 bytes, nil if it has no descriptor
// of ISO 9660.
func isoTrack(c Content) Content {
	for _, l := range isoLayouts {
		if b := fixed(c, isoFirst*l.sector+l.header, 6); b != nil && string(b[1:]) == isoMagic {
			if l.header == 0 {
				return c
			}
			return &rawTrack{c, l.sector, l.header}
		}
	}
	return nil
}

// rawTrack is the data of an image whose sectors have headers and checksums.
type rawTrack struct {
	c              Content
	sector, header int64
}

// Size counts the sectors, also one that is cut off.
func (t *rawTrack) Size() int64 { return (t.c.Size() + t.sector - 1) / t.sector * isoSector }

// ReadAt reads as io.ReaderAt says.
func (t *rawTrack) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		inside := at % isoSector
		part := p[n:min(len(p), n+int(isoSector-inside))]
		got, err := t.c.ReadAt(part, at/isoSector*t.sector+t.header+inside)
		if n += got; got < len(part) {
			return n, err
		}
	}
	return n, nil
}

func (isoFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	track := isoTrack(c)
	w := &isoWalk{walk: begin(ctx, c, b, visit), c: track, files: map[isoKey]*isoFile{}}
	w.apart = true // each tree names them again
	if track == nil {
		w.note(damagedContainer, "no descriptor")
		return w.end(nil)
	}
	w.room = 2 * track.Size()
	w.descriptors()
	for i := range w.trees {
		if err := w.tree(i); err != nil {
			return w.end(err)
		}
	}
	for _, f := range w.order {
		if err := w.one(f); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

type isoWalk struct {
	*walk
	c     Content
	trees []isoTree
	room  int64 // bytes of directories that may still be read; they do not overlap
	files map[isoKey]*isoFile
	order []*isoFile
}

// isoTree is what a descriptor says.
type isoTree struct {
	joliet bool // names are UTF-16, highest byte first
	block  int64
	root   []byte // the record of the root directory
}

// isoKey tells files apart: by where they begin and how long they are.
type isoKey struct{ start, size int64 }

// isoFile is a file of any of the trees.
type isoFile struct {
	names   []string
	extents []span
	size    int64
	trees   int // in how many of the trees it is
	last    int // the tree it was seen in last
	link    bool
	packed  bool // by zisofs
}

// descriptors reads the volume descriptors, the one with the longest names first,
// and looks for other file systems.
func (w *isoWalk) descriptors() {
	for i := range int64(isoDescriptors) {
		b := fixed(w.c, (isoFirst+i)*isoSector, isoSector)
		if b == nil {
			break
		}
		switch string(b[1:6]) {
		case isoMagic:
			w.descriptor(b)
		case "NSR02", "NSR03":
			w.note(secondFileSystem, "UDF")
		}
	}
	if b := fixed(w.c, 1024, 2); b != nil && hasAny(b, "BD", "H+", "HX") {
		w.note(secondFileSystem, "HFS")
	}
	slices.SortStableFunc(w.trees, func(a, b isoTree) int {
		switch {
		case a.joliet == b.joliet:
			return 0
		case a.joliet:
			return -1
		}
		return 1
	})
}

// descriptor keeps a descriptor that has a tree, unless another has the same.
func (w *isoWalk) descriptor(b []byte) {
	const primary, supplementary = 1, 2
	t := isoTree{block: int64(le16(b[128:])), root: b[156:190]}
	switch b[0] {
	case primary:
	case supplementary:
		level := string(b[88:91])
		t.joliet = level == "%/@" || level == "%/C" || level == "%/E"
	default:
		return
	}
	if t.block != 512 && t.block != 1024 {
		t.block = isoSector
	}
	known := slices.ContainsFunc(w.trees, func(o isoTree) bool {
		return o.joliet == t.joliet && string(o.root[2:18]) == string(t.root[2:18])
	})
	if !known {
		w.trees = append(w.trees, t)
	}
}

// one hands over a file.
func (w *isoWalk) one(f *isoFile) error {
	m := Member{Names: distinct(f.names...), Size: f.size, Link: f.link}
	if f.trees < len(w.trees) && !f.link && f.size > 0 {
		m.Hidden = true
		w.noteNext(hiddenMember, "%s is in %d of %d trees", m.name(), f.trees, len(w.trees))
	}
	if f.packed {
		w.noteNext(unsupportedMethod, "%s: zisofs is %v", m.name(), errUnsupported)
	}
	var parts []io.Reader
	for _, e := range f.extents {
		parts = append(parts, stretch(w.c, e.start, e.end-e.start))
		m.Places = m.Places.with(e)
	}
	return w.member(m, io.MultiReader(parts...))
}

// isoName returns a name of the plain kind without its version.
func isoName(name string) string {
	if i := strings.LastIndexByte(name, ';'); i > 0 {
		name = name[:i]
	}
	return strings.TrimSuffix(name, ".")
}

// errDirectories says that directories overlap.
var errDirectories = fmt.Errorf("the directories are larger than the image")
