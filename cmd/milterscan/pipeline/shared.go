package pipeline

import (
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/spool"
)

// Shared is what all generations share.
type Shared struct {
	Spool   *spool.Spool
	Workers *worker.Pool
	Stores  *Stores
	// Directory knows who is who.
	Directory *directory.Directory
	// Published has the lists of feeds.
	Published *feed.Set
	// Appeals gives senders links; nil: they get none.
	Appeals judge.Appeals
	// Evaluations has what DMARC found about messages, where domains are told of it.
	Evaluations auth.Evaluations
	Live        bool // the mail is on its way: its client can be told to come back
	// Letters has words of earlier mail that may be passwords; nil: nothing is remembered.
	Letters *unpack.Letters
	// Recall replaces the scanners of senders, unless it is nil.
	Recall *Recall
	// Heard is told what becomes of questions to DNS lists, unless it is nil. A question
	// that is not put, as the list is off, takes no time.
	Heard func(list, result string, put bool, took time.Duration)
}

// NewShared returns the state that generations share.
func NewShared(c *config.Config) *Shared {
	stores := NewStores()
	stores.Fleet, stores.Redis = c.Fleet(), c.Store.Volatile()
	return &Shared{
		Spool:     spool.New(c.Spool.Dir, int64(c.Spool.Memory), int64(c.Spool.Disk)),
		Workers:   worker.NewPool(worker.Defaults()),
		Stores:    stores,
		Directory: directory.New(directory.Options{}),
		Published: feed.New(feed.Options{}),
	}
}
