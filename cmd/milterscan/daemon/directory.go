package daemon

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// meetTime is how long mail waits, after a start, for people of whom nothing is known yet.
const meetTime = 10 * time.Second

// newDirectory returns who is who by a configuration, as far as that was known before the start.
func newDirectory(c *config.Config, log *zap.Logger) *directory.Directory {
	w := directory.New(directory.Options{Dir: filepath.Dir(c.People.File), Keep: true, Tell: tellOfSource(log)})
	w.Use(c.People.Sources, c.People.Delimiter)
	return w
}

// meetPeople loads the sources of people that have left nothing since before the start.
func (d *Daemon) meetPeople(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	d.Directory.LoadMissing(ctx)
}

// tellOfSource logs that a source of people stops answering, and that it does so again.
func tellOfSource(log *zap.Logger) func(directory.State) {
	return func(s directory.State) {
		fields := []zap.Field{zap.String("source", s.Source), zap.Int("addresses", s.Addresses), zap.Time("loaded", s.Loaded)}
		switch {
		case s.Err != nil && s.Loaded.IsZero():
			log.Warn("people cannot be loaded, and nothing is known of them", zap.String("source", s.Source), zap.Error(s.Err))
		case s.Err != nil:
			log.Warn("people cannot be loaded; what was loaded last stays in force", append(fields, zap.Error(s.Err))...)
		case s.Unkept != nil:
			log.Warn("people are loaded, and not kept for the next start", append(fields, zap.Error(s.Unkept))...)
		default:
			log.Info("people are loaded again", fields...)
		}
	}
}
