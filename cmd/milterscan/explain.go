package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// explainID says what became of a message and why.
func explainID(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("explain", "[-c FILE] [--json | --allow] ID...", std)
	path := cli.ConfigFlag(f)
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
	status := cli.ExitOK
	for _, id := range f.Args() {
		records, err := remembered(ctx, c, id, std)
		if err == nil && len(records) == 0 {
			err = errors.New("neither the history nor the quarantine has a record of it, or has none any more")
		}
		if err != nil {
			fmt.Fprintf(std.Err, "milterscan explain: %s: %v\n", show.Printable(id), err)
			status = cli.ExitFound
		}
		for _, r := range records {
			if err := explain(std, r, *asJSON, *allow); err != nil {
				fmt.Fprintf(std.Err, "milterscan explain: %s: %v\n", show.Printable(r.ID), err)
				status = cli.ExitFound
			}
		}
	}
	return status
}

// explain prints one record as it is wanted.
func explain(std cli.Streams, r policy.Record, asJSON, allow bool) error {
	switch {
	case allow:
		return show.WriteAllow(std.Out, r)
	case asJSON:
		show.JSON(std.Out, r)
	default:
		show.WriteRecord(std.Out, r)
	}
	return nil
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
	kept := pipeline.NewStores()
	kept.Warn = warn
	defer kept.Close()
	dir := kept.Quarantine(c.Quarantine.Dir)
	id, err := dir.Resolve(ctx, name)
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, cli.Denied(err, c.Quarantine.Dir)
	}
	e, err := dir.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	return []policy.Record{e.Record}, nil
}
