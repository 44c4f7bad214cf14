package digest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/letter"
)

// The reasons why one person gets no digest.
var (
	ErrNobody  = errors.New("it is no address of ours: see local.domains and people.source")
	ErrNothing = errors.New("there is nothing new")
)

// one returns the folder of the person an address is of. It has what came after since, or, if that is
// zero, after the person's last digest.
func (p Post) one(ctx context.Context, t Terms, to string, since, now time.Time) (folder, error) {
	folded, err := people.Fold(to)
	if err != nil {
		return folder{}, err
	}
	who, ok, err := p.People.Person(ctx, folded)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w", folded, ErrNobody)
	}
	if err != nil {
		return folder{}, err
	}
	if since.IsZero() {
		if since, err = p.listedUntil(ctx, who.ID, now); err != nil {
			return folder{}, err
		}
	}
	f := &folder{who: who, since: since, until: now}
	c := &collection{terms: t, people: p.People, now: now, known: map[string]*folder{}, folders: map[string]*folder{}, most: 1, only: f}
	if err := c.read(ctx, p.Kept, since); err != nil {
		return *f, err
	}
	if f.total == 0 {
		return *f, fmt.Errorf("%s: %w since %s", who.Address, ErrNothing, since.Local().Format("2006-01-02 15:04 -0700"))
	}
	return *f, nil
}

// listedUntil returns up to where mail of a person was listed.
func (p Post) listedUntil(ctx context.Context, person string, now time.Time) (time.Time, error) {
	books, err := p.Book.Digests(ctx)
	for _, b := range books {
		if b.Person == person && !b.Until.IsZero() {
			return b.Until, err
		}
	}
	return now.Add(-first), err
}

// Preview returns the digest of what came for a person after a time, or, if that is zero, after the last
// digest. Its links are not good, and it has no pass.
func (p Post) Preview(ctx context.Context, t Terms, to string, since, now time.Time) (letter.Filled, error) {
	f, err := p.one(ctx, t, to, since, now)
	if err != nil {
		return letter.Filled{}, err
	}
	order(f.rows)
	key := make([]byte, 32)
	rand.Read(key)
	return t.fill(f, now, key)
}

// SendTo sends a person the digest of new mail, due or not, and also to one whose digests did not
// arrive.
func (p Post) SendTo(ctx context.Context, t Terms, to string, now time.Time) (Outcome, error) {
	f, err := p.one(ctx, t, to, time.Time{}, now.Truncate(time.Millisecond))
	if err != nil {
		return Outcome{}, err
	}
	return p.deliver(ctx, t, []*folder{&f}, now)
}

// Due is a person with a digest that is due.
type Due struct {
	Address string    `json:"address"`
	Mails   int       `json:"mails"`
	Since   time.Time `json:"since"`
}

// Due returns the persons that a round would send digests now, of as many as it has in memory at once, and
// whether there are more.
func (p Post) Due(ctx context.Context, t Terms, now time.Time) (list []Due, more bool, err error) {
	began, err := p.Book.DigestRound(ctx)
	if err != nil || began.IsZero() {
		return nil, false, err
	}
	c, since, _, err := p.collection(ctx, t, began, now)
	if err == nil {
		err = c.read(ctx, p.Kept, since)
	}
	if err != nil {
		return nil, false, err
	}
	for _, f := range c.folders {
		list = append(list, Due{f.who.Address, f.total, f.since})
	}
	return list, c.more, nil
}
