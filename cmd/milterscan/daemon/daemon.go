// Package daemon answers MTAs until it is told to stop: it listens, reloads the
// configuration, and does in the background what outlives a message.
package daemon

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
)

// Run answers the MTA until ctx is done, and reloads the configuration at every
// signal on hup. It returns the exit status.
func (d *Daemon) Run(ctx context.Context, hup <-chan os.Signal) int {
	defer d.sink.Close()
	pipe := make(chan os.Signal, 1) // or a log whose reader is gone would end the process
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	defer d.Workers.Close()
	d.confinement(ctx)
	go d.greetEngines(ctx)
	defer d.Kept.Close()
	defer d.recorder.Close()
	go d.reloadOn(ctx, hup)
	hourly := time.NewTicker(expireEvery)
	defer hourly.Stop()
	go d.expireOn(ctx, hourly.C)
	often := time.NewTicker(pipeline.PostEvery)
	defer often.Stop()
	go pipeline.NewOffice(d.recorder.Notices, d.config.Load, d.Kept.Warn).Run(ctx, often.C)
	return d.serve(ctx)
}

// gcPercent lets the heap grow to three times what is in use: messages leave
// much garbage and little that stays, and the spool bounds what stays.
const gcPercent = 200

// serve listens, and returns when ctx is done and the last message is answered.
func (d *Daemon) serve(ctx context.Context) int {
	options := serverOptions(d.first)
	var err error
	if options.Inherited, err = inherited(); err != nil {
		d.log.Error("cannot use the sockets of the service manager", zap.Error(err))
		return cli.ExitSoftware
	}
	server := milter.New(options, d.judge, d.Spool, d.log)
	if err := d.Spool.Check(); err != nil {
		d.log.Error("messages cannot be spooled", zap.Error(err))
		return cli.ExitSoftware
	}
	if err := server.Listen(); err != nil {
		d.log.Error("cannot listen", zap.Error(err))
		return cli.ExitSoftware
	}
	d.log.Info("ready", zap.Any("listen", d.first.Milter.Listen), zap.String("version", d.version))
	if err := server.Serve(ctx); err != nil {
		d.log.Error("stopped with an error", zap.Error(err))
		return cli.ExitSoftware
	}
	d.log.Info("stopped")
	return cli.ExitOK
}

// serverOptions are the server's part of the configuration.
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
