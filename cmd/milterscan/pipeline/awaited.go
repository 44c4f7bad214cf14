package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/awaited"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/notify"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// later asks an engine for verdicts, and takes apart the messages that it gets again.
type later struct {
	engine *virus.Later
	open   *Pipeline
}

// Ask implements awaited.Engine.
func (l later) Ask(ctx context.Context, jobs []string) (awaited.Progress, error) {
	p, err := l.engine.Ask(ctx, jobs)
	if errors.Is(err, virus.ErrNoJob) {
		err = fmt.Errorf("%w: %w", awaited.ErrLost, err)
	}
	return awaited.Progress(p), err
}

// Submit implements awaited.Engine.
func (l later) Submit(ctx context.Context, message io.Reader) (awaited.Progress, error) {
	m, err := l.open.Open(ctx, message)
	if err != nil {
		return awaited.Progress{}, fmt.Errorf("%w: %w", awaited.ErrClosed, err)
	}
	defer m.Close()
	if scan.Incomplete(m.Notes) { // of what was not opened now nothing would be known
		return awaited.Progress{}, awaited.ErrClosed
	}
	p, err := l.engine.Submit(ctx, m)
	if errors.Is(err, virus.ErrTooBig) {
		err = fmt.Errorf("%w: %w", awaited.ErrClosed, err)
	}
	return awaited.Progress(p), err
}

// AwaitTerms returns the terms of mail that awaits an engine, by a configuration. open takes mail apart.
func AwaitTerms(c *config.Config, open *Pipeline) (func(engine string) awaited.Terms, error) {
	all := map[string]awaited.Terms{}
	for _, v := range c.Virus {
		if !v.Later() {
			continue
		}
		engine, err := virus.NewLater(v)
		if err != nil {
			return nil, fmt.Errorf("virus engine %q: %w", v.Name, err)
		}
		t := awaited.Terms{Engine: later{engine, open}, Within: virus.DefaultAwait, Delete: v.OnInfected == virus.OnInfectedDelete}
		if v.Await > 0 {
			t.Within = v.Await.Go()
		}
		all[virus.NameOf(v)] = t
	}
	return func(engine string) awaited.Terms {
		if t, ok := all[engine]; ok {
			return t
		}
		return awaited.Terms{Within: virus.DefaultAwait}
	}, nil
}

// awaitLock is the file, in the quarantine, that the process has locked that asks for verdicts.
const awaitLock = "awaited.lock"

// AwaitLock returns the path of that file.
func AwaitLock(c *config.Config) string { return filepath.Join(c.Quarantine.Dir, awaitLock) }

// AwaitNotices returns the notices about a message for which there is a verdict by which it does not go out.
func AwaitNotices(c *config.Config, t awaited.Told) []notify.Item {
	var list []notify.Item
	for _, v := range c.Virus {
		if virus.NameOf(v) != t.Engine {
			continue
		}
		for _, to := range v.Notify {
			list = append(list, notify.Item{To: to, Audience: policy.Administrator, Event: awaitEvent(t, v.OnInfected == virus.OnInfectedDelete)})
		}
	}
	return list
}

// awaitEvent says what became of a message that awaited a verdict.
func awaitEvent(t awaited.Told, deletes bool) notify.Event {
	r := t.Entry.Record
	e := notify.Event{ID: r.ID, Time: r.Time, Sender: r.Sender, Recipient: strings.Join(t.Entry.Waiting(), ", "),
		Subject: r.Subject, Client: r.Client, Action: r.Action, Class: t.Entry.Class,
		Finding: scan.PendingRule(t.Engine), Detail: verdictText(t), Rule: "engine " + t.Engine, Kept: true}
	if t.Found != nil {
		e.Class, e.Finding = t.Found.Kind.String(), t.Found.Rule
		e.Kept = !(deletes && t.Found.Kind == scan.Infected && t.Entry.State == quarantine.Kept)
	}
	return e
}

// verdictText says why a message that awaited a verdict does not go out.
func verdictText(t awaited.Told) string {
	switch {
	case t.Found != nil:
		return t.Found.Detail
	case t.Stays != nil:
		return fmt.Sprintf("the engine says that it is %s, but it is not released: %v", t.Verdict, t.Stays)
	}
	for i := len(t.Entry.Events) - 1; i >= 0; i-- {
		if ev := t.Entry.Events[i]; ev.What == "pronounce" {
			return "the engine has come to no verdict: " + ev.Note
		}
	}
	return "the engine has come to no verdict: it works on too many contents"
}
