package pipeline

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/redis"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/lists"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Stores are what outlives a message. All generations share it, so that a
// directory or a database is open once, whatever the configuration calls it.
type Stores struct {
	Warn  func(error)  // takes errors that do not concern the message at hand
	Fleet *fleet.State // what hosts share; nil: nothing
	Redis *redis.State // what they share and may lose; nil: Fleet has it
	joins bool         // no daemon looks at the tables of Fleet

	mu    sync.Mutex
	dirs  map[string]*quarantine.Dir
	grey  map[string]*store.Greylist
	rates map[string]*store.Rate
	knows map[string]*store.Contact
	told  map[string]*store.Events
	past  map[string]*store.History
	folk  map[string]*people.Store
	books map[string]*lists.Book
	asked map[string]*lists.Direct
	boxes map[string]*objects
	open  []io.Closer
}

// NewStores returns stores of which none is open.
func NewStores() *Stores {
	return &Stores{Warn: func(error) {}, dirs: map[string]*quarantine.Dir{}, grey: map[string]*store.Greylist{},
		rates: map[string]*store.Rate{}, knows: map[string]*store.Contact{}, told: map[string]*store.Events{},
		past: map[string]*store.History{},
		folk: map[string]*people.Store{}, books: map[string]*lists.Book{}, asked: map[string]*lists.Direct{},
		boxes: map[string]*objects{}}
}

// Sample returns the store in the directory of messages that are kept for replays, on this host.
func (k *Stores) Sample(dir string) quarantine.Store { return k.dir(dir) }

// dir returns the quarantine in a directory.
func (k *Stores) dir(dir string) *quarantine.Dir {
	return once(k, k.dirs, dir, func() (*quarantine.Dir, io.Closer) {
		index := store.NewIndex(filepath.Join(dir, quarantine.IndexFile), k.tell)
		later := quarantine.NewLater(index, k.tell)
		return quarantine.NewDir(dir, later, k.tell), closers{later, index}
	})
}

// Forgetful is what forgets rows that are of no use any more, and some more if there are more than most.
type Forgetful interface {
	Expire(ctx context.Context, now time.Time, most int) (int, error)
}

// Greylist is a greylist that forgets.
type Greylist interface {
	greylist.Store
	Forgetful
}

// Rate is a set of buckets that forgets.
type Rate interface {
	rate.Store
	Forgetful
}

// Greylist returns the greylist of a configuration: that of all hosts, or the one in a file.
func (k *Stores) Greylist(c *config.Config) Greylist {
	switch {
	case k.Redis != nil:
		return k.Redis.Greylist()
	case k.Fleet != nil:
		return k.Fleet.Greylist()
	}
	return k.greylist(c.Greylist.File)
}

// greylist returns the greylist in a file.
func (k *Stores) greylist(file string) *store.Greylist {
	return once(k, k.grey, file, func() (*store.Greylist, io.Closer) {
		g := store.NewGreylist(file, k.tell)
		return g, g
	})
}

// Clean returns what the virus engines of several hosts remember together; nil if they do not.
func (k *Stores) Clean(c *config.Config) (virus.Clean, error) {
	key, err := c.Store.Redis.VerdictKey()
	if err != nil || key == nil || k.Redis == nil {
		return nil, err
	}
	return k.Redis.Clean(key), nil
}

// Rates returns what counts recipients by a configuration: the buckets of all hosts, and those in a file while these are away; or
// the latter alone.
func (k *Stores) Rates(c *config.Config) rate.With {
	own := k.rate(c.Rate.File)
	if all := k.sharedRate(); all != nil {
		return rate.With{Store: all, Local: own, Hosts: c.Store.Hosts}
	}
	return rate.With{Store: own}
}

// sharedRate returns the buckets of all hosts; nil if they share none.
func (k *Stores) sharedRate() Rate {
	switch {
	case k.Redis != nil:
		return k.Redis.Rate()
	case k.Fleet != nil:
		return k.Fleet.Rate()
	}
	return nil
}

// Counts returns the buckets of a configuration, those of this host last.
func (k *Stores) Counts(c *config.Config) (all []Forgetful) {
	if shared := k.sharedRate(); shared != nil {
		all = append(all, shared)
	}
	return append(all, k.rate(c.Rate.File))
}

// rate returns the counts of recipients in a file.
func (k *Stores) rate(file string) *store.Rate {
	return once(k, k.rates, file, func() (*store.Rate, io.Closer) {
		r := store.NewRate(file, k.tell)
		return r, r
	})
}

// Contact remembers which authors have written to which recipients, and forgets.
type Contact interface {
	contact.Store
	Remember(ctx context.Context, keys map[contact.Key]time.Time) error
	Forgetful
}

// Contact returns what remembers which addresses know each other: what all hosts share, or a file.
func (k *Stores) Contact(file string) Contact {
	if k.Fleet != nil {
		return k.Fleet.Contact()
	}
	return k.contact(file)
}

// contact returns what a file remembers of which addresses know each other.
func (k *Stores) contact(file string) *store.Contact {
	return once(k, k.knows, file, func() (*store.Contact, io.Closer) {
		c := store.NewContact(file, k.tell)
		return c, c
	})
}

// Events returns what the MTA's log told, in a file.
func (k *Stores) Events(file string) *store.Events {
	return once(k, k.told, file, func() (*store.Events, io.Closer) {
		e := store.NewEvents(file, k.tell)
		return e, e
	})
}

// People returns the settings that people made for themselves, by a configuration: those of all hosts, or those in a
// file.
func (k *Stores) People(c *config.Config) *people.Store {
	return once(k, k.folk, k.folkOf(c), func() (*people.Store, io.Closer) {
		p := k.openPeople(c)
		return p, p
	})
}

// folkOf returns what tells one place of what people settled from another.
func (k *Stores) folkOf(c *config.Config) string {
	if k.Fleet != nil {
		return ""
	}
	return c.People.File
}

// openPeople opens it once more, for the caller to close.
func (k *Stores) openPeople(c *config.Config) *people.Store {
	if k.Fleet != nil {
		return people.Shared(k.Tables())
	}
	return people.New(c.People.File)
}

// lastLists ends the name of the file that has the lists of all hosts as they were last read. It is where the lists of
// this host are if it shares none.
const lastLists = ".shared-lists"

// Book returns the lists of senders of a configuration, in memory.
func (k *Stores) Book(c *config.Config) *lists.Book {
	return once(k, k.books, c.People.File, func() (*lists.Book, io.Closer) {
		o := lists.Options{Warn: k.tell}
		if k.Fleet != nil {
			o.Shared = c.People.File + lastLists
		}
		b := lists.New(k.openPeople(c), o)
		return b, b
	})
}

// direct returns the lists of senders of a configuration, for a command.
func (k *Stores) direct(c *config.Config) *lists.Direct {
	return once(k, k.asked, k.folkOf(c), func() (*lists.Direct, io.Closer) {
		from := k.openPeople(c)
		if k.Fleet != nil {
			from = people.Shared(fleet.Joining{State: k.Fleet})
		}
		d := lists.NewDirect(from, k.tell)
		return d, d
	})
}

// closers are closed one after the other.
type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// tell passes a warning on to the current Warn.
func (k *Stores) tell(err error) { k.Warn(err) }

// once returns the store of a name. It opens one that is not open yet, for Close to close.
func once[T any](k *Stores, known map[string]T, name string, open func() (T, io.Closer)) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, ok := known[name]
	if !ok {
		var c io.Closer
		kept, c = open()
		known[name] = kept
		k.open = append(k.open, c)
	}
	return kept
}

// Close closes all stores. One that is used again is opened again.
func (k *Stores) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	open := slices.Clone(k.open)
	if k.Fleet != nil {
		open = append(open, k.Fleet)
	}
	if k.Redis != nil {
		open = append(open, k.Redis)
	}
	for _, c := range open {
		if err := c.Close(); err != nil {
			k.Warn(err)
		}
	}
}
