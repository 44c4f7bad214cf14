package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// meetTime is how long a start or a reload waits for people that it knows nothing of yet.
const meetTime = 10 * time.Second

// newDirectory returns who is who by a configuration, as far as that was known before the start.
func newDirectory(c *config.Config, log *zap.Logger) *directory.Directory {
	return pipeline.NewDirectory(c, directory.Options{Keep: true, Tell: tellOfSource(log)})
}

// unknownGroups returns the rules that go by groups that have no members, as far as that is known.
func (d *Daemon) unknownGroups(c *config.Config) config.Problems {
	if !d.Directory.Ready() {
		return nil
	}
	return c.UnknownGroups(d.Directory.HasGroup)
}

// know goes on with the sources of people that a configuration names.
func (d *Daemon) know(c *config.Config) { d.Directory.Use(c.People.Sources, c.People.Delimiter) }

// meet goes on with the sources of people that a configuration names, and loads those of which nothing is known.
func (d *Daemon) meet(ctx context.Context, c *config.Config) {
	d.know(c)
	d.Published.Use(c.Feeds, c.FeedDir)
	ctx, cancel := context.WithTimeout(ctx, meetTime)
	defer cancel()
	d.Directory.LoadMissing(ctx)
}

// language returns the function that knows in which language a person reads: the one that the person has
// chosen, or else that of the directory.
func (d *Daemon) language(ctx context.Context) func(address string) string {
	return func(address string) string {
		main := address
		who, known := d.Directory.Who(address)
		if known {
			main = who.Main()
		}
		if d.pages.Folk().There() == nil {
			if s, err := d.pages.Folk().Settings(ctx, main); err == nil && s.Language != "" {
				return s.Language
			}
		}
		return who.Language
	}
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
