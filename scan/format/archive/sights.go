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

// signs are the marks of formats that are looked for within sfxSize. Those of three bytes and more are
// looked for by two pairs, of three bytes from a place on of which texts have few.
var signs = [...]struct {
	mark string
	of   sights
	rare int
}{
	{rarMagic, sightRAR, 3}, {sevenZipMagic, sightSevenZip, 2}, {cabMagic, sightCab, 1}, {cpioMark, sightCPIO, 0},
	{tarMark, sightTar, 0},
	{"-lh", sightLHA, 0}, {"-lz", sightLHA, 0}, {"-pm", sightLHA, 0},
	{gzipMagic, sightGzip, 0}, {bzip2Block, sightBzip2, 0}, {xzMagic, sightXZ, 0}, {zstdMagic, sightZstd, 0},
}

// survey returns which of the wanted sights a content has; all of them if it cannot be
// read.
func survey(c Content, wanted sights) sights {
	var seen sights
	err := scratch.Windows(c, 0, 2*headRoom, func(b []byte, off int64) error {
		if off <= sfxSize {
			seen |= marksIn(b, wanted&^seen) | tarIn(b, off) | cpioIn(c, b, off)
		} else if wanted&sightMIME != 0 {
			seen |= mimeIn(b)
		}
		if off+int64(len(b)) > c.Size()-zipTail {
			seen |= sightIf(sightZip, scratch.Find(b, zipEndMark) >= 0)
		}
		return nil
	})
	if err != nil {
		return allSights
	}
	return seen
}

// marksIn returns the wanted sights of the marks in b.
func marksIn(b []byte, wanted sights) sights {
	seen := signPairs.in(b, wanted)
	return seen | sightIf(sightARJ, wanted&sightARJ != 0 && scratch.Find(b, arjMagic) >= 0)
}

// eachIn returns the wanted sights of the signs in b and of the field of MIME, in a pass for each.
func eachIn(b []byte, wanted sights) (seen sights) {
	for _, s := range signs {
		if wanted&s.of != 0 && scratch.Find(b, s.mark) >= 0 {
			seen |= s.of
		}
	}
	if wanted&sightMIME != 0 {
		seen |= mimeIn(b)
	}
	return seen
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
	return sightIf(sightCPIO, anyAt(b, 0x71, func(at int) bool {
		return at > 0 && b[at-1] == 0xc7 && isMember(at-1) || at+1 < len(b) && b[at+1] == 0xc7 && isMember(at)
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
