package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
)

// Queue is a directory with one file for each item that has not been sent. It
// may be used by several processes at once; one of them sends.
type Queue struct {
	dir   string
	limit int

	mu    sync.Mutex
	known bool // waiting has been counted
	files int  // that wait
}

// NewQueue returns the queue in a directory, which is made when it is needed. It
// takes at most limit items.
func NewQueue(dir string, limit int) *Queue { return &Queue{dir: dir, limit: limit} }

// ErrFull says that an item was not taken.
var ErrFull = errors.New("the queue of notices is full")

// Add puts items into the queue, and returns when they are on the disk. It
// takes no more once ctx is done.
func (q *Queue) Add(ctx context.Context, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	if err := disk.MakeDir(q.dir); err != nil {
		return err
	}
	dir, err := disk.Open(q.dir, "")
	if err != nil {
		return err
	}
	defer dir.Close()
	for i, l := range items {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d notices were not taken: %w", len(items)-i, len(items), err)
		}
		if !q.reserve() {
			return fmt.Errorf("%w: %d of %d were not taken", ErrFull, len(items)-i, len(items))
		}
		text, err := json.Marshal(l)
		if err == nil {
			err = disk.Write(dir, l.file(i), func(w io.Writer) error { _, err := w.Write(text); return err })
		}
		if err != nil {
			q.free(1)
			return err
		}
	}
	return disk.Sync(dir)
}

// reserve reports whether there is room for one item more.
func (q *Queue) reserve() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.known {
		names, _ := q.names()
		q.files, q.known = len(names), true
	}
	if q.files >= q.limit {
		return false
	}
	q.files++
	return true
}

func (q *Queue) free(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.files = max(0, q.files-n)
}

// file returns a name that begins alike for all items that can go in one notice.
func (l Item) file(n int) string {
	sum := sha256.Sum256([]byte(string(l.Audience) + " " + l.To))
	return fmt.Sprintf("%s-%s-%d.json", hex.EncodeToString(sum[:8]), l.Event.ID, n)
}

// names returns the files that wait, those for one address next to each other, the
// oldest first.
func (q *Queue) names() ([]string, error) {
	entries, err := os.ReadDir(q.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// bundle is all items that can go in one notice.
type bundle struct {
	key   string // of the address and audience
	files []string
}

// bundles returns the notices that wait, by address.
func (q *Queue) bundles() ([]bundle, error) {
	names, err := q.names()
	var list []bundle
	for _, name := range names {
		key, _, _ := strings.Cut(name, "-")
		if len(list) == 0 || list[len(list)-1].key != key {
			list = append(list, bundle{key: key})
		}
		last := &list[len(list)-1]
		last.files = append(last.files, name)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.files, q.known = len(names), true // those of other processes among them
	return list, err
}

// read returns the items of a bundle. Files that are none are removed: they
// could never be sent.
func (q *Queue) read(b bundle) []Item {
	var list []Item
	for _, name := range b.files {
		text, err := os.ReadFile(filepath.Join(q.dir, name))
		if err != nil {
			continue // gone, or to be tried again
		}
		var l Item
		if json.Unmarshal(text, &l) != nil || l.To == "" || l.Audience == "" {
			os.Remove(filepath.Join(q.dir, name))
			continue
		}
		list = append(list, l)
	}
	return list
}

// remove takes a bundle that was sent out of the queue.
func (q *Queue) remove(b bundle) error {
	var errs []error
	for _, name := range b.files {
		if err := os.Remove(filepath.Join(q.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	q.free(len(b.files))
	return errors.Join(errs...)
}

// mark notes that a notice to the address of a bundle was sent, or tried, for
// the next process that looks at the queue.
func (q *Queue) mark(b bundle, now time.Time) error {
	dir, err := disk.Open(q.dir, "")
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := disk.Write(dir, b.key+markEnd, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return dir.Chtimes(b.key+markEnd, now, now)
}

const markEnd = ".tried"

// marked returns the time of the last one, the zero time if it is long ago.
func (q *Queue) marked(b bundle) time.Time {
	info, err := os.Stat(filepath.Join(q.dir, b.key+markEnd))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// unmark forgets marks that are older than before.
func (q *Queue) unmark(before time.Time) {
	marks, _ := filepath.Glob(filepath.Join(q.dir, "*"+markEnd)) // whose pattern is sound
	for _, file := range marks {
		if info, err := os.Stat(file); err == nil && info.ModTime().Before(before) {
			os.Remove(file)
		}
	}
}
