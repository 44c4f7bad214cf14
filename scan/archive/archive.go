// Package archive opens containers – archives, compressed files, and the
// wrappings that carry other files – one file per format, behind one
// interface. It knows nothing of mail. It never writes a file and never makes a
// path from a name it reads.
package archive

import (
	"context"
	"errors"
	"io"
)

// Content is the container's bytes at rest.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Member is one entry of a container.
type Member struct {
	Names     []string // every name a program might show for it: local, central, Unicode extra field …; raw bytes, as stored
	Size      int64    // declared unpacked size, -1 if none is
	Encrypted bool     // needs a password that is not known
	Hidden    bool     // only some readers of the format show it
	Link      bool     // symbolic or hard link; its content is its target
}

// Class says what a note means.
type Class int

// The classes of note, as findings will carry them.
const (
	Informative Class = iota // worth saying, harmless
	Malformed                // untidy; every program shows the same members
	Ambiguous                // programs disagree about the members
	Suspicious               // made to deceive
	Encrypted                // cannot be read without a password
	Unreadable               // damaged or unsupported: something was not read
	Exceeded                 // a limit was reached: something was not read
)

// Note is one thing seen about a container, by a code that docs/findings.md
// explains.
type Note struct {
	Code   string // "overlapping-members"
	Class  Class
	Detail string
}

// ErrLimit is returned by a Budget that is used up; the walk ends with it.
var ErrLimit = errors.New("limit reached")

// Visit is called for each member that is not a directory, in stored order.
// Body reads the unpacked bytes and is good until Visit returns; it is nil where
// the member cannot be read. An error from Visit ends the walk.
type Visit func(m Member, body io.Reader) error

// Format reads one container format.
//
// Walk calls visit for every member it can find, also in a damaged container,
// charges b for all it unpacks, and says in notes what was odd or could not be
// read. The error is not nil only for ctx, for visit's own errors and for an
// exhausted budget: a bad container is a note, never an error.
type Format interface {
	Name() string
	Match(head []byte, c Content) bool
	Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error)
}
