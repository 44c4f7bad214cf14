package scan

import (
	"io"
	"sync"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// Content is bytes at rest. Any number of readers may use it at once;
// *bytes.Reader and *io.SectionReader already are one.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Reader returns a new reader over all of c.
func Reader(c Content) *io.SectionReader { return io.NewSectionReader(c, 0, c.Size()) }

// Message is a received mail, taken apart. Once opened it never changes, and
// any number of goroutines may read it. Whoever opened it closes it.
type Message struct {
	Envelope Envelope
	Header   entity.Header
	Raw      Content
	Root     *entity.Entity
	Parts    []Part
	Notes    []Finding // what opening it found

	users  sync.WaitGroup // scanners still reading
	closer []io.Closer
}

// Part is a piece of a message that is judged by itself: every leaf, and every
// container, since an encrypted zip or a .jar is judged too.
type Part struct {
	Parent   int            // index into Parts; -1 at the top
	Path     string         // "2.1/invoice.zip/a.exe": from the outside in, unique within the message
	Names    []string       // every name any client might show; for matching, never for opening a file
	Type     string         // media type as declared, lower case; inside archives only where they declare one
	Sniffed  string         // media type by content
	Entity   *entity.Entity // nil inside archives
	Content  Content        // transfer encoding undone, charset untouched; nil if it could not be read
	Opened   bool           // it is a container, and all that it holds are parts
	Archived bool           // it is a member of an archive
}

// Name is the first of the part's names, or "".
func (p Part) Name() string {
	if len(p.Names) == 0 {
		return ""
	}
	return p.Names[0]
}

// PathOf is the path of the part a finding points at, "" for the whole message.
func (m *Message) PathOf(f Finding) string {
	if f.Part < 0 || f.Part >= len(m.Parts) {
		return ""
	}
	return m.Parts[f.Part].Path
}

// OnClose hands the message something to close when it is closed itself.
func (m *Message) OnClose(c io.Closer) { m.closer = append(m.closer, c) }

// Close gives back what the message holds. A scanner that outstayed its time
// may still be reading, so the bytes go when the last reader is done.
func (m *Message) Close() error {
	go func() {
		m.users.Wait()
		for _, c := range m.closer {
			c.Close()
		}
	}()
	return nil
}
