package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
)

// serve answers the MTA until it is told to stop.
func serve(ctx context.Context, args []string, std streams) int {
	f := flags("serve", "[-c FILE]", std)
	path := f.String("c", defaultConfig, "configuration `file`")
	if status, ok := parse(f, args); !ok {
		return status
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	d, status := newDaemon(*path, std.err)
	if d == nil {
		return status
	}
	defer d.log.Sync()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	defer d.workers.Close()
	d.confinement(ctx)
	go d.greetEngines(ctx)
	defer d.kept.Close()
	defer d.accounts.Close()
	go d.reloadOn(ctx, hup)
	hourly := time.NewTicker(expireEvery)
	defer hourly.Stop()
	go d.expireOn(ctx, hourly.C)
	often := time.NewTicker(postEvery)
	defer often.Stop()
	go newOffice(d.accounts.notices, d.config.Load, d.kept.warn).Run(ctx, often.C)
	return d.serve(ctx)
}

// gcPercent lets the heap grow to three times what is in use: messages leave
// much garbage and little that stays, and the spool bounds what stays.
const gcPercent = 200

// serve listens, and returns when ctx is done and the last message is answered.
func (d *daemon) serve(ctx context.Context) int {
	options := serverOptions(d.first)
	var err error
	if options.Inherited, err = inherited(); err != nil {
		d.log.Error("cannot use the sockets of the service manager", zap.Error(err))
		return exitSoftware
	}
	server := milter.New(options, d.judge, d.spool, d.log)
	if err := d.spool.Check(); err != nil {
		d.log.Error("messages cannot be spooled", zap.Error(err))
		return exitSoftware
	}
	if err := server.Listen(); err != nil {
		d.log.Error("cannot listen", zap.Error(err))
		return exitSoftware
	}
	d.log.Info("ready", zap.Any("listen", d.first.Milter.Listen), zap.String("version", release))
	if err := server.Serve(ctx); err != nil {
		d.log.Error("stopped with an error", zap.Error(err))
		return exitSoftware
	}
	d.log.Info("stopped")
	return exitOK
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
		DrainTimeout:   c.Milter.Drain.Go(),
	}
	for _, a := range c.Milter.Listen {
		o.Listen = append(o.Listen, string(a))
	}
	return o
}

// confinement says what the kernel cannot take away from the children that read
// archives.
func (d *daemon) confinement(ctx context.Context) {
	missing, err := d.workers.Check(ctx)
	switch {
	case err != nil:
		d.log.Error("no child can be started to read 7z, rar and xz: they count as unscannable", zap.Error(err))
	case len(missing) > 0:
		d.log.Warn("children that read archives are not fully confined", zap.Strings("missing", missing))
	}
	for _, program := range absent(d.first) {
		d.log.Info(program)
	}
}
