package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
)

// warm is how many children wait for an archive.
const warm = 1

// daemon holds what outlives a reload, and the current generation.
type daemon struct {
	*commons
	path     string
	first    *config.Config // what it was started with: sockets, spool, log, history and the queue of notices do not change on reload
	log      *zap.Logger
	accounts *accounts
	current  atomic.Pointer[judge.Judge]
	config   atomic.Pointer[config.Config] // that of the current judge
}

// newDaemon reads the configuration and makes the first generation, or returns
// nil and the exit status after saying why not.
func newDaemon(path string, stderr io.Writer) (*daemon, int) {
	c, err := config.Load(path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, exitConfig
	}
	log, err := newLog(c.Log)
	if err != nil {
		fmt.Fprintf(stderr, "milterscan: the log cannot be opened: %v\n", err)
		return nil, exitConfig
	}
	d := &daemon{commons: newCommons(c, warm), path: path, first: c, log: log}
	d.live = true
	d.kept.warn = func(err error) { log.Warn("mail goes on, but something beside it is wrong", zap.Error(err)) }
	first, err := newJudge(c, 1, d.commons, d.teller(c))
	if err != nil {
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, exitConfig
	}
	d.accounts = newAccounts(c, d.kept.warn)
	if d.accounts.memory == nil {
		log.Info("nothing is remembered: no history is wanted, or its directory is not there", zap.String("file", c.History.File))
	}
	d.config.Store(c)
	d.current.Store(first)
	return d, exitOK
}

// judge is the current generation.
func (d *daemon) judge() milter.Judge { return d.current.Load() }

// reloadOn makes a new generation at every signal.
func (d *daemon) reloadOn(ctx context.Context, hup <-chan os.Signal) {
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
func (d *daemon) reload(ctx context.Context) {
	old := d.current.Load()
	next, c, err := d.next(ctx, old.Generation()+1)
	if err != nil {
		d.log.Error("the new configuration is not used, the old one stays",
			zap.Uint64("generation", old.Generation()), zap.Error(err))
		return
	}
	d.config.Store(c)
	d.current.Store(next)
	d.log.Info("configuration reloaded", zap.Uint64("generation", next.Generation()))
}

// next makes a generation of the file as it is now. It is good for nothing if a
// test fails.
func (d *daemon) next(ctx context.Context, generation uint64) (*judge.Judge, *config.Config, error) {
	c, err := config.Load(d.path)
	if err != nil {
		return nil, nil, err
	}
	j, err := newJudge(c, generation, d.commons, d.teller(c))
	if err != nil {
		return nil, nil, err
	}
	p := &pipeline{commons: d.commons, judge: j, maxMessage: int64(c.Limits.Message)}
	return j, c, runTests(ctx, p, c.Tests)
}
