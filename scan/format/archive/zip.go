package archive

import (
	"cmp"
	"context"
	"slices"
)

// zipFormat reads zip (PKWARE APPNOTE 6.3) from all that describes its members:
// every central directory, the local headers, and local headers no directory
// lists. Programs go by different ones of these, so all members any of them
// would show are handed over.
//
// What bounds a member's data is not a declared size but the next thing whose
// place is known, so that no byte of the container is unpacked twice: archive
// bombs of overlapping members (Fifield, A better zip bomb, WOOT 2019) come to
// nothing.
type zipFormat struct{}

func (zipFormat) Name() string { return "zip" }

func (zipFormat) Match(head []byte, _ Content) bool {
	return hasAny(head, "PK\x03\x04", "PK\x05\x06", "PK\x01\x02", "PK\x07\x08PK", "PK00PK")
}

// inside looks for the end record, where the programs look for it.
func (zipFormat) inside(c Content, taken Places) bool {
	z := &zipFile{c: c, size: c.Size(), limit: zipTries}
	return slices.ContainsFunc(z.endsIn(max(0, z.size-zipTail), z.size), func(e zipEnd) bool {
		return slices.ContainsFunc(z.places(e), func(d zipDirectory) bool { return !z.inMember(e, d, taken) })
	})
}

// inMember reports whether all that the directory leads to is in one of the
// places that are taken: such a zip is what the member there holds. One that goes
// on outside of it is not what the member shows.
func (z *zipFile) inMember(e zipEnd, d zipDirectory, taken Places) bool {
	place, ok := taken.around(e.pos)
	if !ok {
		return false
	}
	headers, _ := z.centrals(d.start)
	return !slices.ContainsFunc(headers, func(h *zipHeader) bool {
		at := d.base + h.offset
		return (at < place.start || at >= place.end) && z.local(at) != nil
	})
}

func (zipFormat) suffixes() []string {
	return []string{".zip", ".jar", ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".apk", ".xpi"}
}

func (zipFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	m := &manifest{visit: visit}
	w := begin(ctx, c, b, m.member)
	z := &zipFile{c: c, size: c.Size(), limit: b.Left().Entries + 1}
	z.read()
	z.report(w)
	r := &zipReader{walk: w, zip: z, windows: newWindows(w.budget, zipWindow), inflater: inflaters.Get().(*inflater)}
	defer r.giveBack()
	for i := 0; i < len(z.entries); i++ { // reading a member may find more of them
		if err := r.entry(z.entries[i]); err != nil {
			return w.end(err)
		}
	}
	if m.encrypted {
		w.note(encryptedDocument, "%s tells of it", manifestName)
	}
	return w.end(nil)
}

// zipFile is what the structure of a zip says.
type zipFile struct {
	c       Content
	size    int64
	limit   int64 // entries that are worth reading
	dirs    []zipDirectory
	entries []*zipEntry
	starts  []int64 // places where something known begins, ascending
	tries   int     // marks of headers that were none
	split   bool    // says that it is one volume of a set
	sealed  bool    // the central directory is encrypted
	astray  int     // end records that point to no directory
}

// zipTries bounds the search for headers outside the known members.
const zipTries = 4096

// zipDirectory is a central directory that was read.
type zipDirectory struct {
	start, end int64 // of its headers
	base       int64 // what its offsets count from
	record     span  // the end record, its zip64 form and its comment
}

// zipEntry is one member as its headers describe it.
type zipEntry struct {
	central  *zipHeader // nil if no directory lists it
	local    *zipHeader // nil if there is none where the directory points
	dir      int        // index of its directory, -1 without one
	first    *zipEntry  // the entry before it that has the same data, or nil
	overlaps bool       // its declared data reaches into what follows
	declared int64      // where its data ends by what its headers say
	room     [2]*zipHeader
}

// read finds all directories and members. It searches the gaps between the known
// ones for more, first for directories, then for single members.
func (z *zipFile) read() {
	z.directories(z.endsIn(max(0, z.size-zipTail), z.size))
	var more []zipEnd
	for _, gap := range z.gaps(zipEndSize) {
		more = append(more, z.endsIn(gap.start, gap.end)...)
	}
	z.directories(more)
	for _, gap := range z.gaps(zipLocalSize) {
		z.hidden(gap.start, gap.end)
	}
	z.settle()
}

// directories reads the directories that the end records point to, the last
// first: it is the one most programs read. Records inside something known, such
// as a zip that is stored in this one, are no records of ours.
func (z *zipFile) directories(ends []zipEnd) {
	known := z.members()
	for _, end := range slices.Backward(ends) {
		if slices.ContainsFunc(known, func(s span) bool { return s.start <= end.pos && end.pos < s.end }) {
			continue
		}
		z.split = z.split || end.disk != 0
		places := z.places(end)
		if places == nil && (end.entries > 0 || end.size > 0) {
			z.astray++
		}
		for _, d := range places {
			z.directory(d)
			known = z.members()
		}
	}
}

// zipDirectories bounds how many directories are read; members that further ones
// list are found by their local headers.
const zipDirectories = 16

// directory reads the entries of d, unless its place is known already.
func (z *zipFile) directory(d zipDirectory) {
	if len(z.dirs) == zipDirectories {
		return
	}
	for _, have := range z.dirs {
		if have.start == d.start && have.base == d.base {
			return
		}
	}
	headers, end := z.centrals(d.start)
	d.end = end
	z.dirs = append(z.dirs, d)
	for _, h := range headers {
		z.entries = append(z.entries, z.entryOf(h, len(z.dirs)-1))
	}
}

func (z *zipFile) entryOf(h *zipHeader, dir int) *zipEntry {
	e := &zipEntry{central: h, dir: dir}
	for _, base := range []int64{z.dirs[dir].base, 0} {
		if e.local = z.local(base + h.offset); e.local != nil {
			e.declared = e.local.data + h.packed
			break
		}
	}
	return e
}

// hidden finds members by their local headers in a stretch no directory
// accounts for.
func (z *zipFile) hidden(from, to int64) {
	for from < to && int64(len(z.entries)) < z.limit && z.tries < zipTries {
		pos := find(z.c, "PK\x03\x04", from, to)
		if pos < 0 {
			return
		}
		from = pos + 4
		h := z.local(pos)
		if h == nil || !h.plausible() {
			z.tries++
			continue
		}
		e := &zipEntry{local: h, dir: -1, declared: h.data + h.packed}
		z.entries = append(z.entries, e)
		if e.declared <= to {
			from = max(from, e.declared)
		}
	}
}

// unused looks for members in a stretch that a member claimed but did not use;
// they come after all others.
func (z *zipFile) unused(from, to int64) {
	if z.tries >= zipTries || to-from < zipLocalSize {
		return
	}
	n := len(z.entries)
	z.hidden(from, min(to, z.size))
	if len(z.entries) > n {
		z.tries += zipTries / 64 // each time all is sorted again
		z.settle()
	}
}

type span struct{ start, end int64 }

// known returns the stretches that headers account for, by their beginning.
func (z *zipFile) known() []span {
	known := z.members()
	for _, d := range z.dirs {
		known = append(known, span{d.start, d.end}, d.record)
	}
	slices.SortFunc(known, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	return known
}

// members returns the stretches of the members and their headers.
func (z *zipFile) members() []span {
	known := make([]span, 0, len(z.entries)+2*len(z.dirs))
	for _, e := range z.entries {
		if e.local != nil {
			known = append(known, span{e.local.offset, max(e.declared, e.local.data)})
		}
	}
	return known
}

// gaps returns the stretches of at least size bytes that nothing accounts for.
func (z *zipFile) gaps(size int64) []span {
	var gaps []span
	var at int64
	for _, s := range append(z.known(), span{z.size, z.size}) {
		if s.start-at >= size {
			gaps = append(gaps, span{at, s.start})
		}
		at = max(at, s.end)
	}
	return gaps
}

// settle works out where things begin, and which members share their data.
func (z *zipFile) settle() {
	z.starts = z.starts[:0]
	for _, s := range z.known() {
		z.starts = append(z.starts, s.start)
	}
	z.starts = slices.Compact(append(z.starts, z.size))
	firsts := map[int64]*zipEntry{}
	for _, e := range z.entries {
		if e.local == nil {
			continue
		}
		if e.first = firsts[e.local.offset]; e.first == nil {
			firsts[e.local.offset] = e
		}
		e.overlaps = e.dir >= 0 && (e.declared > z.bound(e) || e.first != nil && e.first.dir == e.dir)
	}
}

// bound returns where e's data ends at the latest: where the next thing begins.
func (z *zipFile) bound(e *zipEntry) int64 {
	i, _ := slices.BinarySearch(z.starts, e.local.offset+1)
	if i == len(z.starts) {
		return z.size
	}
	return max(z.starts[i], min(e.local.data, z.size))
}

// report notes what the structure shows before any member is read.
func (z *zipFile) report(w *walk) {
	switch {
	case z.sealed:
		w.note(encryptedNames, "the central directory is encrypted")
	case len(z.dirs) == 0:
		w.note(noDirectory, "%d members found by their local headers", len(z.entries))
	case len(z.dirs) > 1:
		w.note(several, "%d central directories", len(z.dirs))
	case z.astray > 0:
		w.note(several, "another end record points to no directory")
	}
	if z.split {
		w.note(volume, "one disk of several")
	}
	if len(z.dirs) > 0 && z.dirs[0].base != 0 {
		w.note(prefixed, "by %d bytes", z.dirs[0].base)
	}
	if z.tries >= zipTries {
		w.note(damagedContainer, "too many false headers to find all members")
	}
	if n := z.size - z.lastEnd(); n > 0 && len(z.dirs) > 0 {
		w.note(trailingData, "%d bytes", n)
	}
}

// lastEnd returns where the last directory ends, its comment included.
func (z *zipFile) lastEnd() int64 {
	var end int64
	for _, d := range z.dirs {
		end = max(end, d.record.end)
	}
	return end
}
