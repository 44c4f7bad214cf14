package directory

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
)

// Options are what a directory works with.
type Options struct {
	Dir  string      // where the last good loads are kept; "": nowhere
	Keep bool        // loads are put there, and not only read
	Tell func(State) // is told when a source stops answering, and when it does so again; nil: no function is
}

// Directory answers who is who, from memory. It may be used by several goroutines at once. The zero
// Directory knows no person.
type Directory struct {
	options   Options
	mu        sync.Mutex // for what follows
	sources   []*source
	delimiter string
	changed   chan struct{}
	now       atomic.Pointer[snapshot]
}

// New returns a directory without sources.
func New(o Options) *Directory {
	if o.Tell == nil {
		o.Tell = func(State) {}
	}
	return &Directory{options: o, changed: make(chan struct{}, 1)}
}

// Use goes on with other sources. Those that stay the same keep what they have loaded; of others, what a
// load before the last restart has left is in force until they have loaded.
func (d *Directory) Use(list []Source, delimiter string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var next []*source
	for _, c := range list {
		i := slices.IndexFunc(d.sources, func(s *source) bool { return reflect.DeepEqual(s.Source, c) })
		if i >= 0 {
			next = append(next, d.sources[i])
			continue
		}
		s := &source{Source: c, from: c.open()}
		s.restore(d.options.Dir)
		next = append(next, s)
	}
	same := slices.Equal(next, d.sources)
	if same && delimiter == d.delimiter {
		return
	}
	d.sources, d.delimiter = next, delimiter
	d.assemble()
	if !same {
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

// assemble puts in force what all sources have said last.
func (d *Directory) assemble() { d.now.Store(assemble(slices.Clone(d.sources), d.delimiter)) }

// Run keeps the sources loaded until ctx is done.
func (d *Directory) Run(ctx context.Context) {
	for ctx.Err() == nil {
		list := d.begin()
		running, stop := context.WithCancel(ctx)
		var loops sync.WaitGroup
		for _, s := range list {
			loops.Go(func() { d.follow(running, s) })
		}
		select {
		case <-ctx.Done():
		case <-d.changed:
		}
		stop()
		loops.Wait()
	}
}

// begin returns the sources, whose changes from now on are another matter.
func (d *Directory) begin() []*source {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.changed:
	default:
	}
	return slices.Clone(d.sources)
}

// Load loads all sources now, and returns when all have been asked.
func (d *Directory) Load(ctx context.Context) { d.loadAll(ctx, func(*source) bool { return true }) }

// LoadMissing loads those sources of which nothing is known yet, and returns when all have been asked.
func (d *Directory) LoadMissing(ctx context.Context) {
	d.loadAll(ctx, func(s *source) bool { return !s.known.Load() })
}

// LoadMissingFiles does so with sources that are files of this host, and asks no other one.
func (d *Directory) LoadMissingFiles(ctx context.Context) {
	d.loadAll(ctx, func(s *source) bool { return s.Type == CSV && !s.known.Load() })
}

func (d *Directory) loadAll(ctx context.Context, which func(*source) bool) {
	d.mu.Lock()
	list := slices.Clone(d.sources)
	d.mu.Unlock()
	var all sync.WaitGroup
	for _, s := range list {
		if which(s) {
			all.Go(func() { d.load(ctx, s) })
		}
	}
	all.Wait()
}

// Ready reports whether every source has been loaded at some time, so that a person who is not found
// was in none then.
func (d *Directory) Ready() bool {
	s := d.now.Load()
	return s == nil || !slices.ContainsFunc(s.sources, func(one *source) bool { return !one.known.Load() })
}

// Who returns the person of an address.
func (d *Directory) Who(written string) (Person, bool) {
	s := d.now.Load()
	if s == nil {
		return Person{}, false
	}
	at, ok := s.person(written)
	if !ok {
		return Person{}, false
	}
	return s.people[at], true
}

// Main returns the main address of the person who has an address, "" if the sources have no person with it.
func (d *Directory) Main(written string) string {
	s := d.now.Load()
	if s == nil {
		return ""
	}
	at, ok := s.person(written)
	if !ok {
		return ""
	}
	return s.people[at].Main()
}

// Language returns the language of the person who has an address, "" if no source says.
func (d *Directory) Language(address string) string {
	p, _ := d.Who(address)
	return p.Language
}

// Acting returns the persons that the owner of an address may act for: the person, if it is one, and
// those whose delegate it is.
func (d *Directory) Acting(written string) (list []Person) {
	s := d.now.Load()
	if s == nil {
		return nil
	}
	key, err := address.Fold(written)
	if err != nil {
		return nil
	}
	if at, ok := s.person(written); ok {
		list = append(list, s.people[at])
		key = s.people[at].ID
	}
	for _, at := range s.acting[key] {
		list = append(list, s.people[at])
	}
	return list
}

// Known reports whether an address is one of those that the sources have. It is sure that one is not
// only if its domain is one of which sources have all addresses, and each of them has been loaded
// lately.
func (d *Directory) Known(written string) (known, sure bool) {
	s := d.now.Load()
	folded, err := address.Fold(written)
	if s == nil || err != nil {
		return false, false
	}
	if _, ok := s.find(folded); ok {
		return true, true
	}
	for _, one := range s.sources {
		if !(policy.Local{Domains: one.Domains}).Has(folded) {
			continue
		}
		if !one.fresh(time.Now()) {
			return false, false
		}
		sure = true
	}
	return false, sure
}

// Group reports whether a person with an address is in a group, by its short name or its whole one.
func (d *Directory) Group(name, address string) bool {
	s := d.now.Load()
	if s == nil {
		return false
	}
	at, ok := s.person(address)
	if !ok {
		return false
	}
	_, in := slices.BinarySearch(s.groups[foldGroup(name)], at)
	return in
}

// HasGroup reports whether anybody is in a group.
func (d *Directory) HasGroup(name string) bool {
	s := d.now.Load()
	return s != nil && len(s.groups[foldGroup(name)]) > 0
}

// Groups returns all groups, by their short names, and how many persons are in each.
func (d *Directory) Groups() map[string]int {
	count := map[string]int{}
	if s := d.now.Load(); s != nil {
		for _, p := range s.people {
			for _, g := range p.Groups {
				count[g]++
			}
		}
	}
	return count
}
