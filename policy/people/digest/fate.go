package digest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Fate is what became of a digest that the MTA took, as its log tells.
type Fate int

// The fates.
const (
	Open    Fate = iota // it is not known, or not yet
	Arrived             // it was delivered
	Bounced             // it was given up
)

// Ledger is what Settle needs of a Book. A people.Store is one.
type Ledger interface {
	SentDigests(ctx context.Context, since time.Time) ([]people.Digest, error)
	DigestArrived(ctx context.Context, person, message string) error
	DigestBounced(ctx context.Context, person, message, why string) error
}

// askedFor is how long after it was sent it is asked what became of a digest: MTAs try for five days.
const askedFor = 6 * 24 * time.Hour

// Settle writes down what became of digests that the MTA has taken, and returns how many did not
// arrive. A bounce of one has nowhere to go, since it is sent by no one: what the MTA's log
// tells is all there is.
func Settle(
	ctx context.Context, book Ledger, now time.Time, fate func(ctx context.Context, message string) (Fate, string, error),
) (bounced int, err error) {
	list, err := book.SentDigests(ctx, now.Add(-askedFor))
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, d := range list {
		f, why, err := fate(ctx, d.Message)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("what became of the digest to %s is not known: %w", d.Address, err))
		case f == Arrived:
			errs = append(errs, book.DigestArrived(ctx, d.Person, d.Message))
		case f == Bounced:
			bounced++
			errs = append(errs, book.DigestBounced(ctx, d.Person, d.Message, submission.OneLine(why, 300)))
		}
		if ctx.Err() != nil || len(errs) > 0 && errs[len(errs)-1] != nil {
			break
		}
	}
	return bounced, errors.Join(errs...)
}
