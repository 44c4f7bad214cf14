package archive

import (
	"encoding/binary"
	"unicode/utf16"
)

// isoDepth bounds directories inside each other; the standard says 8.
const isoDepth = 64

// isoDirectory is a directory that is to be read.
type isoDirectory struct {
	extent span
	path   string // with a slash at its end, empty for the root
	depth  int
}

// tree collects the files of one tree. An error ends the walk.
func (w *isoWalk) tree(i int) error {
	t := w.trees[i]
	root, ok := readISO(t.root, t.block)
	if !ok {
		w.note(damagedContainer, "a descriptor without a root")
		return nil
	}
	r := &isoReader{isoWalk: w, isoTree: t, number: i, seen: map[int64]bool{}}
	open := []isoDirectory{{extent: root.extent}}
	for len(open) > 0 {
		d := open[0]
		open = open[1:]
		if r.seen[d.extent.start] {
			continue
		}
		r.seen[d.extent.start] = true
		if err := w.enter(); err != nil {
			return err
		}
		below, err := r.directory(d)
		if err != nil {
			w.note(tooComplex, "%v", err)
			return nil
		}
		open = append(open, below...)
	}
	return nil
}

// isoReader reads one tree.
type isoReader struct {
	*isoWalk
	isoTree
	number int
	seen   map[int64]bool // directories, by their places
	skip   int            // bytes before Rock Ridge in every record
	rock   bool
	part   *isoFile // a file of which further extents follow
}

// isoRecord is a directory record, section 9.1.
type isoRecord struct {
	extent span
	flags  byte
	name   []byte
	use    []byte // for the system's use: Rock Ridge
}

const (
	isoDirectoryFlag  = 1 << 1
	isoAssociatedFlag = 1 << 2
	isoMoreFlag       = 1 << 7
)

// readISO reads the record at the beginning of b.
func readISO(b []byte, block int64) (isoRecord, bool) {
	if len(b) < 34 || int(b[0]) > len(b) || int(b[0]) < 33+int(b[32]) {
		return isoRecord{}, false
	}
	r := isoRecord{flags: b[25], name: b[33 : 33+b[32]]}
	start := (int64(le32(b[2:])) + int64(b[1])) * block
	r.extent = span{start, start + int64(le32(b[10:]))}
	use := 33 + int(b[32])
	use += 1 - int(b[32])&1 // padded to an even place
	if use < int(b[0]) {
		r.use = b[use:b[0]]
	}
	return r, true
}

// directory collects the files of a directory and returns those below it.
// Records do not cross the borders of sectors.
func (r *isoReader) directory(d isoDirectory) ([]isoDirectory, error) {
	if d.extent.end > r.c.Size() {
		r.note(damagedContainer, "the directory %q goes beyond the end of the image", d.path)
	}
	var below []isoDirectory
	for at := d.extent.start; at < min(d.extent.end, r.c.Size()); at += isoSector {
		if r.room -= isoSector; r.room < 0 {
			return nil, errDirectories
		}
		b := piece(r.c, at, min(isoSector, d.extent.end-at))
		for len(b) > 0 && b[0] != 0 {
			record, ok := readISO(b, r.block)
			if !ok {
				r.note(damagedContainer, "a bad record in the directory %q", d.path)
				break
			}
			b = b[b[0]:]
			if sub, ok := r.record(d, record); ok {
				below = append(below, sub)
			}
			if int64(len(r.order)) > r.budget.Left().Entries {
				return below, nil // handing them over will say so
			}
		}
	}
	return below, nil
}

// record takes in one record; ok if it is a directory that is to be read.
func (r *isoReader) record(d isoDirectory, record isoRecord) (sub isoDirectory, ok bool) {
	if len(record.name) == 1 && record.name[0] <= 1 { // the directory itself, or the one above
		if d.path == "" && record.name[0] == 0 {
			r.skip, r.rock = rockBegins(record.use)
		}
		return sub, false
	}
	rock := r.extension(record)
	name := r.name(record)
	if record.flags&isoDirectoryFlag == 0 {
		r.file(d.path, name, rock, record)
		return sub, false
	}
	if d.depth == isoDepth {
		r.note(tooComplex, "directories %d deep", isoDepth)
		return sub, false
	}
	if rock.name != "" {
		name = rock.name
	}
	return isoDirectory{record.extent, d.path + name + "/", d.depth + 1}, true
}

func (r *isoReader) extension(record isoRecord) rockRidge {
	if !r.rock || len(record.use) < r.skip {
		return rockRidge{}
	}
	return readRockRidge(r.c, record.use[r.skip:])
}

func (r *isoReader) name(record isoRecord) string {
	if !r.joliet {
		return isoName(string(record.name))
	}
	units := make([]uint16, len(record.name)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(record.name[2*i:])
	}
	return isoName(string(utf16.Decode(units)))
}

// file takes in a file, or a further extent of one.
func (r *isoReader) file(dir, name string, rock rockRidge, record isoRecord) {
	if rock.moved {
		return
	}
	names := []string{dir + name}
	if rock.name != "" {
		names = []string{dir + rock.name, dir + name}
	}
	f := r.part
	if f == nil {
		f = &isoFile{names: names, link: rock.link, packed: rock.packed}
	}
	f.extents = append(f.extents, record.extent)
	f.size += record.extent.end - record.extent.start
	if r.part = nil; record.flags&isoMoreFlag != 0 && len(f.extents) < isoExtents {
		r.part = f
		return
	}
	r.add(f)
}

// isoExtents bounds the pieces of a file, each of which may have 4 GB.
const isoExtents = 1 << 12

// add puts a file to those known, or its names to those of one that is.
func (r *isoReader) add(f *isoFile) {
	key := isoKey{f.extents[0].start, f.size}
	have := r.files[key]
	if have == nil || f.size == 0 {
		f.trees, f.last = 1, r.number
		r.files[key] = f
		r.order = append(r.order, f)
		return
	}
	if have.last != r.number {
		have.trees++
		have.last = r.number
	}
	if len(have.names) < isoNames {
		have.names = append(have.names, f.names...)
	}
	have.packed = have.packed || f.packed
}

// isoNames bounds the names of one file; each directory may hold the same data
// under further ones.
const isoNames = 64
