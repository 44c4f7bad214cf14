package quarantine

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
)

// Retention says how long messages are kept, and how many bytes of them.
type Retention struct {
	Keep    time.Duration            // 0: for ever
	Classes map[string]time.Duration // those that differ, by class
	Size    int64                    // bytes on the disk of all together; 0: any number
	Unasked Unasked
}

// Unasked says how long, and how many bytes of them, messages are kept that wait for their
// sender to ask for them.
type Unasked struct {
	Keep time.Duration // 0: as long as others
	Size int64         // 0: as many as there is room for
}

// age returns the time for which a class is kept, 0 for ever.
func (r Retention) age(class string) time.Duration {
	if d, ok := r.Classes[class]; ok {
		return d
	}
	return r.Keep
}

// Round removes messages from a store that are too old or too many, and the remains of crashes. It
// returns how many messages went.
func Round(ctx context.Context, s Store, r Retention, now time.Time) (int, error) {
	incomplete := complete(ctx, s)
	n, err := Expire(ctx, s, r, now)
	if n > 0 && incomplete != nil { // there may be room for it now
		incomplete = complete(ctx, s)
	}
	if x, ok := s.(interface{ Tidy(time.Time) error }); ok {
		err = errors.Join(err, x.Tidy(now))
	}
	return n, errors.Join(incomplete, err)
}

// complete has a store whose lists may lack messages complete them.
func complete(ctx context.Context, s Store) error {
	if x, ok := s.(interface{ Complete(context.Context) error }); ok {
		return x.Complete(ctx)
	}
	return nil
}

// Expire deletes messages too old for their class, and then the oldest until the
// rest is small enough; a release under way is left alone. It returns how many
// messages went.
func Expire(ctx context.Context, s Store, r Retention, now time.Time) (int, error) {
	if x, ok := s.(expirer); ok {
		return x.Expire(ctx, r, now)
	}
	rows, err := s.Find(ctx, Filter{})
	if err != nil {
		return 0, err
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(last(a)-last(b), a.Time.Compare(b.Time)) })
	var use used
	for _, row := range rows {
		use.add(row, row.Stored)
	}
	n := 0
	for _, row := range rows {
		why := r.why(row, use, now)
		if why == "" || row.State == Releasing {
			continue
		}
		err := s.Delete(ctx, row.ID, Event{Time: now, What: "expire", By: "milterscan", Note: why})
		if err != nil && !errors.Is(err, ErrUnknown) {
			return n, err
		}
		use.add(row, -row.Stored)
		n++
	}
	return n, nil
}

// expirer is a Store that expires its messages by separate means, which come to the same.
type expirer interface {
	Expire(ctx context.Context, r Retention, now time.Time) (int, error)
}

// Bound is when messages have to be received to be kept.
type Bound struct {
	Since   time.Time // zero: whenever
	Unasked time.Time // of those that wait for their sender to ask for them
}

// Bounds returns the bound for each class that differs, and the one for all others.
func (r Retention) Bounds(now time.Time) (classes map[string]Bound, others Bound) {
	classes = map[string]Bound{}
	for class := range r.Classes {
		classes[class] = r.bound(r.age(class), now)
	}
	return classes, r.bound(r.Keep, now)
}

func (r Retention) bound(age time.Duration, now time.Time) (b Bound) {
	if age > 0 {
		b.Since = now.Add(-age)
	}
	b.Unasked = b.Since
	if r.Unasked.Keep > 0 && (age == 0 || r.Unasked.Keep < age) {
		b.Unasked = now.Add(-r.Unasked.Keep)
	}
	return b
}

// used is how many bytes messages have on the disk.
type used struct{ all, unasked int64 }

func (u *used) add(row Row, n int64) {
	u.all += n
	if row.Unasked {
		u.unasked += n
	}
}

// last returns 0 for messages that make room for others, which have 1.
func last(row Row) int {
	if row.Unasked {
		return 0
	}
	return 1
}

// why says why a message goes, "" if it stays.
func (r Retention) why(row Row, use used, now time.Time) string {
	bound := r.bound(r.age(row.Class), now)
	since := bound.Since
	if row.Unasked {
		since = bound.Unasked
	}
	switch {
	case row.Time.Before(since):
		return "age"
	case r.Size > 0 && use.all > r.Size, row.Unasked && r.Unasked.Size > 0 && use.unasked > r.Unasked.Size:
		return "size"
	}
	return ""
}

// abandoned is the age at which a file that never got its name will not get it
// any more.
const abandoned = time.Hour

// Tidy removes what crashes have left after: files without their final name,
// and entries without their message.
func (d *Dir) Tidy(now time.Time) error {
	root, err := disk.Open(d.path, "")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	defer root.Close()
	var errs []error
	err = fs.WalkDir(root.FS(), ".", func(path string, f fs.DirEntry, err error) error {
		if err != nil || !f.Type().IsRegular() || !orphan(root, path) {
			return err
		}
		if info, err := f.Info(); err == nil && now.Sub(info.ModTime()) > abandoned {
			errs = append(errs, root.Remove(path))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// orphan reports whether a file is of no use to anyone.
func orphan(root *os.Root, file string) bool {
	name := path.Base(file)
	if strings.HasPrefix(name, ".new-") || strings.HasSuffix(name, ".part") {
		return true
	}
	id, ok := strings.CutSuffix(name, ".json")
	if !ok || !ValidID(id) {
		return false
	}
	_, err := root.Stat(path.Join(path.Dir(file), messageOf(id)))
	return errors.Is(err, fs.ErrNotExist)
}
