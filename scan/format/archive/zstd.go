package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdFormat reads Zstandard (RFC 8878) frames; several are one member.
type zstdFormat struct{}

func (zstdFormat) Name() string { return "zstd" }

func (zstdFormat) Match(head []byte, _ Content) bool {
	return hasAny(head, zstdMagic) || skippable(head) && hasAny(head[8+min(uint32(len(head)-8), le32(head[4:])):], zstdMagic)
}

// skippable reports whether head begins with a skippable frame, RFC 8878 section
// 3.1.2, which lz4 has, too.
func skippable(head []byte) bool {
	return len(head) >= 8 && head[0]&0xf0 == 0x50 && hasAny(head[1:], "\x2a\x4d\x18")
}

func (zstdFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecFast
	at, state := zstdBegin(c, nil), &streamState{}
	r, err := openZstd(w.feed(w.skip(c, at)), uint64(maxWindow))
	if err != nil {
		w.note(damagedContainer, "%v", err)
		return w.end(nil)
	}
	defer r.Close()
	var in io.Reader = r
	if at > 0 {
		in = &ending{r, state, func(err error) bool { return errors.Is(err, zstd.ErrMagicMismatch) }}
	}
	return w.end(w.stream(Member{Size: -1}, in, state))
}

// unzstd is a decoder that says in our words when a window is too large.
type unzstd struct{ *zstd.Decoder }

// openZstd allows windows of up to that many bytes. The caller closes the result.
func openZstd(r io.Reader, window uint64) (unzstd, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
	return unzstd{d}, err
}

func (u unzstd) Read(p []byte) (int, error) {
	n, err := u.Decoder.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeTooSmall) {
		err = fmt.Errorf("%w: %v", errWindow, err)
	}
	return n, err
}
