// Package people keeps what people settle for themselves in one SQLite file: their lists,
// their settings, what they ask for. It can be used by the daemon and by commands at the
// same time. Mail never waits for it.
package people

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// ErrUnknown says that there is no such row, or that it is not the person's.
var ErrUnknown = errors.New("there is none of that number")

// schema makes the tables. A committed change is on the disk: an entry that was removed must
// not be back after the power was cut, nor a link be good once more. Each table is in the
// file of what it is for. A million entries need more pages in memory than other databases.
var schema = strings.Join([]string{`
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -16384;
`, linkSchema, digestSchema, listSchema, requestSchema, settingSchema, delegateSchema, limitSchema}, "")

// Store is the data of people in a file. It may be used by several goroutines at once.
type Store struct{ file atomic.Pointer[place] }

// place is a file with its path.
type place struct {
	path string
	db   *store.Database
}

// New returns the data in a file, which is made when it is first used.
func New(path string) *Store {
	s := &Store{}
	s.file.Store(&place{path, store.NewDatabase(path, schema)})
	return s
}

// db returns the database that is in use.
func (s *Store) db() *store.Database { return s.file.Load().db }

// Path returns the path of the file.
func (s *Store) Path() string { return s.file.Load().path }

// Use goes on with the data in another file, if it is another.
func (s *Store) Use(path string) error {
	old := s.file.Load()
	if old.path == path {
		return nil
	}
	s.file.Store(&place{path, store.NewDatabase(path, schema)})
	return old.db.Close()
}

// Close closes the file. It is opened again if it is used again.
func (s *Store) Close() error { return s.db().Close() }

// Fold returns an address as all data of people is found by it, see address.Fold.
func Fold(written string) (string, error) { return address.Fold(written) }

// FoldDomain returns a domain likewise, see address.Domain.
func FoldDomain(written string) (string, error) { return address.Domain(written) }
