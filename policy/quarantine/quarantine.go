// Package quarantine keeps copies of messages that are not delivered. A copy is
// two files in one directory: ID.eml, the message byte for byte, and ID.json,
// why it is there.
package quarantine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Store is a directory of kept messages. It may be used by any number of
// goroutines, and by several processes, at once.
type Store struct{ dir string }

// New returns a store in dir, which is made on the first copy if it is not
// there.
func New(dir string) *Store { return &Store{dir: dir} }

// record is what ID.json holds.
type record struct {
	ID         string
	Received   time.Time
	Sender     string
	Recipients []string
	Client     string
	QueueID    string
	Action     string
	Findings   []finding
}

type finding struct {
	Kind                  scan.Kind
	Scanner, Rule, Detail string
}

// Keep writes the copy and returns when it is on the disk: both files synced,
// under their final names, and the directory synced. A message that is there is
// complete, since ID.eml gets its name last.
func (s *Store) Keep(ctx context.Context, c policy.Copy) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	about, err := json.MarshalIndent(newRecord(c), "", "  ")
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	if err := s.write(c.ID+".json", func(w io.Writer) error { _, err := w.Write(about); return err }); err != nil {
		return err
	}
	if err := s.write(c.ID+".eml", func(w io.Writer) error { _, err := io.Copy(w, scan.Reader(c.Raw)); return err }); err != nil {
		os.Remove(filepath.Join(s.dir, c.ID+".json"))
		return err
	}
	return syncDir(s.dir)
}

// write makes a file whose bytes are on the disk before it gets its name.
func (s *Store) write(name string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(s.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.dir, name))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

func newRecord(c policy.Copy) record {
	r := record{
		ID:         c.ID,
		Received:   c.Envelope.Received,
		Sender:     c.Envelope.Sender,
		Recipients: c.Envelope.Recipients,
		QueueID:    c.Envelope.QueueID,
		Action:     c.Decision.Action(),
	}
	if c.Envelope.Client.IsValid() {
		r.Client = c.Envelope.Client.Addr().String()
	}
	for _, f := range c.Found {
		r.Findings = append(r.Findings, finding{f.Kind, f.Scanner, f.Rule, f.Detail})
	}
	return r
}
