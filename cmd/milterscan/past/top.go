package past

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Times of top: how often it looks, how far back at the start, and how late a record may
// come, whose time is that of its MAIL.
const (
	lookEvery = 500 * time.Millisecond
	lookBack  = 5 * time.Minute
	latest    = 2 * time.Minute
)

// Top shows verdicts as they happen, until it is interrupted.
func Top(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("top", "[-c FILE] [filters] [--json]", std)
	path := cli.ConfigFlag(f)
	var filter history.Filter
	addressFlags(f, &filter)
	groundFlags(f, &filter)
	f.StringVar(&filter.Subject, "subject", "", "only with subjects like this `pattern`: with \"*\", or any part")
	asJSON := f.Bool("json", false, "print one JSON object a line, also on a terminal")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	h, status := mustOpenHistory("top", *path, std)
	if h == nil {
		return status
	}
	defer h.Close()
	w := &watcher{Reader: h, filter: filter, seen: map[string]time.Time{}}
	live := show.NewLive(std.Out)
	if *asJSON {
		live = show.NewStream(std.Out)
	}
	defer live.End()
	w.since = time.Now()
	if live.Screen() {
		w.since = w.since.Add(-lookBack)
	}
	clock := time.NewTicker(lookEvery)
	defer clock.Stop()
	for {
		fresh, err := w.fresh(ctx, time.Now())
		if ctx.Err() != nil {
			return cli.ExitOK
		}
		if err != nil && !live.Screen() {
			fmt.Fprintln(std.Err, "milterscan top:", err)
			return cli.ExitError
		}
		live.Show(fresh, time.Now(), err)
		select {
		case <-ctx.Done():
			return cli.ExitOK
		case <-clock.C:
		}
	}
}

// watcher finds records that are new.
type watcher struct {
	history.Reader
	filter history.Filter
	since  time.Time            // the time of records that are looked for
	seen   map[string]time.Time // ids, with the times of their records
}

// fresh returns the records that were not returned before, the newest first.
func (w *watcher) fresh(ctx context.Context, now time.Time) (list []policy.Record, err error) {
	f := w.filter
	f.Since, f.Limit, f.Patience = w.since, history.PageMost, latest/2
	var after history.Cursor
	for {
		p, failed := w.Find(ctx, f, after)
		err = errors.Join(err, failed)
		for _, r := range p.Records {
			if _, ok := w.seen[r.ID]; !ok {
				w.seen[r.ID] = r.Time
				list = append(list, r)
			}
		}
		if after = p.Next; after.IsZero() || err != nil {
			break
		}
	}
	if err == nil && now.Add(-latest).After(w.since) {
		w.since = now.Add(-latest)
	}
	for id, at := range w.seen {
		if at.Before(w.since) {
			delete(w.seen, id)
		}
	}
	return list, err
}
