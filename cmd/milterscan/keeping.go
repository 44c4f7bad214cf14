package main

import (
	"io"
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
	rates map[string]*store.Rate
	open  []io.Closer
}

func newKeeping() *keeping {
	return &keeping{warn: func(error) {}, dirs: map[string]*quarantine.Dir{}, grey: map[string]*store.Greylist{}, rates: map[string]*store.Rate{}}
}

// quarantine is the quarantine in a directory.
func (k *keeping) quarantine(dir string) *quarantine.Dir {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dirs[dir] == nil {
		warn := func(err error) { k.warn(err) }
		index := store.NewIndex(filepath.Join(dir, "index.db"), warn)
		k.open = append(k.open, index)
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
		k.open = append(k.open, k.grey[file])
	}
	return k.grey[file]
}

// rate is what is counted in a file.
func (k *keeping) rate(file string) *store.Rate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rates[file] == nil {
		k.rates[file] = store.NewRate(file, func(err error) { k.warn(err) })
		k.open = append(k.open, k.rates[file])
	}
	return k.rates[file]
}

// Close closes what is open. It is opened again if it is used again.
func (k *keeping) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.open {
		if err := c.Close(); err != nil {
			k.warn(err)
		}
	}
}
