package spill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
)

// batch is how many records are put into the history at once, and batchTime how long that may take.
const (
	batch     = 256
	batchTime = 20 * time.Second
)

// Load puts records that wait into the history, in their order, until there are none left or it fails. It returns how
// many it put there. What was put there already and is put there again, as after a crash, is there once.
func (s *Spill) Load(ctx context.Context) (n int, err error) {
	for there(s.loading()) || there(s.File) {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		if !s.rests.MayTry(time.Now()) {
			return n, nil
		}
		loaded, err := s.load(ctx)
		n += loaded
		unread := errors.Is(err, errUnread)
		s.rests.Note(time.Now(), err != nil && !unread && !errors.Is(err, disk.ErrLocked))
		s.tellUnread(unread, err)
		switch {
		case errors.Is(err, disk.ErrLocked): // another process does
			return n, nil
		case unread: // which says nothing of the history: new records go there
			return n, err
		case err != nil:
			s.tell(err)
			return n, err
		}
	}
	s.mu.Lock()
	s.said, s.stuck = false, false
	s.mu.Unlock()
	return n, nil
}

// errUnread says that the disk does not give what the file has. That is no reason to drop it.
var errUnread = errors.New("records that wait cannot be read, and stay")

// tellUnread says once that records cannot be read.
func (s *Spill) tellUnread(unread bool, err error) {
	s.mu.Lock()
	first := unread && !s.stuck
	s.stuck = unread
	s.mu.Unlock()
	if first {
		s.Warn(err)
	}
}

// load empties the file that is being loaded, or takes the other for it.
func (s *Spill) load(ctx context.Context) (n int, err error) {
	unlock, err := disk.TryLock(s.loading() + ".lock")
	if err != nil {
		return 0, err
	}
	defer unlock()
	if !there(s.loading()) {
		if err := s.take(); err != nil {
			return 0, err
		}
	}
	r, err := open(s.loading(), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if errors.Is(err, errTorn) {
		return 0, s.drop(sizeOf(s.loading()))
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer r.file.Close()
	return s.empty(ctx, r)
}

// empty puts the records of the file that is being loaded into the history, and drops it after the last.
func (s *Spill) empty(ctx context.Context, r *reader) (n int, err error) {
	for {
		list, end := s.read(r)
		done, err := s.add(ctx, list)
		n += done
		if err != nil {
			return n, err
		}
		if end != nil && !ended(end) {
			return n, fmt.Errorf("%w: %w", errUnread, end)
		}
		if end != nil {
			return n, s.drop(r.left())
		}
	}
}

// take has the file be loaded, and another begun.
func (s *Spill) take() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	err = os.Rename(s.File, s.loading())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.mu.Lock()
	s.count[s.loading()] = s.count[s.File]
	delete(s.count, s.File)
	s.mu.Unlock()
	return errors.Join(err, disk.SyncDir(filepath.Dir(s.File)))
}

// read reads some records. end is not nil after the last.
func (s *Spill) read(r *reader) (list []policy.Record, end error) {
	for len(list) < batch {
		text, err := r.next()
		if err != nil {
			return list, err
		}
		var one policy.Record
		if err := json.Unmarshal(text, &one); err != nil {
			s.Lost(1)
			s.Warn(fmt.Errorf("a record in %s cannot be read, and is lost: %w", s.loading(), err))
			continue
		}
		list = append(list, one)
	}
	return list, nil
}

// drop removes the file that was loaded. What was left of it was no record.
func (s *Spill) drop(left int64) error {
	if left > 0 {
		s.Warn(fmt.Errorf("the last %d bytes of %s are no whole record, and are dropped", left, s.loading()))
	}
	if err := os.Remove(s.loading()); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.count, s.loading())
	s.mu.Unlock()
	return disk.SyncDir(filepath.Dir(s.File))
}

// add puts records into the history; where it refuses one for good, that one is lost.
func (s *Spill) add(ctx context.Context, list []policy.Record) (n int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	err = s.addAtOnce(ctx, list)
	if err == nil {
		return len(list), nil
	}
	if !s.Refused(err) {
		return 0, err
	}
	for _, r := range list {
		err := s.addAtOnce(ctx, []policy.Record{r})
		switch {
		case err == nil:
			n++
		case !s.Refused(err):
			return n, err
		default:
			s.Lost(1)
			s.Warn(fmt.Errorf("the history does not take record %s, which is lost: %w", r.ID, err))
		}
	}
	return n, nil
}

func (s *Spill) addAtOnce(ctx context.Context, list []policy.Record) error {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return s.to.Append(ctx, list)
}
