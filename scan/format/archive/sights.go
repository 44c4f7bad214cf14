package archive

import "github.com/milterscan/milterscan/scan/scratch"

// sights say which formats may begin anywhere in a content: all of them in one pass over
// it. What was not seen is not there; what was seen still has to be looked at.
type sights uint16

const (
	sightZip sights = 1 << iota
	sightRAR
	sightSevenZip
	sightCab
	sightCPIO
	sightTar
	sightMIME
	sightLHA
	sightGzip
	sightBzip2
	sightXZ
	sightZstd
	sightARJ
	allSights = 1<<iota - 1
)

// signs are the marks of formats that are looked for within sfxSize.
var signs = [...]sign{
	{mark: rarMagic, of: sightRAR, pairs: [...]int{2, 3, 4}},
	{mark: sevenZipMagic, of: sightSevenZip, pairs: [...]int{2, 3, 4}},
	{mark: cabMagic, of: sightCab, pairs: [...]int{0, 1, 2}},
	{mark: cpioMark, of: sightCPIO, pairs: [...]int{0, 1, 2}},
	{mark: tarMark, of: sightTar, pairs: [...]int{0, 1, 2}},
	{mark: mimeField, of: sightMIME, pairs: [...]int{mimeHyphen - 1, mimeHyphen, len(mimeField) - 2}},
	{mark: "-lh", of: sightLHA, pairs: [...]int{0, 1, 2}, then: "0123456789dx", is: beginsLHA},
	{mark: "-lz", of: sightLHA, pairs: [...]int{0, 1, 2}, then: "2345678s", is: beginsLHA},
	{mark: "-pm", of: sightLHA, pairs: [...]int{0, 1, 2}, then: "012", is: beginsLHA},
	{mark: gzipMagic, of: sightGzip, pairs: [...]int{0, 1, 2}, is: goesOn},
	{mark: bzip2Block, of: sightBzip2, pairs: [...]int{2, 3, 4}},
	{mark: xzMagic, of: sightXZ, pairs: [...]int{0, 1, 2}},
	{mark: zstdMagic, of: sightZstd, pairs: [...]int{0, 1, 2}},
}

// goesOn reports whether anything comes after the mark of gzip, whose last pair ends there.
func goesOn(b []byte, at int) bool { return len(b) > at+len(gzipMagic) }

// beginsLHA reports whether a header of LHA is around its mark.
func beginsLHA(b []byte, at int) bool { return at >= lhaMethod && lhaMark(b[at-lhaMethod:]) }

// survey returns which of the wanted sights a content has; all of them if it cannot be
// read.
func survey(c Content, wanted sights) sights {
	if s, ok := scratch.Seen(c, surveyKey{}).(*surveyor); ok {
		return s.seen
	}
	s := &surveyor{c: c, wanted: wanted}
	if err := scratch.Windows(c, 0, seam, s.look); err != nil {
		return allSights
	}
	return s.seen
}

// seam is how many bytes two windows of a survey have in common.
const seam = 2 * headRoom

// Watch has a content surveyed while somebody else passes over it.
func Watch() scratch.Watch {
	return scratch.Watch{Key: surveyKey{}, Begin: func(c Content) scratch.Watcher { return &surveyor{c: c, wanted: allSights} }}
}

type surveyKey struct{}

// surveyor collects the wanted sights of a content.
type surveyor struct {
	c            Content
	wanted, seen sights

	at   int64  // up to where it was shown
	last []byte // the bytes before that, in the room
	room [2 * seam]byte
}

// look looks at a window, which begins at an offset.
func (s *surveyor) look(b []byte, off int64) error {
	if off <= sfxSize {
		s.seen |= marksIn(b, s.wanted&^s.seen) | tarIn(b, off) | cpioIn(s.c, b, off)
	} else if s.wanted&^s.seen&sightMIME != 0 {
		s.seen |= mimeIn(b)
	}
	if tail := max(0, s.c.Size()-zipTail-off); tail < int64(len(b)) {
		s.seen |= sightIf(sightZip, scratch.Find(b[tail:], zipEndMark) >= 0)
	}
	return nil
}

// See looks at the next bytes, and at the seam between them and those before.
func (s *surveyor) See(b []byte) {
	before := len(s.last)
	if s.last = append(s.last, b[:min(len(b), seam)]...); before > 0 {
		s.look(s.last, s.at-int64(before))
	}
	s.look(b, s.at)
	s.at += int64(len(b))
	if len(b) >= seam {
		s.last = b
	}
	s.last = append(s.room[:0], s.last[max(0, len(s.last)-seam):]...)
}

// marksIn returns the wanted sights of the marks in b.
func marksIn(b []byte, wanted sights) sights {
	seen := signPairs.in(b, wanted)
	return seen | sightIf(sightARJ, wanted&sightARJ != 0 && anyOf(b, arjMagic, func(at int) bool { return nearlyARJ(b[at:]) }))
}

// eachIn returns the wanted sights of the signs in b, in a pass for each.
func eachIn(b []byte, wanted sights) (seen sights) {
	for i := range signs {
		s := &signs[i]
		switch {
		case wanted&^seen&s.of == 0:
		case s.of == sightMIME:
			seen |= mimeIn(b)
		default:
			seen |= sightIf(s.of, anyOf(b, s.mark, func(at int) bool { return s.at(b, at) }))
		}
	}
	return seen
}

// anyOf reports whether a place of mark in b fits.
func anyOf(b []byte, mark string, fits func(at int) bool) bool {
	for at := 0; ; at++ {
		next := scratch.Find(b[at:], mark)
		if next < 0 {
			return false
		}
		if at += next; fits(at) {
			return true
		}
	}
}

// mimeIn returns the sight of MIME if its field is in b.
func mimeIn(b []byte) sights {
	return sightIf(sightMIME, anyAt(b, '-', func(at int) bool { return isMIMEField(b, at) }))
}

// tarIn returns the sight of tar if a block of a content is a header of any dialect. That
// of V7 has no mark.
func tarIn(b []byte, off int64) sights {
	for at := int(-off & (tarBlock - 1)); at+tarBlock <= len(b); at += tarBlock {
		if tarHeader(b[at : at+tarBlock]) {
			return sightTar
		}
	}
	return 0
}

// cpioIn returns the sight of cpio if a member of its old dialects is in c where b is,
// which is from off on. They have two bytes for a mark, in either order.
func cpioIn(c Content, b []byte, off int64) sights {
	isMember := func(at int) bool { return cpioKind(b[at:]) && cpioMember(c, b[at:], off+int64(at)) }
	return sightIf(sightCPIO, anyAt(b, 0xc7, func(at int) bool { // of which texts have fewer than of the other
		return at > 0 && b[at-1] == 0x71 && isMember(at-1) || at+1 < len(b) && b[at+1] == 0x71 && isMember(at)
	}))
}

func sightIf(s sights, seen bool) sights {
	if seen {
		return s
	}
	return 0
}

func (zipFormat) sight() sights      { return sightZip }
func (rarFormat) sight() sights      { return sightRAR }
func (sevenZipFormat) sight() sights { return sightSevenZip }
func (cabFormat) sight() sights      { return sightCab }
func (cpioFormat) sight() sights     { return sightCPIO }
func (tarFormat) sight() sights      { return sightTar }
func (mimeFormat) sight() sights     { return sightMIME }
func (lhaFormat) sight() sights      { return sightLHA }
func (gzipFormat) sight() sights     { return sightGzip }
func (bzip2Format) sight() sights    { return sightBzip2 }
func (xzFormat) sight() sights       { return sightXZ }
func (zstdFormat) sight() sights     { return sightZstd }
func (arjFormat) sight() sights      { return sightARJ }
func (pdfFormat) sight() sights      { return allSights } // which is looked for at the beginning only

// isSeen reports whether it is worth looking for a format in a content.
func (s sights) isSeen(e embedded) bool { return e.sight() == allSights || s&e.sight() != 0 }
