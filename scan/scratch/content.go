package scratch

import "io"

// Content is bytes at rest. Any number of readers may use it at once;
// *bytes.Reader and *io.SectionReader already are one. One that also has the method
// Piece(off int64) []byte shows those of its bytes from off on that lie together in
// memory, nil where none do.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Reader returns a new reader over all of c.
func Reader(c Content) *io.SectionReader { return io.NewSectionReader(c, 0, c.Size()) }

// ReadAt reads up to n bytes at off; what lies after the end is missing.
func ReadAt(c Content, off int64, n int) ([]byte, error) {
	if off < 0 || off >= c.Size() {
		return nil, nil
	}
	b := make([]byte, min(int64(n), c.Size()-off))
	got, err := c.ReadAt(b, off)
	if got == len(b) || err == io.EOF {
		err = nil
	}
	return b[:got], err
}

// Until returns a reader of r that fails once over does, with its error.
func Until(over func() error, r io.Reader) io.Reader { return &until{over, r} }

type until struct {
	over func() error
	r    io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.over(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// UntilAt returns c as content that cannot be read any more once over fails.
func UntilAt(over func() error, c Content) Content { return untilAt{over, c} }

type untilAt struct {
	over func() error
	Content
}

// Lore returns that of the content.
func (u untilAt) Lore() *Lore { return LoreOf(u.Content) }

func (u untilAt) ReadAt(p []byte, off int64) (int, error) {
	if err := u.over(); err != nil {
		return 0, err
	}
	return u.Content.ReadAt(p, off)
}
