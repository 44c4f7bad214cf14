package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Moved says what became of one kind of state that was moved into the shared database.
type Moved struct {
	What string // as docs/hosts.md calls it
	From string // the file or directory
	Note string // what was done, with its counts; or why nothing was
	Left int    // of what there was, how much is not in the database
}

// Watch is told how a move goes.
type Watch interface {
	Begin(what string, of int) // a kind of state, of which there are so many, or a number that is not known (0)
	Step(n int)                // as many were moved
	Warn(err error)            // about one of them
	End(Moved)
}

// Move moves one kind of state.
type Move struct {
	What string
	Run  func(ctx context.Context, k *Stores, c *config.Config, w Watch) (Moved, error)
}

// moves returns all kinds of state, in the order in which they are moved. A kind that can be moved again and again is
// moved in that way: nothing comes twice.
func moves() []Move {
	return []Move{
		{"quarantine", moveQuarantine},
		{"greylist", moveGreylist},
		{"limits", moveRates},
		{"counts of DMARC", elsewhere("the daemon adds what waits in dmarc_reports.file by itself")},
		{"people and lists", movePeople},
		{"history", moveHistory},
		{"contacts", moveContacts},
		{"notices", elsewhere("not moved: each host has them for itself")},
	}
}

// Moves moves the state of this host into the shared database, and what others keep there. After an error the rest is
// not moved: it may be begun again.
func (k *Stores) Moves(ctx context.Context, c *config.Config, w Watch, others ...Move) error {
	if k.Fleet == nil {
		return errors.New("the configuration has no store.url: there is no shared database to move anything to")
	}
	if err := k.reach(ctx); err != nil {
		return err
	}
	for _, m := range append(moves(), others...) {
		got, err := m.Run(ctx, k, c, w)
		if err != nil {
			return fmt.Errorf("%s: %w", m.What, err)
		}
		got.What = m.What
		w.End(got)
	}
	return nil
}

// elsewhere returns a move that moves nothing, and notes how that kind of state is moved instead.
func elsewhere(note string) func(context.Context, *Stores, *config.Config, Watch) (Moved, error) {
	return func(context.Context, *Stores, *config.Config, Watch) (Moved, error) { return Moved{Note: note}, nil }
}

// moveQuarantine moves kept messages, those that wait for the database included. They are gone from their directories
// then.
func moveQuarantine(ctx context.Context, k *Stores, c *config.Config, w Watch) (m Moved, err error) {
	m.From = c.Quarantine.Dir
	v := k.Vault(c)
	var taken, known, gone, had int
	for _, d := range []*quarantine.Dir{k.dir(c.Quarantine.Dir), k.Spare(c)} {
		list, err := d.IDs()
		if err != nil {
			return m, err
		}
		had += len(list)
		w.Begin("messages", len(list))
		moves, err := v.MoveAll(ctx, d, list, func(id string, err error) {
			if w.Step(1); err != nil {
				w.Warn(fmt.Errorf("message %s stays where it is: %w", id, err))
			}
		})
		taken, known, gone = taken+moves.Taken, known+moves.Known, gone+moves.Gone
		if err != nil {
			return m, fmt.Errorf("after %d of %d messages: %w", taken+known+gone, had, err)
		}
		if list, err = d.IDs(); err != nil {
			return m, err
		}
		m.Left += len(list)
	}
	m.Note = fmt.Sprintf("%d messages: %d moved, %d were in the database already, %d had been deleted there; %d stay",
		had, taken, known, gone, m.Left)
	return m, nil
}

// volatile is what becomes of what may be lost, where that is not in the database.
var volatile = Moved{Note: "not moved: hosts share it by [store.redis], where it begins anew"}

// mostRows is how many rows are moved at once.
const mostRows = 1000

// moveGreylist copies the greylist.
func moveGreylist(ctx context.Context, k *Stores, c *config.Config, w Watch) (Moved, error) {
	if k.Redis != nil {
		return volatile, nil
	}
	w.Begin("senders", 0)
	from := k.greylist(c.Greylist.File)
	return copyRows(ctx, c.Greylist.File, w, from.Page, k.Fleet.Greylist().Add,
		func(r greylist.Row) []byte { return r.Key[:] })
}

// moveRates copies how far limits are used.
func moveRates(ctx context.Context, k *Stores, c *config.Config, w Watch) (Moved, error) {
	if k.Redis != nil {
		return volatile, nil
	}
	w.Begin("limits", 0)
	return copyRows(ctx, c.Rate.File, w, k.rate(c.Rate.File).Page, k.Fleet.Rate().Add,
		func(r rate.Row) []byte { return r.Key[:] })
}

// moveContacts copies who has written to whom. Only when all of it is there does the database know so from when on.
func moveContacts(ctx context.Context, k *Stores, c *config.Config, w Watch) (m Moved, err error) {
	w.Begin("contacts", 0)
	file := c.Contact.File
	from, to := k.contact(file), k.Fleet.Contact()
	m, err = copyRows(ctx, file, w, from.Page, to.Add, func(r contact.Row) []byte { return r.Key[:] })
	if err != nil || m.Note == NoFile {
		return m, err
	}
	began, err := from.Began(ctx)
	if err == nil {
		err = to.Since(ctx, began)
	}
	return m, err
}

// movePeople copies what people have settled for themselves.
func movePeople(ctx context.Context, k *Stores, c *config.Config, w Watch) (m Moved, err error) {
	m.From = c.People.File
	from := people.New(c.People.File)
	defer from.Close()
	if err := from.There(); errors.Is(err, fs.ErrNotExist) {
		m.Note = NoFile
		return m, nil
	}
	w.Begin("settings", 0)
	copied, err := from.CopyTo(ctx, k.People(c), w.Step)
	var list []string
	for _, one := range copied {
		if one.Rows > 0 {
			list = append(list, fmt.Sprintf("%d %s, %d of them new", one.Rows, one.What, one.Added))
		}
	}
	m.Note = cmp.Or(strings.Join(list, "; "), "nobody has settled anything")
	return m, err
}

// NoFile is said where there is nothing to move.
const NoFile = "nothing to move: there is no such file"

// copyRows copies rows of a file into the database, and counts how many of them it has then. The file stays as it is.
func copyRows[T any](ctx context.Context, file string, w Watch, page func(context.Context, []byte, int) ([]T, error),
	add func(context.Context, []T) (int, error), key func(T) []byte) (m Moved, err error) {
	m.From = file
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		m.Note = NoFile
		return m, nil
	}
	var had, here int
	var after []byte
	for {
		rows, err := page(ctx, after, mostRows)
		if err != nil {
			return m, err
		}
		if len(rows) == 0 {
			m.Note = fmt.Sprintf("%d entries: the database has %d of them; the time of the others is over", had, here)
			return m, nil
		}
		n, err := add(ctx, rows)
		if err != nil {
			return m, err
		}
		w.Step(len(rows))
		had, here, after = had+len(rows), here+n, key(rows[len(rows)-1])
	}
}
