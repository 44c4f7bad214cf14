package main

import (
	"path/filepath"
	"sync"

	"github.com/milterscan/milterscan/policy/quarantine"
	"github.com/milterscan/milterscan/policy/store"
)

// keeping is what outlives a message. All generations share it, so that a
// directory or a database is open once, whatever the configuration calls it.
type keeping struct {
	warn func(error) // what is wrong beside the message at hand

	mu    sync.Mutex
	dirs  map[string]*quarantine.Dir
	grey  map[string]*store.Greylist
	index []*store.Index
}

func newKeeping() *keeping {
	return &keeping{warn: func(error) {}, dirs: map[string]*quarantine.Dir{}, grey: map[string]*store.Greylist{}}
}

// quarantine is the quarantine in a directory.
func (k *keeping) quarantine(dir string) *quarantine.Dir {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dirs[dir] == nil {
		warn := func(err error) { k.warn(err) }
		index := store.NewIndex(filepath.Join(dir, "index.db"), warn)
		k.index = append(k.index, index)
		k.dirs[dir] = quarantine.NewDir(dir, index, warn)
	}
	return k.dirs[dir]
}

// greylist is the greylist in a file.
func (k *keeping) greylist(file string) *store.Greylist {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.grey[file] == nil {
		k.grey[file] = store.NewGreylist(file, func(err error) { k.warn(err) })
	}
	return k.grey[file]
}

// Close closes what is open. It is opened again if it is used again.
func (k *keeping) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, x := range k.index {
		if err := x.Close(); err != nil {
			k.warn(err)
		}
	}
	for _, g := range k.grey {
		if err := g.Close(); err != nil {
			k.warn(err)
		}
	}
}
