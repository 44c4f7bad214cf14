package main

import (
	"context"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/cmd/milterscan/user"
)

// storeCommands returns the commands for what hosts share.
func storeCommands() []cli.Command {
	return []cli.Command{
		{Name: "check", About: "read all kept messages, and say what is wrong with them", Run: storeCheck},
		{Name: "migrate", About: "move what this host has kept into the database that hosts share", Run: storeMigrate},
	}
}

func storeCheck(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("store check", "[-c FILE] [--quick] [--json]", std)
	quick := f.Bool("quick", false, "do not read the messages: look at entries and sizes alone")
	told := cli.Told(f, std)
	k, status, ok := openKeeper(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer k.close()
	x := pipeline.Examination{Quick: *quick, Now: time.Now(), Tell: func(id, format string, args ...any) {
		fault, place := fmt.Sprintf(format, args...), ""
		if id != "" {
			place = id + ": "
		}
		told(map[string]any{"id": id, "fault": fault}, "%s%s", place, show.Printable(fault))
	}}
	messages, wrong, err := x.Examine(ctx, k.stores, k.config)
	told(map[string]any{"messages": messages, "faults": wrong}, "%d messages were looked at; %d things are wrong", messages, wrong)
	switch {
	case err != nil:
		return k.fail(err)
	case wrong > 0:
		return cli.ExitFound
	}
	return cli.ExitOK
}

// The kinds of stores that something is moved between.
const (
	fromFiles  = "sqlite"
	toDatabase = "postgres"
)

func storeMigrate(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("store migrate", "[-c FILE] [--json] --from sqlite --to postgres", std)
	told := cli.Told(f, std)
	var from, to string
	f.Var(cli.Choice(&from, fromFiles), "from",
		"the `kind` of store to move from: sqlite, the files and directories of this host")
	f.Var(cli.Choice(&to, toDatabase), "to", "the `kind` of store to move to: postgres, the database of store.url")
	k, status, ok := openKeeper(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer k.close()
	if from == "" || to == "" {
		return k.misused("--from sqlite --to postgres says what is moved to where")
	}
	w := &watcher{Streams: std, told: told}
	err := k.stores.Moves(ctx, k.config, w, user.Move(k.by))
	w.progress.Clear()
	switch {
	case err != nil:
		k.fail(err)
		fmt.Fprintln(std.Err, "milterscan store migrate: begin it again: nothing is moved twice")
		return cli.ExitError
	case w.left > 0:
		return cli.ExitFound
	}
	return cli.ExitOK
}

// watcher prints how a move goes.
type watcher struct {
	cli.Streams
	told     func(object map[string]any, line string, args ...any)
	progress *show.Progress // of one kind of state
	left     int            // of all kinds
}

// Begin implements pipeline.Watch.
func (w *watcher) Begin(what string, of int) {
	w.progress.Clear()
	w.progress = show.NewProgress(nil, w.Err, what, of)
}

// Step implements pipeline.Watch.
func (w *watcher) Step(n int) { w.progress.Steps(n) }

// Warn implements pipeline.Watch.
func (w *watcher) Warn(err error) {
	w.progress.Clear()
	fmt.Fprintln(w.Err, "milterscan store migrate:", err)
}

// End implements pipeline.Watch.
func (w *watcher) End(m pipeline.Moved) {
	w.progress.Clear()
	w.left += m.Left
	place := ""
	if m.From != "" {
		place = " (" + show.Printable(m.From) + ")"
	}
	w.told(map[string]any{"state": m.What, "from": m.From, "note": m.Note, "left": m.Left}, "%s%s: %s", m.What, place, m.Note)
}
