package archive

import (
	"bufio"
	"compress/bzip2"
	"context"
)

// bzip2Format reads bzip2 files; several one after the other are one member.
type bzip2Format struct{}

func (bzip2Format) Name() string { return "bzip2" }

func (bzip2Format) Match(head []byte, _ Content) bool {
	return len(head) >= 10 && hasAny(head, "BZh") && head[3] >= '1' && head[3] <= '9' &&
		(hasAny(head[4:], bzip2Block) || hasAny(head[4:], "\x17\x72\x45\x38\x50\x90"))
}

// errNoBzip2 is what the decoder says of other data after a file.
const errNoBzip2 = bzip2.StructuralError("bad magic value in continuation file")

func (bzip2Format) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecSorted
	at, state := bzip2Begin(c, nil), &streamState{}
	in := bzip2.NewReader(bufio.NewReader(w.feed(w.skip(c, at))))
	if at > 0 {
		in = &ending{in, state, func(err error) bool { return err == errNoBzip2 }}
	}
	return w.end(w.stream(Member{Size: -1}, in, state))
}
