package archive

import (
	"bufio"
	"compress/bzip2"
	"context"

	"github.com/milterscan/milterscan/scan/scratch"
)

// bzip2Format reads bzip2 files; several one after the other are one member.
type bzip2Format struct{}

func (bzip2Format) Name() string { return "bzip2" }

func (bzip2Format) Match(head []byte, _ Content) bool {
	return len(head) >= 10 && hasAny(head, "BZh") && head[3] >= '1' && head[3] <= '9' &&
		(hasAny(head[4:], "\x31\x41\x59\x26\x53\x59") || hasAny(head[4:], "\x17\x72\x45\x38\x50\x90"))
}

func (bzip2Format) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecSorted
	in := bufio.NewReader(w.feed(scratch.Reader(c)))
	return w.end(w.member(Member{Size: -1}, bzip2.NewReader(in)))
}
