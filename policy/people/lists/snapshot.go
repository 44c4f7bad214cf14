package lists

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// key is a hash of an owner, or of an owner and a pattern, with a salt of the process: a
// sender cannot make two that are the same.
type key [16]byte

// item has the values that are kept of an entry: a million take some fifty megabytes.
type item struct {
	id      int64
	expires uint32 // seconds since 1970; 0: never
	blocks  bool
	proved  bool
}

// owned counts the entries of an owner. lengths are those that any network has had.
type owned struct {
	senders, allowsProved, blocksProved, networks int32
	lengths                                       policy.Lengths
}

// shards is how many pieces the entries are in: a change copies one of them.
const shards = 1024

// shard holds the entries and limits whose keys begin alike. It never changes once it is in a snapshot.
type shard struct {
	entries map[key]item
	owners  map[key]owned
	limits  map[key]float64 // of the score, by the person
}

// Snapshot is all entries and limits as they were at one moment. It never changes, and may be used by any
// number of goroutines at once.
type Snapshot struct {
	salt   [16]byte
	shards [shards]*shard
	n      int // entries
	limits int
	at     time.Time // when the lists were like that; the zero time if they were not read from a file that keeps them
}

// newSnapshot returns one without entries.
func newSnapshot() *Snapshot {
	s := &Snapshot{}
	rand.Read(s.salt[:])
	return s
}

// empty reports whether there is nothing to look up.
func (s *Snapshot) empty() bool { return s.n+s.limits == 0 }

// Len returns the number of entries.
func (s *Snapshot) Len() int { return s.n }

// ownerKey returns the key of an owner.
func (s *Snapshot) ownerKey(owner string) key { return s.hash('o', owner, "") }

// limitKey returns the key of the limit of a person.
func (s *Snapshot) limitKey(address string) key { return s.hash('l', address, "") }

// entryKey returns the key of an entry.
func (s *Snapshot) entryKey(owner, pattern string, proved bool) key {
	if proved {
		return s.hash('p', owner, pattern)
	}
	return s.hash('e', owner, pattern)
}

// hash mixes words, none of which can run into the next: an owner holds no NUL.
func (s *Snapshot) hash(what byte, owner, pattern string) (k key) {
	b := make([]byte, 0, 256)
	b = append(b, s.salt[:]...)
	b = append(b, what)
	b = append(b, owner...)
	b = append(b, 0)
	b = append(b, pattern...)
	sum := sha256.Sum256(b)
	copy(k[:], sum[:])
	return k
}

func (k key) shard() int { return int(binary.LittleEndian.Uint16(k[:])) % shards }

// Owned implements policy.Lists.
func (s *Snapshot) Owned(owner string) policy.Owned {
	k := s.ownerKey(owner)
	at := s.shards[k.shard()]
	if at == nil {
		return policy.Owned{}
	}
	o := at.owners[k]
	all := policy.Owned{Senders: o.senders > 0, AllowsProved: o.allowsProved > 0, BlocksProved: o.blocksProved > 0}
	if o.networks > 0 {
		all.Lengths = o.lengths
	}
	return all
}

// Entry implements policy.Lists.
func (s *Snapshot) Entry(owner, pattern string, proved bool) (policy.ListEntry, bool) {
	k := s.entryKey(owner, pattern, proved)
	at := s.shards[k.shard()]
	if at == nil {
		return policy.ListEntry{}, false
	}
	i, ok := at.entries[k]
	if !ok {
		return policy.ListEntry{}, false
	}
	e := policy.ListEntry{ID: i.id, Owner: owner, Pattern: pattern, Block: i.blocks, Authenticated: proved}
	if i.expires > 0 {
		e.Expires = time.Unix(int64(i.expires), 0)
	}
	return e, true
}

// Limit returns the limit of a person, by its main address.
func (s *Snapshot) Limit(address string) (float64, bool) {
	k := s.limitKey(address)
	at := s.shards[k.shard()]
	if at == nil {
		return 0, false
	}
	score, ok := at.limits[k]
	return score, ok
}

// draft is a snapshot in the making. It shares with another the parts that are not changed. It is a
// people.Taker.
type draft struct {
	*Snapshot
	fresh [shards]bool // that are the draft's own
	from  *Snapshot
}

// newDraft begins with what another snapshot has.
func newDraft(from *Snapshot) *draft { return &draft{Snapshot: from, from: from} }

// Begin implements people.Taker.
func (d *draft) Begin(all bool) {
	d.Snapshot, d.fresh = newSnapshot(), [shards]bool{}
	if !all {
		*d.Snapshot = *d.from
		d.at = time.Time{}
	}
}

// own returns a shard that the draft may change.
func (d *draft) own(k key) *shard {
	i := k.shard()
	if !d.fresh[i] {
		own := &shard{entries: map[key]item{}, owners: map[key]owned{}, limits: map[key]float64{}}
		if old := d.shards[i]; old != nil {
			own = &shard{entries: maps.Clone(old.entries), owners: maps.Clone(old.owners), limits: maps.Clone(old.limits)}
		}
		d.shards[i], d.fresh[i] = own, true
	}
	return d.shards[i]
}

// Take implements people.Taker.
func (d *draft) Take(e people.Entry) {
	d.Drop(e)
	i := item{id: e.ID, blocks: e.Act == people.Block, proved: e.Authenticated}
	if !e.Expires.IsZero() {
		i.expires = uint32(min(max(e.Expires.Unix(), 1), 1<<32-1))
	}
	k := d.entryKey(e.Owner, e.Pattern, e.Authenticated)
	d.own(k).entries[k] = i
	d.n++
	d.count(e, i, 1)
}

// Drop implements people.Taker.
func (d *draft) Drop(e people.Entry) {
	k := d.entryKey(e.Owner, e.Pattern, e.Authenticated)
	at := d.shards[k.shard()]
	if at == nil {
		return
	}
	if i, ok := at.entries[k]; ok {
		delete(d.own(k).entries, k)
		d.n--
		d.count(e, i, -1)
	}
}

// Limit implements people.Taker.
func (d *draft) Limit(l people.Limit) {
	k := d.limitKey(l.Address)
	at := d.own(k)
	d.limits -= len(at.limits)
	if l.Set {
		at.limits[k] = l.Score
	} else {
		delete(at.limits, k)
	}
	d.limits += len(at.limits)
}

// count adds an entry to those of its owner, or takes it away.
func (d *draft) count(e people.Entry, i item, n int32) {
	k := d.ownerKey(e.Owner)
	at := d.own(k)
	o := at.owners[k]
	if p, err := netip.ParsePrefix(e.Pattern); err == nil && !strings.Contains(e.Pattern, "@") {
		o.networks += n
		o.lengths.Add(p)
	} else {
		o.senders += n
	}
	switch {
	case i.proved && i.blocks:
		o.blocksProved += n
	case i.proved:
		o.allowsProved += n
	}
	if o.senders+o.networks == 0 {
		delete(at.owners, k)
		return
	}
	at.owners[k] = o
}
