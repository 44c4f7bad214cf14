// Package spill keeps records of messages in a file while the history that several hosts share cannot take them, and
// puts them there afterwards.
package spill

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/scan/breaker"
)

// Terms say how records are spilled.
type Terms struct {
	File  string // a second one, with ".loading" after its name, has the records that are being put into the history
	Bytes int64  // of both files together, at most
	Warn  func(error)
	Lost  func(n int) // is told how many records are gone for good
	// Refused reports whether the history would refuse the same record again, whenever it is asked.
	Refused func(error) bool
}

// patience is how long the history may take for records that come. After that they go to the file for breaker.Rest.
const patience = 3 * time.Second

// Spill is a history.Appender. Any number of processes may use one file at once.
type Spill struct {
	Terms
	to    history.Appender
	rests breaker.Breaker

	mu    sync.Mutex
	count map[string]counted // by file
	full  int                // records that were lost since the file was full; 0: it is not
	said  bool               // that records go to the file
	stuck bool               // that records cannot be read is said
}

// counted is how many records a file had when it had a size, and where the last whole one ended.
type counted struct{ size, whole, records int64 }

// New returns what puts records into a history, or into a file.
func New(to history.Appender, t Terms) *Spill {
	return &Spill{Terms: t, to: to, count: map[string]counted{}}
}

// loading returns the file of which records are put into the history.
func (s *Spill) loading() string { return s.File + ".loading" }

// lock keeps other processes off the file while it is written or takes its other name.
func (s *Spill) lock() (func(), error) { return disk.Lock(s.File + ".lock") }

// Append puts records into the history. If that fails, or has failed a moment ago, they go to the file, where they
// are on the disk when Append returns. Records for which there is no room are lost, and counted.
func (s *Spill) Append(ctx context.Context, records []policy.Record) error {
	if len(records) == 0 {
		return nil
	}
	if s.rests.MayTry(time.Now()) {
		err := s.try(ctx, records)
		s.rests.Note(time.Now(), err != nil)
		if err == nil {
			return nil
		}
		s.tell(err)
	}
	n, err := s.put(records)
	if lost := len(records) - n; lost > 0 {
		s.lose(lost, err)
	} else {
		s.roomy()
	}
	return nil
}

func (s *Spill) try(ctx context.Context, records []policy.Record) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.to.Append(ctx, records)
}

// tell says once that records go to the file.
func (s *Spill) tell(err error) {
	s.mu.Lock()
	said := s.said
	s.said = true
	s.mu.Unlock()
	if !said {
		s.Warn(fmt.Errorf("the history cannot be written; records wait in %s: %w", s.File, err))
	}
}

// lose counts records for which there was no room, and says so once.
func (s *Spill) lose(n int, err error) {
	s.Lost(n)
	s.mu.Lock()
	first := s.full == 0
	s.full += n
	s.mu.Unlock()
	if first {
		s.Warn(fmt.Errorf("records of messages are lost from now on, mail goes on: %w", err))
	}
}

// roomy says how many records were lost, once there is room again.
func (s *Spill) roomy() {
	s.mu.Lock()
	n := s.full
	s.full = 0
	s.mu.Unlock()
	if n > 0 {
		s.Warn(fmt.Errorf("%s takes records again; %d were lost", s.File, n))
	}
}

// errFull says that no more may be put into the file.
var errFull = errors.New("the file is as large as history.spill lets it be")

// put adds records to the file, and returns how many it took.
func (s *Spill) put(records []policy.Record) (n int, err error) {
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	f, size, err := s.end()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	room := s.Bytes - size - sizeOf(s.loading())
	text, n, err := frames(records, room)
	if err != nil || n == 0 {
		return 0, err
	}
	if _, err = f.WriteAt(text, size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Truncate(size) // the rest of it would be found to be torn
		return 0, err
	}
	s.counts(s.File, size, size+int64(len(text)), int64(n))
	if n < len(records) {
		err = errFull
	}
	return n, err
}

// counts notes that a file has more records than it had.
func (s *Spill) counts(file string, was, is, more int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.count[file]; c.size == was || was == int64(len(magic)) {
		s.count[file] = counted{is, is, c.records + more}
	}
}

// end opens the file to write after its last whole record. A torn one was never said to be kept, and goes.
func (s *Spill) end() (f *os.File, size int64, err error) {
	f, err = os.OpenFile(s.File, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, 0, err
	}
	if size, err = s.begin(f); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

// begin returns where the next record begins.
func (s *Spill) begin(f *os.File) (int64, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, errors.New(s.File + " is no regular file: take it away")
	case info.Size() < int64(len(magic)):
		_, err := f.WriteAt([]byte(magic), 0)
		return int64(len(magic)), errors.Join(err, f.Sync(), disk.SyncDir(filepath.Dir(s.File)))
	}
	size := info.Size()
	s.mu.Lock()
	c := s.count[s.File]
	s.mu.Unlock()
	if c.size == size && c.whole == size { // it was written or counted by us
		return size, nil
	}
	records, whole, err := count(s.File)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	if whole < int64(len(magic)) {
		return 0, errors.New(s.File + " holds no records: take it away")
	}
	if whole < size {
		s.Warn(fmt.Errorf("the last %d bytes of %s are no whole record, and are dropped", size-whole, s.File))
	}
	s.mu.Lock()
	s.count[s.File] = counted{whole, whole, records}
	s.mu.Unlock()
	return whole, f.Truncate(whole)
}

// sizeOf returns the size of a file, 0 if it is not there.
func sizeOf(path string) int64 {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Waiting returns how many records wait in the files, and how many bytes these have.
func (s *Spill) Waiting() (records, bytes int64) {
	for _, path := range []string{s.File, s.loading()} {
		size := sizeOf(path)
		bytes += size
		s.mu.Lock()
		c, known := s.count[path]
		s.mu.Unlock()
		if size > 0 && (!known || c.size != size) {
			n, whole, err := count(path)
			c = counted{size, whole, n}
			if err == nil {
				s.mu.Lock()
				s.count[path] = c
				s.mu.Unlock()
			}
		}
		if size > 0 {
			records += c.records
		}
	}
	return records, bytes
}

// Waiting returns how many records wait in a file and in the one that is being loaded, and how many bytes these have. The error says
// that there are files of which that is not known.
func Waiting(file string) (records, bytes int64, err error) {
	s := New(nil, Terms{File: file})
	var errs []error
	for _, path := range []string{s.File, s.loading()} {
		if size := sizeOf(path); size > 0 {
			n, _, err := count(path)
			records, bytes, errs = records+n, bytes+size, append(errs, err)
		}
	}
	return records, bytes, errors.Join(errs...)
}

// Check returns why no record can be kept, neither in the history nor in the file.
func (s *Spill) Check(ctx context.Context, history func(context.Context) error) error {
	err := history(ctx)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	lost := s.full
	s.mu.Unlock()
	if lost > 0 {
		return fmt.Errorf("%w; and %s took %d records less than there were", err, s.File, lost)
	}
	if blocked := disk.Writable(filepath.Dir(s.File)); blocked != nil {
		return errors.Join(err, blocked)
	}
	return nil
}

// there reports whether a file is.
func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
