package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
)

// warm is how many children wait for an archive.
const warm = 1

// Daemon holds what outlives a reload, and the current generation.
type Daemon struct {
	*pipeline.Shared
	path     string
	version  string
	first    *config.Config // what it was started with: sockets, spool, log, history and the queue of notices do not change on reload
	log      *zap.Logger
	sink     *sink // of the log
	recorder *pipeline.Recorder
	health   *health
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
	log, sink, err := newLog(c.Log)
	if err != nil {
		fmt.Fprintf(stderr, "milterscan: the log cannot be opened: %v\n", err)
		return nil, cli.ExitConfig
	}
	d := &Daemon{Shared: pipeline.NewShared(c, warm), path: path, version: version, first: c, log: log, sink: sink, health: newHealth(log)}
	d.Live = true
	d.Kept.Warn = func(err error) { log.Warn("a store or a notice failed; mail goes on", zap.Error(err)) }
	first, err := pipeline.NewJudge(c, 1, d.Shared, d.teller(c))
	if err != nil {
		sink.Close()
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, cli.ExitConfig
	}
	d.recorder = pipeline.NewRecorder(c, d.Kept.Warn)
	if d.recorder.Memory == nil {
		log.Info("history disabled: file empty or directory missing", zap.String("file", c.History.File))
	}
	d.caution(c)
	d.config.Store(c)
	d.current.Store(first)
	return d, cli.ExitOK
}

// caution logs what is no error in a configuration and may yet be a mistake.
func (d *Daemon) caution(c *config.Config) {
	for _, what := range c.Cautions() {
		d.log.Warn("the configuration may be changed by others than root and the daemon's user", zap.String("what", what))
	}
}

// judge is the current generation.
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

// reload makes a new generation and swaps it in. Whatever is wrong with the file
// leaves the old one in place.
func (d *Daemon) reload(ctx context.Context) {
	old := d.current.Load()
	next, c, err := d.next(ctx, old.Generation()+1)
	if err != nil {
		d.log.Error("the new configuration is not used, the old one stays",
			zap.Uint64("generation", old.Generation()), zap.Error(err))
		return
	}
	d.caution(c)
	d.config.Store(c)
	d.current.Store(next)
	d.log.Info("configuration reloaded", zap.Uint64("generation", next.Generation()))
}

// next makes a generation of the file as it is now. It is good for nothing if a
// test fails.
func (d *Daemon) next(ctx context.Context, generation uint64) (*judge.Judge, *config.Config, error) {
	c, err := config.Load(d.path)
	if err != nil {
		return nil, nil, err
	}
	j, err := pipeline.NewJudge(c, generation, d.Shared, d.teller(c))
	if err != nil {
		return nil, nil, err
	}
	p := &pipeline.Pipeline{Shared: d.Shared, Judge: j, MaxMessage: int64(c.Limits.Message)}
	return j, c, pipeline.RunTests(ctx, p, c.Tests)
}
