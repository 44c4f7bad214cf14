package archive

import (
	"context"
	"io"
)

// szddFormat reads the files of Microsoft's COMPRESS.EXE, in both of its
// versions.
type szddFormat struct{}

const (
	szddMagic  = "SZDD\x88\xf0\x27\x33"
	szddBasic  = "SZ \x88\xf0\x27\x33\xd1"
	szddHeader = 14
	szddShort  = 12 // bytes of the header of the other version
)

func (szddFormat) Name() string { return "szdd" }

func (szddFormat) Match(head []byte, _ Content) bool { return hasAny(head, szddMagic, szddBasic) }

func (szddFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	head := piece(c, 0, szddHeader)
	size, start, at := int64(szddHeader), lzssStart+2, 10
	if hasAny(head, szddBasic) {
		size, start, at = szddShort, lzssStart, 8
	}
	if int64(len(head)) < size {
		w.note(damagedContainer, "header: %v", io.ErrUnexpectedEOF)
		return w.end(nil)
	}
	m := Member{Size: int64(le32(head[at:]))}
	w.cost = codecBits
	return w.end(w.member(m, &exactly{newUnlzss(w.feed(stretch(c, size, c.Size()-size)), start), m.Size}))
}
