package daemon

import (
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/policy/tell/metrics"
)

// tellOfFeed logs that a feed cannot be taken, and that it is again.
func tellOfFeed(log *zap.Logger) func(feed.State) {
	return func(s feed.State) {
		fields := []zap.Field{zap.String("feed", s.Feed), zap.Int("entries", s.Entries), zap.Time("seen", s.Seen)}
		switch {
		case s.Err != nil && s.Seen.IsZero():
			log.Warn("a feed cannot be taken, and nothing is known of its list", zap.String("feed", s.Feed), zap.Error(s.Err))
		case s.Err != nil:
			log.Warn("a feed cannot be taken; its last good list stays in force", append(fields, zap.Error(s.Err))...)
		default:
			log.Info("a feed is taken again", fields...)
		}
	}
}

// countFeeds adds how it is with feeds.
func (d *Daemon) countFeeds(m *metrics.Metrics) {
	feeds := func(name, help string, value func(feed.State) (float64, bool)) {
		m.Gauges(name, help, []string{"feed"}, func() (list []metrics.Sample) {
			for _, s := range d.Published.States() {
				if v, ok := value(s); ok {
					list = append(list, metrics.Sample{Labels: []string{s.Feed}, Value: v})
				}
			}
			return list
		})
	}
	feeds("feed_up", "1 if the list of a feed was taken, or was the same, when it was last fetched.", func(s feed.State) (float64, bool) {
		if s.Err != nil || s.Seen.IsZero() {
			return 0, true
		}
		return 1, true
	})
	feeds("feed_entries", "Entries of the list of a feed that is in force.",
		func(s feed.State) (float64, bool) { return float64(s.Entries), true })
	feeds("feed_seen_timestamp_seconds", "When the list of a feed that is in force was last seen at its publisher's.",
		func(s feed.State) (float64, bool) { return unix(s.Seen), !s.Seen.IsZero() })
}
