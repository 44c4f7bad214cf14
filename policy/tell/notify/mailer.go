package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Sender hands a notice to the MTA.
type Sender interface {
	Send(ctx context.Context, m submission.Mail) error
}

// Terms are how notices are sent. They may change between two rounds.
type Terms struct {
	Templates *Templates
	Sender    Sender
	Key       func() ([]byte, error) // that signs passes
	From      string                 // of the header: "postmaster@example.com"
	Host      string                 // our name
	Language  func(to string) string // of a reader
	Every     time.Duration          // between two notices to one address for one audience
	PerHour   int                    // notices to all addresses together
}

// Mailer sends the notices in a queue: the first to an address at once, those within
// Terms.Every after it as one mail. A notice that the MTA does not take stays in the
// queue. One goroutine uses a Mailer.
type Mailer struct {
	queue *Queue
	terms func() (Terms, error)
	warn  func(error)

	sent []time.Time // within the last hour
}

// NewMailer returns a mailer for a queue. terms is asked when there is something
// to send. warn is told what could not be sent.
func NewMailer(q *Queue, terms func() (Terms, error), warn func(error)) *Mailer {
	return &Mailer{queue: q, terms: terms, warn: warn}
}

// Round sends the notices that are due. Where another process does so, it does nothing.
func (o *Mailer) Round(ctx context.Context, now time.Time) {
	bundles, err := o.queue.bundles()
	if err != nil || len(bundles) == 0 {
		o.tell(err)
		return
	}
	unlock, err := disk.TryLock(filepath.Join(o.queue.dir, "lock"))
	if err != nil {
		if !errors.Is(err, disk.ErrLocked) {
			o.tell(err)
		}
		return
	}
	defer unlock()
	t, err := o.terms()
	if err != nil {
		o.tell(err)
		return
	}
	o.forget(now, t.Every)
	for _, b := range bundles {
		if o.due(b, t, now) && ctx.Err() == nil {
			o.tell(o.queue.mark(b, now))
			o.tell(o.post(ctx, b, t, now))
		}
	}
}

func (o *Mailer) tell(err error) {
	if err != nil {
		o.warn(fmt.Errorf("notices: %w", err))
	}
}

// forget removes marks that are too old to matter.
func (o *Mailer) forget(now time.Time, every time.Duration) {
	o.queue.unmark(now.Add(-every))
	for len(o.sent) > 0 && now.Sub(o.sent[0]) >= time.Hour {
		o.sent = o.sent[1:]
	}
}

func (o *Mailer) due(b bundle, t Terms, now time.Time) bool {
	return len(o.sent) < t.PerHour && now.Sub(o.queue.marked(b)) >= t.Every
}

// post sends a bundle as one notice, and takes it out of the queue. If the
// process ends in between, or whether the MTA has it is not known, it is sent
// again: twice is better than never.
func (o *Mailer) post(ctx context.Context, b bundle, t Terms, now time.Time) error {
	items := o.queue.read(b)
	if len(items) == 0 {
		return nil
	}
	notice, err := t.write(items, now)
	if err != nil {
		return err
	}
	to := items[0].To
	if err := t.Sender.Send(ctx, submission.Mail{To: []string{to}, Message: bytes.NewReader(notice)}); err != nil {
		return fmt.Errorf("to %s, will be tried again: %w", to, err)
	}
	o.sent = append(o.sent, now)
	return o.queue.remove(b)
}

// write composes and signs a notice.
func (t Terms) write(items []Item, now time.Time) ([]byte, error) {
	to := items[0]
	d := Draft{
		From: t.From, To: to.To, Audience: to.Audience, Language: t.language(to), Host: t.Host,
		ID: strings.ToLower(rand.Text()), Date: now,
	}
	for _, l := range items {
		d.Events = append(d.Events, l.Event)
	}
	notice, err := t.Templates.Compose(d)
	if err != nil {
		return nil, err
	}
	key, err := t.Key()
	if err != nil {
		return nil, err
	}
	return letter.Sign(key, notice, d.ID, now)
}

func (t Terms) language(to Item) string {
	if t.Language == nil {
		return Languages()[0]
	}
	return t.Language(to.To)
}

// Audiences lists everybody who may be told something.
func Audiences() []policy.Audience {
	return []policy.Audience{policy.Administrator, policy.ToRecipient, policy.ToSender}
}
