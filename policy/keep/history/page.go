package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Records of a page.
const (
	PageSize = 100  // where a filter does not say
	PageMost = 1000 // at most
)

// Page is a part of what a search finds.
type Page struct {
	Records []policy.Record
	Next    Cursor // where to go on; the zero Cursor when there is nothing more
	Early   bool   // the patience of the filter was over before the page was full

	// Unindexed is how many records are not in the index yet, about. They are found all the
	// same, but have to be read through one by one.
	Unindexed int64
}

// Cursor is a place in the history: all records before it in time are yet to come. The zero
// Cursor is the place before the newest.
type Cursor struct {
	Time int64 // in milliseconds
	Key  int64 // of the records of that millisecond, those below it
}

// IsZero reports whether the cursor is the zero one.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Comes reports whether a record of that time and key is yet to come.
func (c Cursor) Comes(time, key int64) bool {
	return c.IsZero() || time < c.Time || time == c.Time && key < c.Key
}

// When returns the time at which the cursor is.
func (c Cursor) When() time.Time { return time.UnixMilli(c.Time) }

// String returns the cursor as ParseCursor reads it, "" for the zero one.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d", c.Time, c.Key)
}

// ParseCursor reads a cursor.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	t, key, ok := strings.Cut(s, ".")
	var c Cursor
	var err error
	if c.Time, err = strconv.ParseInt(t, 10, 64); ok && err == nil {
		c.Key, err = strconv.ParseInt(key, 10, 64)
	}
	if !ok || err != nil || c.String() != s {
		return Cursor{}, fmt.Errorf("%q is no place in the history; take the one that the page before names", s)
	}
	return c, nil
}

// Size returns how many records a page of the filter has at most.
func (f Filter) Size() int {
	if f.Limit <= 0 {
		return PageSize
	}
	return min(f.Limit, PageMost)
}
