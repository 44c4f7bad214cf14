// Package archive opens containers – archives, compressed files, and the
// wrappings that carry other files – one file per format, after one
// interface. It knows nothing of mail. It never writes a file and never makes a
// path from a name it reads.
package archive

import (
	"context"
	"errors"
	"io"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Content is the container's bytes at rest. It may be read from several
// goroutines at once.
type Content = scratch.Content

// Member is one entry of a container.
type Member struct {
	// every name a program might show for it: central, local, Unicode extra field …; raw bytes, as stored;
	// none for a compressed file that keeps no name
	Names     []string
	Size      int64 // declared unpacked size in bytes, -1 if none is
	Encrypted bool  // needs a password that is not known; its body is nil
	Hidden    bool  // only some readers of the format show it
	Link      bool  // symbolic or hard link; its content, if any, is its target
	// records of the container's own format, which no program saves as a file; the
	// files in them are handed over as members
	Own    bool
	Type   string // media type that the container declares, lower case; "" if none
	Places Places // where its bytes are in the container as they are; none where they are packed, or where that is not known
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
	Unread                   // this host could not read it now: trying again may help
)

// Container is the Member of a note that concerns no single member.
const Container = -1

// Note is one thing seen about a container, by a code that Codes explains.
type Note struct {
	Code   string // "overlapping-members"
	Class  Class
	Member int    // which call of Visit it concerns, counted from 0, or Container
	Detail string // for a person; may quote names of members
}

// ErrLimit is the error of a budget that is used up; the walk ends with it.
var ErrLimit = errors.New("limit reached")

// Visit is called for each member that is not a directory, in stored order; once
// for each reading of a member that can be read in several ways.
//
// Body yields the unpacked bytes and is good until Visit returns. It is nil where
// the member cannot be read at all. What it yields before an error is what could
// be read; Walk itself notes how the body ended, so Visit may as well ignore the
// error or return it. Any other error of Visit ends the walk.
type Visit func(m Member, body io.Reader) error

// Format reads one container format. It has no state: any number of walks may
// run at once.
//
// Match gets the first bytes of the content (up to HeadSize) as well as the
// content itself.
//
// Walk calls visit for every member it can find, also in a damaged container,
// charges b for all it unpacks, and says in notes what was odd or could not be
// read. The notes count even if there is an error. The error is not nil only for a
// ctx that is done, for visit's own errors and, being ErrLimit, for an exhausted
// budget: a bad container is a note, never an error.
//
// A Format that has another of this package do its Match has a method Unwrap
// that returns it.
type Format interface {
	Name() string
	Match(head []byte, c Content) bool
	Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error)
}
