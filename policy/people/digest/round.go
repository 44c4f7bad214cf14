package digest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Sender hands a digest to the MTA.
type Sender interface {
	Send(ctx context.Context, m submission.Mail) error
}

// Terms are how digests are made and sent. They may change between two rounds.
type Terms struct {
	Templates *Templates
	Sender    Sender
	Key       func() ([]byte, error) // that signs passes
	LinkKey   func() ([]byte, error) // that signs links
	From      string                 // of the header: "postmaster@example.com"
	Host      string                 // our name
	URL       string                 // of the console, "https://mx.example.com"; "" for digests without links
	Page      string                 // the path of a person's page below it; "" for none
	Good      time.Duration          // for which links are good
	Rows      int                    // that a digest lists; more are counted
	DropAfter int                    // digests of one person that did not arrive, one after the other
	Lists     func(quarantine.Row) bool
	Releases  func(quarantine.Row) bool
	Blocks    bool // there are lists of senders
}

// Book says how far the digests of all persons are. A people.Store is one.
type Book interface {
	Digests(ctx context.Context) ([]people.Digest, error)
	ClaimDigest(ctx context.Context, person, to string, since, due, now time.Time) (bool, error)
	DigestTaken(ctx context.Context, person, message string, until, now time.Time) error
	DigestUnsure(ctx context.Context, person, why string) error
	DigestRefused(ctx context.Context, person, why string) error
	DigestPutOff(ctx context.Context, person, why string) error
	DigestsEmpty(ctx context.Context, due map[string]time.Time) error
	DigestRound(ctx context.Context) (time.Time, error)
	EndDigestRound(ctx context.Context, until time.Time) error
}

// Post sends digests. All fields are required.
type Post struct {
	Kept   Kept
	People People
	Book   Book
	Warn   func(error)

	folders int // bounds them instead of mostFolders, for tests
}

// Outcome is what became of digests.
type Outcome struct {
	Sent   int // the MTA has them, or may have
	Failed int // refused for good
	PutOff int // to be tried again
	Others int // another process sends them
}

// add counts further ones.
func (o *Outcome) add(more Outcome) {
	o.Sent, o.Failed, o.PutOff, o.Others = o.Sent+more.Sent, o.Failed+more.Failed, o.PutOff+more.PutOff, o.Others+more.Others
}

// late is how long after it is due a digest is made: what was kept just before is in the index by
// then.
const late = 30 * time.Second

// Round sends the digests that are due. Where another process does so at the same time, each sends
// some of them; what one of them could not send is sent by a later round of any.
func (p Post) Round(ctx context.Context, t Terms, now time.Time) (all Outcome, err error) {
	began, last, err := p.span(ctx, now.Add(-late))
	if err != nil || !last.After(began) {
		return all, err
	}
	for more := true; more; {
		var some Outcome
		some, more, err = p.pass(ctx, t, began, now)
		all.add(some)
		if err != nil || all.PutOff+all.Others > 0 { // the round goes on with the next call
			return all, err
		}
	}
	return all, p.Book.EndDigestRound(ctx, last)
}

// span returns up to when no digest is left to be sent, and when the last one was due. The first round
// that ever is sends none: they are due from then on.
func (p Post) span(ctx context.Context, now time.Time) (began, last time.Time, err error) {
	plans, err := p.People.Plans(ctx)
	if err != nil {
		return began, last, err
	}
	if began, err = p.Book.DigestRound(ctx); err != nil {
		return began, last, err
	}
	if began.IsZero() {
		return now, now, p.Book.EndDigestRound(ctx, now)
	}
	for _, plan := range plans {
		if at := plan.Last(now); at.After(last) {
			last = at
		}
	}
	return began, last, nil
}

// pass sends the digests of as many persons as there is room for, and reports whether there are more.
func (p Post) pass(ctx context.Context, t Terms, began, now time.Time) (o Outcome, more bool, err error) {
	c, since, empty, err := p.collection(ctx, t, began, now)
	if err != nil {
		return o, false, err
	}
	if err := c.read(ctx, p.Kept, since); err != nil {
		return o, false, err
	}
	for person := range c.folders {
		delete(empty, person)
	}
	if !c.more {
		if err := p.Book.DigestsEmpty(ctx, empty); err != nil {
			return o, false, err
		}
	}
	folders := slices.Collect(maps.Values(c.folders)) // in no order: another process begins elsewhere
	o, err = p.deliver(ctx, t, folders, now)
	return o, c.more, err
}

// collection begins a pass. since is from when mail matters, empty has the persons who wait for a digest,
// with its time.
func (p Post) collection(
	ctx context.Context, t Terms, began, now time.Time,
) (c *collection, since time.Time, empty map[string]time.Time, err error) {
	books, err := p.Book.Digests(ctx)
	if err != nil {
		return nil, since, nil, err
	}
	c = &collection{terms: t, people: p.People, now: now.Add(-late), began: began, books: map[string]people.Digest{},
		known: map[string]*folder{}, folders: map[string]*folder{}, most: cmp.Or(p.folders, mostFolders)}
	for _, b := range books {
		c.books[b.Person] = b
	}
	since, empty = c.now.Add(-first-first), map[string]time.Time{}
	for _, b := range books {
		who, ok, err := p.People.Person(ctx, b.Address)
		if err != nil {
			return nil, since, nil, err
		}
		if !ok || who.ID != b.Person {
			continue
		}
		if f := c.due(who); f != nil {
			empty[b.Person] = f.until
			if f.since.Before(since) {
				since = f.since
			}
		}
	}
	return c, since, empty, nil
}

// atOnce is how many digests are on their way to the MTA at the same time: it has other mail.
const atOnce = 4

// enough is after how many digests in a row that the MTA did not take it is left alone.
const enough = 5

// deliver sends digests.
func (p Post) deliver(ctx context.Context, t Terms, folders []*folder, now time.Time) (all Outcome, err error) {
	keys, err := t.keys()
	if err != nil {
		return all, err
	}
	var next, row atomic.Int64
	var mu sync.Mutex
	var errs []error
	var workers sync.WaitGroup
	for range min(atOnce, len(folders)) {
		workers.Go(func() {
			for ctx.Err() == nil && row.Load() < enough {
				i := int(next.Add(1)) - 1
				if i >= len(folders) {
					return
				}
				some, err := p.send(ctx, t, keys, *folders[i], now)
				switch {
				case some.PutOff > 0:
					row.Add(1)
				case some.Sent+some.Failed > 0:
					row.Store(0)
				}
				mu.Lock()
				all.add(some)
				if err != nil && len(errs) < enough {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if left := len(folders) - int(next.Load()); left > 0 {
		all.PutOff += left
	}
	return all, errors.Join(append(errs, ctx.Err())...)
}

// keys are those that digests are signed with.
type keys struct{ pass, link []byte }

func (t Terms) keys() (k keys, err error) {
	if k.pass, err = t.Key(); err != nil {
		return k, fmt.Errorf("the key of passes: %w", err)
	}
	if k.link, err = t.LinkKey(); err != nil {
		return k, fmt.Errorf("the key of links: %w", err)
	}
	return k, nil
}

// send sends the digest of a person, unless another process does.
func (p Post) send(ctx context.Context, t Terms, k keys, f folder, now time.Time) (o Outcome, err error) {
	id := name(k.link, f.who.ID, f.until)
	mail, err := t.write(f, id, k, now)
	if err != nil {
		return Outcome{PutOff: 1}, err
	}
	mine, err := p.Book.ClaimDigest(ctx, f.who.ID, f.who.Address, f.since, f.until, now)
	if err != nil {
		return Outcome{PutOff: 1}, err
	}
	if !mine {
		return Outcome{Others: 1}, nil
	}
	m := submission.Mail{To: []string{f.who.Address}, Message: bytes.NewReader(mail)}
	sent := m.Check()
	if sent != nil {
		sent = &textproto.Error{Code: 553, Msg: sent.Error()} // as an MTA would say, and for good
	} else {
		sent = t.Sender.Send(ctx, m)
	}
	return p.note(context.WithoutCancel(ctx), f, letter.Letter{ID: id, Host: t.Host}.MessageID(), sent, now)
}

// note writes down what became of a digest.
func (p Post) note(ctx context.Context, f folder, message string, sent error, now time.Time) (Outcome, error) {
	var said *textproto.Error
	why := ""
	if sent != nil {
		why = submission.OneLine(sent.Error(), 300)
	}
	switch {
	case sent == nil:
		return Outcome{Sent: 1}, p.Book.DigestTaken(ctx, f.who.ID, message, f.until, now)
	case errors.Is(sent, submission.ErrUnsure):
		return Outcome{Sent: 1}, errors.Join(p.Book.DigestUnsure(ctx, f.who.ID, why), fmt.Errorf("digest to %s: %w", f.who.Address, sent))
	case errors.As(sent, &said) && said.Code >= 500:
		p.Warn(fmt.Errorf("digest to %s: %w", f.who.Address, sent))
		return Outcome{Failed: 1}, p.Book.DigestRefused(ctx, f.who.ID, why)
	}
	return Outcome{PutOff: 1}, errors.Join(p.Book.DigestPutOff(ctx, f.who.ID, why),
		fmt.Errorf("digest to %s, will be tried again: %w", f.who.Address, sent))
}

// name returns the id of the digest of a person and a time: if it is sent once more, as whether the MTA had
// it was not known, it is the same mail.
func name(key []byte, person string, due time.Time) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "milterscan digest\n%d\n%s", due.UnixMilli(), person)
	return strings.ToLower(base32.HexEncoding.EncodeToString(h.Sum(nil)[:15]))
}

// write composes and signs a digest.
func (t Terms) write(f folder, id string, k keys, now time.Time) ([]byte, error) {
	order(f.rows)
	mail, err := t.compose(f, id, now, k.link)
	if err != nil {
		return nil, err
	}
	return letter.Sign(k.pass, mail, id, now)
}
