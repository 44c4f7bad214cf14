package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/shared"
)

// Examination looks at every kept message.
type Examination struct {
	Quick bool // messages are not read: only their sizes are looked at, where several hosts share them
	// Tell is told each fault; id is that of the message, "" if it concerns none.
	Tell func(id string, format string, args ...any)
	Now  time.Time
}

// settling is how long a release may be under way.
const settling = 10 * time.Minute

// Examine looks at the kept messages of a configuration, and returns how many there are and how many things are wrong.
func (x Examination) Examine(ctx context.Context, k *Stores, c *config.Config) (messages, wrong int, err error) {
	tell := x.Tell
	x.Tell = func(id, format string, args ...any) { wrong++; tell(id, format, args...) }
	v := k.Vault(c)
	if v == nil {
		messages, err = x.directory(ctx, k.dir(c.Quarantine.Dir), "the directory")
		return messages, wrong, err
	}
	if messages, err = x.vault(ctx, v); err != nil {
		return messages, wrong, err
	}
	if _, err = x.directory(ctx, k.Spare(c), "what this host has to itself"); err != nil {
		return messages, wrong, err
	}
	late, err := k.Late(ctx, c)
	for _, l := range late {
		x.Tell("", "%s has %d kept messages to itself, which are not in the database yet", l.Host, l.Messages)
	}
	x.spill(c)
	return messages, wrong, err
}

// spill looks at the file in which records wait for the database.
func (x Examination) spill(c *config.Config) {
	if c.History.File == "" {
		return
	}
	file := c.History.SpillFile()
	n, _, err := spill.Waiting(file)
	if n > 0 {
		x.Tell("", "%s has %d records of messages in %s, which are not in the database yet", c.Store.Host(), n, file)
	}
	if err != nil {
		x.Tell("", "%s has records of messages that cannot be read: %v", c.Store.Host(), err)
	}
}

// directory looks at the messages of a directory.
func (x Examination) directory(ctx context.Context, d *quarantine.Dir, what string) (messages int, err error) {
	list, err := d.IDs()
	if err != nil {
		return 0, err
	}
	for _, id := range list {
		if err := ctx.Err(); err != nil {
			return messages, err
		}
		if err := x.message(ctx, d, id, !x.Quick); err != nil {
			x.Tell(id, "in %s: %v", what, err)
		}
		messages++
	}
	return messages, nil
}

// vault looks at the messages that hosts share.
func (x Examination) vault(ctx context.Context, s *shared.Store) (messages int, err error) {
	strays, err := s.Strays(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range strays {
		x.Tell(id, "the database has the message, and no entry for it")
	}
	err = s.Compare(ctx, x.Now, func(l shared.Lost) {
		switch {
		case l.ID == "":
			x.Tell("", "the bucket has the object %s, and there is no entry for it; the daemons remove it", l.Name)
		case l.Size < 0:
			x.Tell(l.ID, "there is an entry, and its object %s is missing in the bucket", l.Name)
		default:
			x.Tell(l.ID, "there is an entry, and its object %s has another size", l.Name)
		}
	})
	if err != nil {
		return 0, err
	}
	for after := ""; ; {
		ids, err := s.IDs(ctx, after)
		if err != nil || len(ids) == 0 {
			return messages, err
		}
		partial, err := s.Partial(ctx, ids)
		if err != nil {
			return messages, err
		}
		torn := map[string]bool{}
		for _, id := range partial {
			torn[id] = true
			x.Tell(id, "the database has an entry, and the message is missing or has another size")
		}
		for _, id := range ids {
			if err := x.message(ctx, s, id, !x.Quick && !torn[id]); err != nil {
				if ctx.Err() != nil || s.Check(ctx) != nil {
					return messages, err
				}
				x.Tell(id, "%v", err)
			}
			messages++
		}
		after = ids[len(ids)-1]
	}
}

// message looks at one message, which may be deleted at any moment.
func (x Examination) message(ctx context.Context, s quarantine.Store, id string, read bool) error {
	e, err := s.Entry(ctx, id)
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if e.State == quarantine.Releasing && x.Now.Sub(lastEvent(e)) > settling {
		x.Tell(id, "a release was begun at %s, and it is not known how it ended", lastEvent(e).Format(time.DateTime))
	}
	if !read {
		return nil
	}
	err = readAll(ctx, s, id)
	if _, gone := s.Entry(ctx, id); err != nil && errors.Is(gone, quarantine.ErrUnknown) {
		return nil
	}
	return err
}

// lastEvent returns when something was last done with a message.
func lastEvent(e quarantine.Entry) time.Time {
	if len(e.Events) == 0 {
		return e.Record.Time
	}
	return e.Events[len(e.Events)-1].Time
}

// readAll reads a message to its end, where its checksum is compared.
func readAll(ctx context.Context, s quarantine.Store, id string) error {
	r, err := s.Open(ctx, id)
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}
