package past

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// story returns the timeline of a message: with what the daemon has read of the MTA's
// log or, if that is nothing, with what the log itself has.
func (x *explanation) story(ctx context.Context, r policy.Record) (s timeline.Story, err error) {
	err = x.read(nil, func(reader timeline.Reader) error {
		s, err = reader.Of(ctx, r)
		return err
	})
	if s.Logged || x.log == "" || r.QueueID == "" && r.MessageID == "" {
		return s, err
	}
	found, failed := x.search(ctx, r.Time, r.QueueID, r.MessageID)
	if len(found) == 0 {
		return s, errors.Join(err, failed)
	}
	again := x.read(found, func(reader timeline.Reader) error {
		s, err = reader.Of(ctx, r)
		return err
	})
	return s, errors.Join(failed, again)
}

// stories returns the timelines of messages by an id that no record has.
func (x *explanation) stories(ctx context.Context, id string) (list []timeline.Story, err error) {
	find := func(reader timeline.Reader) error {
		list, err = reader.Find(ctx, id)
		return err
	}
	err = x.read(nil, find)
	if len(list) > 0 || x.log == "" {
		return list, err
	}
	found, failed := x.search(ctx, time.Time{}, id)
	if len(found) == 0 {
		return nil, errors.Join(err, failed)
	}
	return list, errors.Join(failed, x.read(found, find))
}

// longest is how long the MTA's log is searched.
const longest = time.Minute

func (x *explanation) search(ctx context.Context, since time.Time, keys ...string) (mtalog.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	found, err := mtalog.Search(ctx, x.log, x.config.MTALog.Location(), since, keys...)
	if err != nil {
		err = fmt.Errorf("the MTA's log: %w", cli.Denied(err, x.log))
	}
	return found, err
}

// noRecords is a history that is not there.
type noRecords struct{}

func (noRecords) Lookup(context.Context, string) ([]policy.Record, error) { return nil, nil }

// read calls do with a reader of timelines, as the owner of the files if root has
// called the command. events, unless nil, are read instead of those the daemon has kept.
func (x *explanation) read(events timeline.Events, do func(timeline.Reader) error) error {
	c := x.config
	history := "" // its directory
	if c.History.File != "" {
		history = filepath.Dir(c.History.File)
	}
	back, err := cli.AsOwner(history, c.Quarantine.Dir)
	if err != nil {
		return err
	}
	defer back()
	warn := func(err error) { fmt.Fprintln(x.Err, "milterscan:", err) }
	reader := timeline.Reader{Records: noRecords{}, Events: events}
	if h, err := openHistory(c, warn); err == nil {
		defer h.Close()
		reader.Records = h
	}
	stores := pipeline.StoresOf(c, warn)
	defer stores.Close()
	if file := c.History.EventsFile(); events == nil && c.History.File != "" && readable(file) == nil {
		reader.Events = stores.Events(file)
	}
	reader.Kept = stores.Quarantine(c)
	return do(reader)
}
