// Package past has the commands that say what became of messages: explain, history, report, and
// top, which says so as it happens.
package past

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// Explain says what became of a message and why.
func Explain(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("explain", "[-c FILE] [--mta-log FILE] [--json | --allow] ID...", std)
	path := cli.ConfigFlag(f)
	log := f.String("mta-log", "", "look for the message in this log of the MTA, a `file`, and in what it was rotated to; "+
		"without it in mta_log.file, unless the daemon has read it there")
	asJSON := f.Bool("json", false, "print one JSON object for each message")
	allow := f.Bool("allow", false, "print the rule that would let such a message through, for milterscan.toml or a file in policy.d")
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() == 0 {
		fmt.Fprintln(std.Err, "milterscan explain: name a message by the id in the reply or the log, by the MTA's queue id, or by its Message-ID")
		return cli.ExitUsage
	}
	c, err := cli.Load(*path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return cli.ExitConfig
	}
	x := &explanation{Streams: std, config: c, log: cmp.Or(*log, c.MTALog.File), asJSON: *asJSON, allow: *allow}
	status := cli.ExitOK
	for _, id := range f.Args() {
		if err := x.explain(ctx, id); err != nil {
			fmt.Fprintf(std.Err, "milterscan explain: %s: %v\n", show.Printable(id), err)
			status = cli.ExitFound
		}
	}
	return status
}

// explanation is one call of explain.
type explanation struct {
	cli.Streams
	config        *config.Config
	log           string // the MTA's, "" for none
	asJSON, allow bool
}

// errUnremembered says that nothing is known of a message.
var errUnremembered = errors.New("neither the history nor the quarantine has a record of it, or has none any more")

// explain prints all that is known of the messages that an id names.
func (x *explanation) explain(ctx context.Context, id string) error {
	records, err := remembered(ctx, x.config, id, x.Streams)
	if len(records) == 0 {
		return x.elsewhere(ctx, id, err)
	}
	for _, r := range records {
		if failed := x.print(ctx, r); failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", show.Printable(r.ID), failed))
		}
	}
	return err
}

// elsewhere prints what the MTA's log tells of a message that no record has this id of.
func (x *explanation) elsewhere(ctx context.Context, id string, err error) error {
	stories, failed := x.stories(ctx, id)
	if len(stories) == 0 {
		return errors.Join(cmp.Or(err, errUnremembered), failed)
	}
	for _, s := range stories {
		if s.Record != nil {
			err = errors.Join(err, x.show(*s.Record, s))
			continue
		}
		if x.asJSON {
			show.JSON(x.Out, map[string]any{"timeline": s})
		} else if !x.allow {
			fmt.Fprintf(x.Out, "%s: the MTA's log has it, and there is no record of it: it did not come here, or long ago\n", show.Printable(id))
			show.WriteStory(x.Out, s)
		}
	}
	return err
}

// print prints one record as it is wanted.
func (x *explanation) print(ctx context.Context, r policy.Record) error {
	if x.allow {
		return show.WriteAllow(x.Out, r)
	}
	story, err := x.story(ctx, r)
	if err != nil {
		fmt.Fprintf(x.Err, "milterscan explain: %s: not all is known of what became of it: %v\n", show.Printable(r.ID), err)
	}
	return x.show(r, story)
}

func (x *explanation) show(r policy.Record, s timeline.Story) error {
	switch {
	case x.allow:
		return show.WriteAllow(x.Out, r)
	case x.asJSON:
		show.JSON(x.Out, struct {
			policy.Record
			Timeline timeline.Story `json:"timeline"`
		}{r, s})
	default:
		show.WriteRecord(x.Out, r, s)
		x.hint(r, s)
	}
	return nil
}

// hint says why nothing is shown of what became of a message in the MTA.
func (x *explanation) hint(r policy.Record, s timeline.Story) {
	switch {
	case s.Logged || !r.Passed():
	case x.log == "" && !x.config.MTALog.Enabled():
		fmt.Fprintln(x.Out, "  the MTA's log is not read, which tells what became of it then: set [mta_log], or name a log by --mta-log")
	default:
		fmt.Fprintln(x.Out, "  the MTA's log tells nothing of it, or not yet")
	}
}

// remembered looks for a message in the history, and in the quarantine if it is
// not there.
func remembered(ctx context.Context, c *config.Config, id string, std cli.Streams) ([]policy.Record, error) {
	warn := func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) }
	records, err := inHistory(ctx, c, id, warn)
	if len(records) > 0 {
		return records, nil
	}
	kept, keptErr := inQuarantine(ctx, c, id, warn)
	if len(kept) > 0 {
		return kept, nil
	}
	return nil, errors.Join(err, keptErr)
}

func inHistory(ctx context.Context, c *config.Config, id string, warn func(error)) ([]policy.Record, error) {
	h, err := openHistory(c, warn)
	if errors.Is(err, errNoHistory) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.Lookup(ctx, id)
}

func inQuarantine(ctx context.Context, c *config.Config, name string, warn func(error)) ([]policy.Record, error) {
	back, err := cli.AsOwner(c.Quarantine.Dir)
	if err != nil {
		return nil, err
	}
	defer back()
	kept := pipeline.StoresOf(c, warn)
	defer kept.Close()
	from := kept.Quarantine(c)
	id, err := quarantine.Resolve(ctx, from, name)
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, cli.Denied(err, c.Quarantine.Dir)
	}
	e, err := from.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	return []policy.Record{e.Record}, nil
}
