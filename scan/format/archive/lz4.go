package archive

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"

	"github.com/milterscan/milterscan/scan/scratch"
)

// lz4Format reads lz4 frames, the legacy ones as well; several are one member.
// Blocks are at most 8 MB, and so is the memory they need.
type lz4Format struct{}

const (
	lz4Magic  = "\x04\x22\x4d\x18"
	lz4Legacy = "\x02\x21\x4c\x18"
)

func (lz4Format) Name() string { return "lz4" }

func (lz4Format) Match(head []byte, _ Content) bool {
	return hasAny(head, lz4Magic, lz4Legacy) ||
		skippable(head) && hasAny(head[8+min(uint32(len(head)-8), le32(head[4:])):], lz4Magic, lz4Legacy)
}

func (lz4Format) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecFast
	b.Work(lz4Memory, priceWindow)
	u := &unlz4{r: lz4.NewReader(bufio.NewReader(&lz4Frames{r: w.feed(scratch.Reader(c))}))}
	defer u.r.Reset(nil) // gives back the blocks
	return w.end(w.stream(Member{Size: -1}, u, &u.state))
}

// lz4Memory is what the largest blocks take, packed and unpacked, in bytes.
const lz4Memory = 16 << 20

// lz4Empty is how many legacy frames without a block may follow each other.
const lz4Empty = 1000

// lz4Frames reads frames of lz4, up to too many empty ones.
//
// QUIRK: the library calls itself for each legacy frame that nothing is in (v4.1.33):
// millions of them would end the whole process.
type lz4Frames struct {
	r   io.Reader
	run int // bytes of marks, one after the other
}

func (f *lz4Frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for i, b := range p[:n] {
		if b != lz4Legacy[f.run%len(lz4Legacy)] {
			f.run = 0
		}
		if b == lz4Legacy[f.run%len(lz4Legacy)] {
			f.run++
		}
		if f.run > lz4Empty*len(lz4Legacy) {
			return i, errStreams
		}
	}
	return n, err
}

// unlz4 tells what follows the last frame from damage.
type unlz4 struct {
	r     *lz4.Reader
	state streamState
	n     int64
}

func (u *unlz4) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n += int64(n)
	if u.n > 0 && errors.Is(err, lz4.ErrInvalidFrame) {
		u.state.streams, u.state.trailing = 1, true
		err = io.EOF
	}
	return n, err
}
