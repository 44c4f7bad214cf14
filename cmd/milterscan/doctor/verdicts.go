package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// awaitGrace is added to the time that a verdict may take: an engine is asked once a minute, and again some
// minutes after it failed.
const awaitGrace = 15 * time.Minute

// mostAwaiting bounds the messages that are looked at.
const mostAwaiting = 10_000

// verdicts looks for kept messages that await the verdict of an engine for longer than they should. A daemon that
// looks at itself opens no index.
func (p *Installation) verdicts(ctx context.Context) []Finding {
	longest := map[string]time.Duration{}
	for _, v := range p.Config.Virus {
		if !v.Later() {
			continue
		}
		longest[virus.NameOf(v)] = virus.DefaultAwait
		if v.Await > 0 {
			longest[virus.NameOf(v)] = v.Await.Go()
		}
	}
	file := filepath.Join(p.Config.Quarantine.Dir, quarantine.IndexFile)
	if _, err := os.Stat(file); p.Gently || errors.Is(err, fs.ErrNotExist) || len(longest) == 0 && err != nil {
		return nil
	}
	x := store.NewIndex(file, func(error) {})
	defer x.Close()
	rows, err := x.Find(ctx, quarantine.Filter{Awaited: true, Limit: mostAwaiting})
	switch {
	case errors.Is(err, quarantine.ErrIncomplete):
		return []Finding{advice("milterscan quarantine reindex",
			"it is not known which kept messages await a verdict: %v", err)}
	case err != nil:
		return []Finding{advice("run this as root", "it cannot be read which kept messages await a verdict: %v", err)}
	case len(rows) == 0 && len(longest) == 0:
		return nil
	}
	return []Finding{awaiting(rows, longest, p.Now)}
}

// awaiting tells how long messages await verdicts. longest is how long they may, by engine.
func awaiting(rows []quarantine.Row, longest map[string]time.Duration, now time.Time) Finding {
	late := 0
	for _, r := range rows {
		for _, engine := range r.Awaits {
			most, known := longest[engine]
			if !known {
				most = virus.DefaultAwait
			}
			if now.Sub(r.Came()) > most+awaitGrace {
				late++
				break
			}
		}
	}
	if late > 0 {
		return fault("start the daemon, and look for \"verdicts on kept messages\" in its log; "+
			"milterscan quarantine list names them (awaits=)",
			"%d kept messages await the verdict of an engine for longer than it may take", late)
	}
	return ok("%d kept messages await the verdict of an engine", len(rows))
}
