package archive

import (
	"bytes"
	"io"
	"strings"
)

// The properties of MAPI that concern files and texts, MS-OXPROPS.
const (
	mapiBody        = 0x1000
	mapiRTF         = 0x1009
	mapiHTML        = 0x1013
	mapiDisplayName = 0x3001
	mapiData        = 0x3701
	mapiShortName   = 0x3704
	mapiLongName    = 0x3707
)

// The properties as the names of streams in a mail that was saved, MS-OXMSG
// section 2.2, and what such a name begins with.
const (
	msgProperties = "__properties_version1.0"
	msgStream     = "__substg1.0_"
	msgNames      = "__nameid_version1.0"
)

// isMAPI reports whether a storage holds properties of a mail, of a recipient or
// of an attachment.
func (w *oleWalk) isMAPI(storage int) bool {
	return len(w.inner[inStorage{storage, msgProperties}]) > 0 || w.file.entries[storage].name == msgNames
}

// property hands over a stream of a mail, if it is one that a program shows as a
// text or a file.
func (w *oleWalk) property(e cfbEntry) error {
	id, isProperty := strings.CutPrefix(e.name, msgStream)
	if !isProperty || len(id) != 8 {
		if e.name == msgProperties || w.file.entries[e.parent].name == msgNames {
			return w.enter()
		}
		return w.member(Member{Names: distinct(e.name), Size: e.size}, w.read(e))
	}
	m := Member{Size: e.size}
	switch strings.ToUpper(id[:4]) {
	case "3701":
		m.Names = w.attachmentNames(e.parent)
	case "1000", "1013":
	case "1009":
		return w.rtf(m, w.read(e))
	default:
		return w.enter()
	}
	return w.member(m, w.read(e))
}

// attachmentNames returns all names an attachment has, the long one first.
func (w *oleWalk) attachmentNames(storage int) []string {
	var names []string
	for _, id := range [...]string{"3707", "3704", "3001"} {
		for _, b := range w.heads(storage, msgStream+id+"001F", 2*maxName) {
			names = append(names, strings.TrimRight(wideText(b), "\x00"))
		}
		for _, b := range w.heads(storage, msgStream+id+"001E", maxName) {
			names = append(names, strings.TrimRight(string(b), "\x00"))
		}
	}
	return distinct(names...)
}

// rtf hands over a text in compressed RTF.
func (w *walk) rtf(m Member, src io.Reader) error {
	head := make([]byte, 16)
	n, err := io.ReadFull(src, head)
	switch {
	case err != nil, !bytes.Equal(head[8:12], []byte("LZFu")) && !bytes.Equal(head[8:12], []byte("MELA")):
		return w.member(m, io.MultiReader(bytes.NewReader(head[:n]), src))
	case head[8] == 'M':
		return w.member(m, src)
	}
	m.Size = int64(le32(head[4:]))
	w.cost = codecBits
	return w.member(m, newUnlzfu(w.feed(src), m.Size))
}
