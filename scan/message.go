package scan

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Content is bytes at rest. Any number of readers may use it at once;
// *bytes.Reader and *io.SectionReader already are one.
type Content = scratch.Content

// Reader returns a new reader over all of c.
func Reader(c Content) *io.SectionReader { return scratch.Reader(c) }

// Message is a received mail, taken apart. Once opened it never changes, and
// any number of goroutines may read it. The caller that opened it closes it.
type Message struct {
	Envelope Envelope
	Header   entity.Header
	Raw      Content
	Root     *entity.Entity
	Parts    []Part
	Notes    []Finding // what opening it found
	Ahead    *Ahead    // what scanners began with it before it was opened
	Heavy    Gate      // where to wait before taking more memory than for most messages; nil for nowhere
	// Work is how much each scanner that reads much of what the message holds may do:
	// what opening it has left, and half of the limit at least (less where separate
	// processes did more than the limit), as the time of a processor at fixed prices, see
	// archive.Price; 0 is no limit. Those who read texts take half of it.
	Work time.Duration

	mu     sync.Mutex
	users  int  // scanners still reading
	closed bool // by the caller that opened it
	closer []io.Closer
	sums   map[int]*summed // of parts, as far as anybody has asked for them
}

// Gate lets few in at once.
type Gate interface {
	// Enter waits until there is a place, or ctx is done, and returns what gives the
	// place back.
	Enter(ctx context.Context) (leave func())
}

// lightMessage is what the parts of most messages hold at most, in bytes, a part
// counted as 4 KB.
const lightMessage = 4 << 20

// Enter waits, if the message is one that takes much memory to be looked into,
// until it is its turn.
func (m *Message) Enter(ctx context.Context) (leave func()) {
	if m.Heavy == nil || m.weight() <= lightMessage {
		return func() {}
	}
	return m.Heavy.Enter(ctx)
}

// weight returns what the parts hold.
func (m *Message) weight() (bytes int64) {
	for _, p := range m.Parts {
		if bytes += 4 << 10; p.Content != nil {
			bytes += p.Content.Size()
		}
	}
	return bytes
}

// smallMessage is what the parts of a message hold at most that is read in less than a millisecond.
const smallMessage = 64 << 10

// isSmall reports whether looking into the message takes hardly any time.
func (m *Message) isSmall() bool { return m.weight() <= smallMessage }

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

// Name returns the first of the part's names, or "".
func (p Part) Name() string {
	if len(p.Names) == 0 {
		return ""
	}
	return p.Names[0]
}

// PathOf returns the path of the part a finding points at, "" for the whole message.
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
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.leave(0)
	return nil
}

// join notes that n scanners begin to read.
func (m *Message) join(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users += n
}

// leave notes that n of them are done. The last one closes what the message
// holds, if the message is closed.
func (m *Message) leave(n int) {
	for _, c := range m.left(n) {
		c.Close()
	}
}

// left returns the contents to be closed now.
func (m *Message) left(n int) []io.Closer {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users -= n
	if !m.closed || m.users > 0 {
		return nil
	}
	list := m.closer
	m.closer = nil
	return list
}
