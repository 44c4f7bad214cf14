package doctor

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/milterscan/milterscan/policy/feed"
)

// feeds looks at the last good list of each [[feed]]: whether there is one, and how old it is.
func (p *Installation) feeds(context.Context) (found []Finding) {
	for _, c := range p.Config.Feeds {
		const fix = "milterscan feed update, which says why; and start the daemon"
		s := feed.Kept(c, p.Config.FeedDir)
		age := time.Since(s.Seen).Round(time.Second)
		switch {
		case errors.Is(s.Err, fs.ErrPermission):
			found = append(found, advice("run this as root", "feed %s: %v", c.Name, s.Err))
		case s.Err != nil:
			found = append(found, fault(fix, "feed %s: %v", c.Name, s.Err))
		case s.Seen.IsZero():
			found = append(found, fault(fix, "feed %s: it has never been fetched", c.Name))
		case c.Old(s.Seen, time.Now()):
			found = append(found, advice(fix, "feed %s: its %d entries were last seen %v ago", c.Name, s.Entries, age))
		default:
			found = append(found, ok("feed %s: %d entries, seen %v ago", c.Name, s.Entries, age))
		}
	}
	return found
}
