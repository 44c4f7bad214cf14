package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/people/appeals"
	"github.com/milterscan/milterscan/policy/tell/metrics"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// Daemon holds what outlives a reload, and the current generation.
type Daemon struct {
	*pipeline.Shared
	path     string
	version  string
	first    *config.Config // what it was started with: the spool does not change on reload
	journal  *journal
	log      *zap.Logger // to the journal
	server   *milter.Server
	recorder *pipeline.Recorder
	health   *health
	reading  reading
	samples  *sampler
	contacts *contacts
	metrics  *metrics.Metrics
	web      *web // counts
	console  *web // pages
	people   *people
	pages    *console.Stores
	examiner *examiner
	bench    *replay.Bench
	desk     *appeals.Desk
	digests  *digests
	reports  dmarcReports
	verdicts *verdicts
	ready    readiness
	watch    watch
	shares   atomic.Bool // the shared database can be used
	redisUp  atomic.Bool // the shared Redis can be used
	current  atomic.Pointer[judge.Judge]
	config   atomic.Pointer[config.Config] // that of the current judge
}

// New reads the configuration and makes the first generation, or returns
// nil and the exit status after saying why not.
func New(path, version string, stderr io.Writer) (*Daemon, int) {
	c, err := config.Load(path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, cli.ExitConfig
	}
	journal, err := openJournal(c.Log)
	if err != nil {
		fmt.Fprintf(stderr, "milterscan: the log cannot be opened: %v\n", err)
		return nil, cli.ExitConfig
	}
	log := zap.New(journal)
	d := &Daemon{Shared: pipeline.NewShared(c), contacts: newContacts(), path: path, version: version, first: c,
		journal: journal, log: log, health: newHealth(log), samples: newSampler()}
	d.verdicts = newVerdicts(d)
	d.metrics = d.counts()
	d.web = d.newWeb()
	if d.console, err = d.newConsole(); err != nil {
		journal.Close()
		fmt.Fprintln(stderr, "milterscan: console:", err)
		return nil, cli.ExitSoftware
	}
	d.Live = true
	d.Letters = unpack.NewLetters()
	d.desk = d.newDesk()
	d.Appeals = d.desk
	d.useDesk(c)
	d.Directory = newDirectory(c, log)
	d.Published = feed.New(feed.Options{Tell: tellOfFeed(log)})
	d.digests = d.newDigests()
	d.reports.d = d
	d.Stores.Warn = func(err error) { log.Warn("a store or a notice failed; mail goes on", zap.Error(err)) }
	first, err := pipeline.NewJudge(c, 1, d.Shared, d.teller(c))
	if err != nil {
		journal.Close()
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, cli.ExitConfig
	}
	d.recorder = pipeline.NewRecorder(c, d.Stores, d.Stores.Warn)
	if !d.recorder.Remembers() {
		log.Info("history disabled: file empty or directory missing", zap.String("file", c.History.File))
	}
	d.caution(c)
	d.config.Store(c)
	d.current.Store(first)
	return d, cli.ExitOK
}

// caution logs what in a configuration is no error and is probably a mistake.
func (d *Daemon) caution(c *config.Config) {
	var idle, aside config.Problems
	if errors.As(c.Contradictions(pipeline.Catalogue()), &idle) {
		for _, p := range idle {
			d.log.Warn("a rule can never do anything", zap.String("what", p.String()))
		}
	}
	for _, n := range slices.Concat(c.Notes(pipeline.Catalogue()), d.unknownGroups(c)) {
		d.log.Warn("a setting is probably a mistake", zap.String("what", n.String()))
	}
	if errors.As(c.SetAside(), &aside) {
		for _, p := range aside {
			d.log.Error("the file of a domain is not used, mail to the domain gets the host's rules", zap.String("what", p.String()))
		}
	}
	for _, what := range c.Cautions() {
		d.log.Warn("the configuration may be changed by others than root and the daemon's user", zap.String("what", what))
	}
}

// judge returns the current generation.
func (d *Daemon) judge() milter.Judge { return d.current.Load() }

// reloadOn makes a new generation at every signal.
func (d *Daemon) reloadOn(ctx context.Context, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			d.reload(ctx)
		}
	}
}

// reload goes on in a new log file, makes a new generation and swaps it in.
// Whatever is wrong with the configuration leaves the old one in force.
func (d *Daemon) reload(ctx context.Context) {
	if err := d.journal.reopen(d.config.Load().Log); err != nil {
		d.log.Error("the log cannot be opened again; it goes on where it was", zap.Error(err))
	}
	old := d.current.Load()
	next, err := d.next(ctx, old.Generation()+1)
	d.metrics.Reloaded(err)
	if err != nil {
		d.log.Error("the new configuration is not used, the old one stays",
			zap.Uint64("generation", old.Generation()), zap.Error(err))
		d.noteReload(ctx, old.Generation()+1, d.config.Load(), err)
		return
	}
	d.journal.replace(next.log)
	d.recorder.Use(next.config)
	d.caution(next.config)
	d.tellOfStranded(d.config.Load(), next.config)
	d.config.Store(next.config)
	d.useDesk(next.config)
	d.current.Store(next.judge)
	d.log.Info("configuration reloaded", zap.Uint64("generation", next.judge.Generation()))
	d.noteReload(ctx, next.judge.Generation(), next.config, nil)
	d.countUnasked(ctx, next.config)
	if keys := d.first.NeedsRestart(next.config); len(keys) > 0 {
		d.log.Warn("needs a restart", zap.Strings("keys", keys))
	}
}

// generation is what a reload puts in force.
type generation struct {
	config *config.Config
	judge  *judge.Judge
	log    output
}

// next makes a generation of the file as it is now, and listens where it says. It
// is good for nothing if a test fails, or an address or the log cannot be opened.
func (d *Daemon) next(ctx context.Context, n uint64) (g generation, err error) {
	if g.config, err = config.Load(d.path); err != nil {
		return g, err
	}
	d.meet(ctx, g.config)
	defer func() {
		if err != nil {
			d.know(d.config.Load())
			d.Published.Use(d.config.Load().Feeds, d.config.Load().FeedDir)
		}
	}()
	if g.judge, err = pipeline.NewJudge(g.config, n, d.Shared, d.teller(g.config)); err != nil {
		return g, err
	}
	p := &pipeline.Pipeline{Shared: d.Shared, Judge: g.judge, MaxMessage: int64(g.config.Limits.Message)}
	if err = pipeline.RunTests(ctx, p, g.config.Runnable()); err != nil {
		return g, err
	}
	if g.log, err = d.journal.open(g.config.Log); err != nil {
		return g, fmt.Errorf("log.output: %w", err)
	}
	if err = d.listenAll(g.config); err == nil {
		err = d.server.Reload(serverOptions(g.config))
	}
	if err != nil {
		err = errors.Join(err, d.listenAll(d.config.Load()))
		g.log.close()
	}
	return g, err
}
