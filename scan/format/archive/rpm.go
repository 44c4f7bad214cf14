package archive

import (
	"context"
	"fmt"
	"io"
)

// rpmFormat reads RPM packages down to their payload, a compressed cpio archive,
// which is the one member.
type rpmFormat struct{}

const (
	rpmMagic = "\xed\xab\xee\xdb"
	rpmLead  = 96
	rpmIndex = 16 // bytes before the index of a header, and of an entry of it
	rpmMark  = "\x8e\xad\xe8"
)

func (rpmFormat) Name() string { return "rpm" }

func (rpmFormat) Match(head []byte, _ Content) bool { return hasAny(head, rpmMagic) }

func (rpmFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	at, err := rpmHeader(c, rpmLead)
	if err == nil {
		at, err = rpmHeader(c, (at+7)&^7) // the signature is filled up to 8 bytes
	}
	if err != nil {
		w.note(damagedContainer, "header: %v", err)
		return w.end(nil)
	}
	size := max(0, c.Size()-at)
	if !isPayload(piece(c, at, HeadSize)) {
		w.note(damagedContainer, "no payload at byte %d", at)
	}
	return w.end(w.member(Member{Names: []string{"payload.cpio"}, Size: size}, stretch(c, at, size)))
}

// rpmHeader returns where a header that begins at off ends.
func rpmHeader(c Content, off int64) (int64, error) {
	b := fixed(c, off, rpmIndex)
	if b == nil {
		return 0, io.ErrUnexpectedEOF
	}
	if !hasAny(b, rpmMark) {
		return 0, fmt.Errorf("no header at byte %d", off)
	}
	entries, size := int64(be32(b[8:])), int64(be32(b[12:]))
	return off + rpmIndex + entries*rpmIndex + size, nil
}

// isPayload reports whether a payload begins with head: cpio, packed or not. Programs that find
// none there look for it elsewhere in the file.
func isPayload(head []byte) bool {
	packed := gzipFormat{}.Match(head, nil) || bzip2Format{}.Match(head, nil) || xzFormat{}.Match(head, nil) || zstdFormat{}.Match(head, nil)
	return packed || hasAny(head, "\x5d\x00\x00", "07070", "\xc7\x71", "\x71\xc7")
}
