// Package daemon answers MTAs until it is told to stop: it listens, reloads the
// configuration, and does in the background what outlives a message.
package daemon

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	book "github.com/milterscan/milterscan/policy/people/lists"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Run answers the MTA until ctx is done, and reloads the configuration at every
// signal on hup. It returns the exit status, when all that it began has ended.
func (d *Daemon) Run(ctx context.Context, hup <-chan os.Signal) int {
	defer d.close()
	pipe := make(chan os.Signal, 1) // or a log whose reader is gone would end the process
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	if !d.listen() {
		return cli.ExitSoftware
	}
	d.confinement(ctx)
	d.meet(ctx, d.first)
	d.join(ctx)
	d.meetRedis(ctx)
	working, stop := context.WithCancel(ctx)
	var loops sync.WaitGroup
	d.work(working, &loops, hup)
	d.log.Info("ready", zap.Any("listen", d.first.Milter.Listen), zap.String("version", d.version))
	scratch.Started()
	err := d.server.Serve(ctx)
	stop()
	loops.Wait()
	if err != nil {
		d.log.Error("stopped with an error", zap.Error(err))
		return cli.ExitSoftware
	}
	d.log.Info("stopped")
	return cli.ExitOK
}

// work starts the loops that run as well as mail, until ctx is done.
func (d *Daemon) work(ctx context.Context, loops *sync.WaitGroup, hup <-chan os.Signal) {
	loops.Go(func() { every(ctx, watchEvery, d.watchOn) })
	loops.Go(func() { d.measureOn(ctx) })
	loops.Go(func() {
		d.noteReload(ctx, d.current.Load().Generation(), d.first, nil)
		d.reloadOn(ctx, hup)
	})
	loops.Go(func() { every(ctx, expireEvery, d.expireOn) })
	loops.Go(func() { every(ctx, lettersEvery, d.forgetLetters) })
	loops.Go(func() { d.rememberContacts(ctx) })
	loops.Go(func() { d.readMTALog(ctx) })
	loops.Go(func() { d.Directory.Run(ctx) })
	loops.Go(func() { d.Published.Run(ctx) })
	loops.Go(func() { d.share(ctx) })
	loops.Go(func() { d.watchRedis(ctx) })
	loops.Go(func() { d.watchVerdicts(ctx) })
	loops.Go(func() { every(ctx, fleet.Every, newMover(d).run) })
	loops.Go(func() { every(ctx, book.Every, d.followLists) })
	loops.Go(func() { d.hearOfLists(ctx) })
	loops.Go(func() { every(ctx, keepListsEvery, d.keepLists) })
	loops.Go(func() { every(ctx, digestEvery, d.digests.run) })
	loops.Go(func() { every(ctx, dmarcEvery, d.reports.run) })
	loops.Go(func() { every(ctx, awaitEvery, d.verdicts.run) })
	loops.Go(func() { every(ctx, indexEvery, d.indexOn) })
	loops.Go(func() { every(ctx, retroEvery, d.lookBack) })
	loops.Go(func() { d.sampleOn(ctx) })
	loops.Go(func() {
		every(ctx, pipeline.PostEvery, pipeline.NewPost(d.recorder, d.config.Load, d.language(ctx)).Run)
	})
}

// every calls a loop with a clock that ticks as often as that.
func every(ctx context.Context, often time.Duration, loop func(context.Context, <-chan time.Time)) {
	clock := time.NewTicker(often)
	defer clock.Stop()
	loop(ctx, clock.C)
}

// atEach calls do at every tick, until ctx is done.
func atEach(ctx context.Context, tick <-chan time.Time, do func(now time.Time)) {
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick:
			do(now)
		}
	}
}

// close closes what generations share. Nothing of it is used any more.
func (d *Daemon) close() {
	d.console.close()
	d.people.close()
	d.examiner.close()
	d.bench.Close()
	d.pages.Close()
	d.web.close()
	d.digests.Close()
	d.recorder.Close()
	d.Stores.Close()
	d.Workers.Close()
	d.journal.Close()
}

// listen opens the addresses. It reports whether it could, after saying why not.
func (d *Daemon) listen() bool {
	options := serverOptions(d.first)
	var err error
	if options.Inherited, err = inherited(); err != nil {
		d.log.Error("cannot use the sockets of the service manager", zap.Error(err))
		return false
	}
	if err := d.Spool.Check(); err != nil {
		d.log.Error("messages cannot be spooled", zap.Error(err))
		return false
	}
	d.server = milter.New(options, d.judge, d.Spool, d.log)
	if err := d.listenAll(d.first); err != nil {
		d.log.Error("cannot listen", zap.Error(err))
		return false
	}
	if err := d.server.Listen(); err != nil {
		d.log.Error("cannot listen", zap.Error(err))
		return false
	}
	return true
}

// serverOptions returns the server's part of the configuration.
func serverOptions(c *config.Config) milter.Options {
	o := milter.Options{
		SocketMode:     os.FileMode(c.Milter.SocketMode),
		SocketOwner:    c.Milter.SocketOwner,
		MaxConnections: c.Milter.MaxConnections,
		MaxRecipients:  c.Milter.MaxRecipients,
		MaxMessage:     int64(c.Limits.Message),
		ReadTimeout:    c.Milter.IdleTimeout.Go(),
		WriteTimeout:   c.Milter.WriteTimeout.Go(),
		ProgressEvery:  c.Milter.Progress.Go(),
		AnswerWithin:   c.Limits.Time.Go() + 2*c.Milter.Progress.Go(),
		DrainTimeout:   c.Milter.Drain.Go(),
	}
	for _, a := range c.Milter.Listen {
		o.Listen = append(o.Listen, string(a))
	}
	return o
}

// confinement says what the kernel cannot take away from the children that read
// archives.
func (d *Daemon) confinement(ctx context.Context) {
	missing, err := d.Workers.Check(ctx)
	switch {
	case err != nil:
		d.log.Error("no child can be started to read 7z, rar and xz: mail that holds one is deferred until that is mended", zap.Error(err))
	case len(missing) > 0:
		d.log.Warn("children that read archives are not fully confined", zap.Strings("missing", missing))
	}
	for _, program := range pipeline.Absent(d.first) {
		d.log.Info(program)
	}
}
