package shared

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Bucket is where messages are as objects; bucket.Bucket is one.
type Bucket interface {
	Put(ctx context.Context, begin, end string, c bucket.Content) (name string, err error)
	Get(ctx context.Context, name string) (r io.ReadCloser, size int64, err error)
	Delete(ctx context.Context, name string) error
	List(ctx context.Context, begin string, use func([]bucket.Object) error) error
	Check(ctx context.Context) error
}

// Objects are the messages in a bucket, each an object that is written before its entry, and removed after it. All objects of
// one database are in a folder that no other database has.
type Objects struct {
	bucket Bucket

	mu     sync.Mutex
	folder string // "" until it was asked for
}

// NewObjects returns the messages in a bucket.
func NewObjects(b Bucket) *Objects { return &Objects{bucket: b} }

// WithObjects returns the store with new messages as objects, and not in the database.
func (s *Store) WithObjects(o *Objects) *Store {
	with := *s
	with.objects = o
	return &with
}

// folderTime is how long the question for the folder may take: it is asked until there is an answer. No mail waits for that of another.
const folderTime = 5 * time.Second

// place returns the folder of the database.
func (s *Store) place(ctx context.Context) (string, error) {
	if folder := s.objects.remembered(); folder != "" {
		return folder, nil
	}
	ctx, cancel := context.WithTimeout(ctx, folderTime)
	defer cancel()
	var folder string
	err := s.state.Read(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT name FROM quarantine_folder`).Scan(&folder)
	})
	if err == nil {
		s.objects.remember(folder)
	}
	return folder, err
}

func (o *Objects) remembered() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.folder
}

func (o *Objects) remember(folder string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.folder = folder
}

// nothing is a transaction that does nothing.
func nothing(func(string, ...any) error) error { return nil }

// keepObject writes a copy as an object, and its entry after that. While the database takes none, no object is left that
// would have no entry.
func (s *Store) keepObject(ctx context.Context, e quarantine.Entry, raw scan.Content) error {
	if err := s.state.Commit(ctx, nothing); err != nil {
		return err
	}
	first, sum := quarantine.Packing(ctx, raw), sha256.New()
	size, err := io.Copy(sum, first)
	if err != nil {
		return err
	}
	e.SHA256, e.Stored = first.Sum(), size
	name, err := s.put(ctx, e.Record.ID, bucket.Content{Size: size, SHA256: sum.Sum(nil),
		Open: func() (io.Reader, error) { return quarantine.Packing(ctx, raw), nil }})
	if err != nil {
		return err
	}
	return s.state.Commit(ctx, func(step func(string, ...any) error) error { return enter(step, e, name) })
}

// takeObject writes a message that was kept elsewhere as an object, and returns its name.
func (s *Store) takeObject(ctx context.Context, p quarantine.Parcel) (name string, err error) {
	begin := func() (io.Reader, error) {
		_, err := p.Packed.Seek(0, io.SeekStart)
		return p.Packed, err
	}
	r, err := begin()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, r)
	if err != nil {
		return "", err
	}
	if size != p.Entry.Stored {
		return "", sizeError(size, p.Entry.Stored)
	}
	return s.put(ctx, p.Entry.Record.ID, bucket.Content{Size: size, SHA256: sum.Sum(nil), Open: begin})
}

// put writes an object of a message under a name that was never used.
func (s *Store) put(ctx context.Context, id string, c bucket.Content) (name string, err error) {
	folder, err := s.place(ctx)
	if err != nil {
		return "", err
	}
	return s.objects.bucket.Put(ctx, folder+"/"+time.Now().UTC().Format(time.DateOnly)+"/"+id+"-", ".eml.gz", c)
}

// object opens a message that is an object.
func (s *Store) object(ctx context.Context, name string, stored int64) (io.ReadCloser, error) {
	if s.objects == nil {
		return nil, fmt.Errorf("it is the object %s, and this host has no [store.s3] that says where that is", name)
	}
	r, size, err := s.objects.bucket.Get(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: its object is missing; it was deleted a moment ago, others have removed it, or [store.s3] names "+
			"another place than when it was kept: %w", errPiece, err)
	case err != nil:
		return nil, err
	case size != stored:
		r.Close()
		return nil, fmt.Errorf("object %s: %w", name, sizeError(size, stored))
	}
	return r, nil
}
