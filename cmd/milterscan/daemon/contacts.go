package daemon

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/contact"
)

const (
	// contactQueue is how many mails may wait until their contacts are written.
	contactQueue = 1000
	// contactBatch is how many keys are written at once.
	contactBatch = 2000
	// contactWait is how long mails are gathered before it is written, and how long the last
	// write may take when the daemon ends.
	contactWait = time.Second
	// contactSilence is how long the log says nothing more of contacts that were lost.
	contactSilence = time.Minute
)

// contacts remembers which addresses know each other. No mail waits for it.
type contacts struct {
	queue chan learned
	lost  atomic.Int64 // mails that were not remembered
	told  time.Time    // when that was said last
}

// learned is what a mail has made known, and the file that is to hold it.
type learned struct {
	file string
	keys map[contact.Key]time.Time // until when each is remembered
}

func newContacts() *contacts { return &contacts{queue: make(chan learned, contactQueue)} }

// learn takes note of a mail that was delivered.
func (k *contacts) learn(r *judge.Result, c *config.Config) {
	if !c.Contact.Enabled || r.Message == nil || r.Stage != scan.StageMessage || r.Decision.Answer != policy.Deliver {
		return
	}
	m := contact.Mail{Header: r.Message.Header, Sender: r.Envelope.Sender, Recipients: r.Envelope.Recipients,
		Ours: policy.Local(c.Local).Trusts(r.Envelope), Delimiter: c.People.Delimiter}
	if drop := r.Decision.Drop; len(drop) > 0 {
		m.Recipients = slices.DeleteFunc(slices.Clone(m.Recipients), func(to string) bool { return slices.Contains(drop, to) })
	}
	known := m.Known()
	l := learned{c.Contact.File, map[contact.Key]time.Time{}}
	for _, key := range known.Pairs {
		l.keys[key] = r.Envelope.Received.Add(c.Contact.Keep.Go())
	}
	for _, key := range known.Sent {
		l.keys[key] = r.Envelope.Received.Add(c.Contact.Replies.Go())
	}
	if len(l.keys) == 0 {
		return
	}
	select {
	case k.queue <- l:
	default:
		k.lost.Add(1)
	}
}

// next waits for a mail, and returns it with those that follow soon, by their files.
func (k *contacts) next(ctx context.Context) map[string]map[contact.Key]time.Time {
	all := map[string]map[contact.Key]time.Time{}
	n := 0
	add := func(l learned) {
		if all[l.file] == nil {
			all[l.file] = map[contact.Key]time.Time{}
		}
		for key, until := range l.keys {
			all[l.file][key] = until
		}
		n += len(l.keys)
	}
	select {
	case <-ctx.Done():
	case l := <-k.queue:
		add(l)
	}
	timer := time.NewTimer(contactWait)
	defer timer.Stop()
	for n < contactBatch {
		select {
		case l := <-k.queue:
			add(l)
			continue
		default:
		}
		if ctx.Err() != nil {
			return all
		}
		select {
		case l := <-k.queue:
			add(l)
		case <-timer.C:
			return all
		case <-ctx.Done():
		}
	}
	return all
}

// rememberContacts writes down which addresses know each other, until ctx is done and nothing is
// left to write.
func (d *Daemon) rememberContacts(ctx context.Context) {
	for {
		all := d.contacts.next(ctx)
		if len(all) == 0 && ctx.Err() != nil {
			return
		}
		var failed error
		for file, keys := range all {
			writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*contactWait)
			if err := d.Stores.Contact(file).Remember(writing, keys); err != nil {
				failed = err
				d.contacts.lost.Add(1)
			}
			cancel()
		}
		if lost := d.contacts.lost.Load(); lost > 0 && time.Since(d.contacts.told) > contactSilence {
			d.contacts.lost.Add(-lost)
			d.contacts.told = time.Now()
			d.log.Warn("who has written to whom is not remembered; mail goes on", zap.Int64("lost", lost), zap.Error(failed))
		}
	}
}
