package worker

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/units"
)

// slowHost is how many times longer than it was counted the work on pictures may take.
const slowHost = 5

// mostFound bounds how many things are found in the pictures of a message, and how long they are together.
const (
	mostFound = 20_000
	longFound = 4 * units.MB
)

// Codes looks for codes in pictures, with so much work at most. An error means that
// this host could not look at all of them now. Most mail has pictures, and to start a child takes
// longer than most of them: no more messages are looked at together than there are processors, two at
// least, and the others wait. They have no turn of the queue meanwhile, so that
// archives go on.
func (p *Pool) Codes(ctx context.Context, pictures *picture.Set, work time.Duration) (found []picture.Found, err error) {
	select {
	case p.pictures <- struct{}{}:
		defer func() { <-p.pictures }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	cfg := p.cfg
	cfg.Work, cfg.CPU = work, slowHost*work
	f := remote{picture.Format{}, p, &cfg}
	b := archive.NewBudget(archive.Limits{Expanded: longFound, Member: units.MB, Ratio: 1 << 30, Entries: mostFound})
	all := map[int]bool{}
	notes, err := f.Walk(ctx, pictures, b, func(m archive.Member, body io.Reader) error {
		one, err := picture.ReadFound(m, body)
		if err == nil {
			found = append(found, one)
			all[one.Item] = all[one.Item] || one.What == picture.Over
		}
		return err
	})
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	for _, n := range notes {
		if n.Class == archive.Unread {
			return found, fmt.Errorf("%w: looking for codes in pictures: %s", scan.ErrHost, n.Detail)
		}
		err = fmt.Errorf("%s", n.Detail)
	}
	if err == nil {
		return found, nil
	}
	// The child ended of one of the pictures: which of the others it had seen is not known.
	for item := range pictures.Len() {
		if !all[item] {
			found = append(found, picture.Found{Item: item, What: picture.Over, Text: err.Error()})
		}
	}
	return found, nil
}
