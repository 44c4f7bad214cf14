// Package people keeps what people settle for themselves: their lists, their settings, what they ask for. It is in one
// file of a host, or in a database that hosts share, and can be used by daemons and by commands at the same time. Mail
// never waits for it.
package people

import (
	"errors"
	"strings"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/tables"
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

// lock is the number of the lock of who changes what hosts share.
const lock = 0x6d7370656f706c65

// Store is the data of people. It may be used by several goroutines at once.
type Store struct{ tables tables.Database }

// New returns the data in a file, which is made when it is first used.
func New(path string) *Store { return &Store{tables.File(path, schema)} }

// Shared returns the data in a database that hosts share.
func Shared(state tables.State) *Store { return &Store{tables.Shared(state, lock)} }

// db returns the tables.
func (s *Store) db() tables.Database { return s.tables }

// Place says where the data is: the path of the file, or the name of the database.
func (s *Store) Place() string { return s.tables.Place() }

// There returns nil if there is a place with data. Where the error is an fs.ErrNotExist nothing was ever settled.
func (s *Store) There() error { return s.tables.There() }

// Close closes the file. It is opened again if it is used again.
func (s *Store) Close() error { return s.tables.Close() }

// Fold returns an address as all data of people is found by it, see address.Fold.
func Fold(written string) (string, error) { return address.Fold(written) }

// FoldDomain returns a domain likewise, see address.Domain.
func FoldDomain(written string) (string, error) { return address.Domain(written) }
