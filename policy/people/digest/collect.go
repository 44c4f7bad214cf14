package digest

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
)

// Kept finds kept messages, the newest first. A quarantine.Store is one.
type Kept interface {
	Find(ctx context.Context, f quarantine.Filter) ([]quarantine.Row, error)
}

// Person is one who gets digests.
type Person struct {
	ID       string // that tells persons apart: the directory's, or the address
	Address  string // where digests go
	Language string
	Plan     Plan
}

// People says who is who, and when each wants digests.
type People interface {
	// Person returns the person an address is of; false for one that gets no digests, such as
	// one outside.
	Person(ctx context.Context, address string) (Person, bool, error)
	// Plans returns all plans that any person has.
	Plans(ctx context.Context) ([]Plan, error)
}

// Bounds of what a round has in memory, and of what it asks for at once.
const (
	mostFolders = 2000 // persons; there is another pass for the others
	chunk       = 2000 // rows
)

// slow is how long a message may be on its way from MAIL, by which the index has it, to the
// quarantine.
const slow = 6 * time.Hour

// first is how far back the first digest of a person looks.
const first = 24 * time.Hour

// listed is a kept message for one address.
type listed struct {
	quarantine.Row
	to string
}

// folder is what one person is told.
type folder struct {
	who          Person
	since, until time.Time // the copies were made after the one and up to the other
	rows         []listed  // the newest, at most Terms.Rows
	total        int
}

// plan returns the person's plan.
func (f folder) plan() Plan { return f.who.Plan }

// take adds a message that is newer than none before it.
func (f *folder) take(r quarantine.Row, to string, most int) {
	if came := r.Came(); !came.After(f.since) || came.After(f.until) {
		return
	}
	f.total++
	if len(f.rows) < most {
		f.rows = append(f.rows, listed{brief(r), to})
	}
}

// brief returns a row with no more of its texts than is shown: there may be very many.
func brief(r quarantine.Row) quarantine.Row {
	r.Subject, r.From, r.Recipients, r.Waiting = clip(r.Subject, longestRead), clip(r.From, longestRead), nil, nil
	return r
}

// collection is one pass over the messages that came since the last digests.
type collection struct {
	terms   Terms
	people  People
	books   map[string]people.Digest
	now     time.Time
	began   time.Time // up to when no digest is left to be sent
	known   map[string]*folder
	folders map[string]*folder // with mail, by person
	most    int                // bounds folders
	more    bool               // there are further persons
	only    *folder            // of the only person that matters, who need not wait; nil: all matter
}

// waits returns the folder of the person that an address is of, nil if that one waits for no digest now.
func (c *collection) waits(ctx context.Context, address string) (*folder, error) {
	if f, ok := c.known[address]; ok {
		return f, nil
	}
	who, ok, err := c.people.Person(ctx, address)
	if err != nil {
		return nil, err
	}
	var f *folder
	switch {
	case ok && c.only == nil:
		f = c.due(who)
	case ok && c.only.who.ID == who.ID:
		f = c.only
	}
	c.known[address] = f
	return f, nil
}

// due returns the folder of a person who waits for a digest now; persons with several addresses
// have one.
func (c *collection) due(who Person) *folder {
	if f := c.known["\x00"+who.ID]; f != nil {
		return f
	}
	book := c.books[who.ID]
	at := who.Plan.Last(c.now)
	if !at.After(book.Due) || !at.After(c.began) || book.Fails() >= c.terms.DropAfter {
		return nil
	}
	f := &folder{who: who, until: at, since: at.Add(-first)}
	if !book.Until.IsZero() {
		f.since = book.Until
	}
	c.known["\x00"+who.ID] = f
	return f
}

// read reads the messages, newest first.
func (c *collection) read(ctx context.Context, kept Kept, since time.Time) error {
	filter := quarantine.Filter{Since: since.Add(-slow), State: quarantine.Kept, Limit: chunk}
	for {
		rows, err := kept.Find(ctx, filter)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := c.take(ctx, r); err != nil {
				return err
			}
		}
		if len(rows) < chunk {
			return nil
		}
		filter = filter.After(rows[len(rows)-1])
	}
}

// take puts a message into the folders of those it is kept back from.
func (c *collection) take(ctx context.Context, r quarantine.Row) error {
	if !c.terms.Lists(r) {
		return nil
	}
	for _, to := range r.WaitingFor() {
		f, err := c.waits(ctx, to)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		if c.folders[f.who.ID] == nil && len(c.folders) >= c.most {
			c.more = true
			continue
		}
		if f.take(r, to, c.terms.Rows); f.total > 0 {
			c.folders[f.who.ID] = f
		}
	}
	return nil
}
