// Package pipeline makes of a configuration the judge that all commands and the
// daemon use: it has the roster of all scanners, and what the generations share.
package pipeline

import (
	"context"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/sender/geo"
)

// NewJudge makes a generation of a configuration.
func NewJudge(c *config.Config, generation uint64, with *Shared, tell func(context.Context, *judge.Result)) (*judge.Judge, error) {
	if err := CheckKeys(c); err != nil && with.Live {
		return nil, err
	}
	rules, err := c.Policy()
	if err != nil {
		return nil, err
	}
	if !with.Live {
		with.meet(c)
		with.Published.Use(c.Feeds, c.FeedDir)
	}
	site := newSite(c, with, rules)
	all, err := site.scanners()
	if err != nil {
		return nil, err
	}
	opener := unpack.NewOpener(c.Limits.Unpack(), with.Workers.Formats(), with.Spool)
	opener.Letters = with.Letters
	opener.Watch(virus.Watches(), virus.BodyWatches(c.Virus))
	editor, err := newEditor(c, with, opener, all.contents)
	if err != nil {
		return nil, err
	}
	places, err := geo.Open(c.Geo, with.Stores.tell)
	if err != nil {
		return nil, err
	}
	return judge.New(judge.Options{
		Generation: generation,
		Opener:     opener,
		Engine:     scan.NewEngine(switched(c, all.contents)...),
		Once:       scan.NewEngine(switched(c, all.sender)...),
		Finds:      all.early,
		Policy:     rules,
		Keeper:     with.Stores.Quarantine(c),
		Appeals:    with.Appeals,
		Key:        token.KeyFile(c.Quarantine.Key()).Read,
		Time:       c.Limits.Time.Go(),
		Tell:       tell,
		Editor:     editor,
		Relays:     policy.Local(c.Local).Relay,
		People:     with.Directory,
		Places:     places.Place,
		Lists:      with.lists(c),
		Contents:   site.contentsOf(),
	}), nil
}

// Pipeline is the judge of the commands that look at one mail after the other,
// without an MTA.
type Pipeline struct {
	*Shared
	Judge      *judge.Judge
	MaxMessage int64
}

// Close ends the children of the pipeline, and closes its stores: pages make a pipeline for each
// mail that they judge.
func (p *Pipeline) Close() {
	p.Workers.Close()
	p.Stores.Close()
}

// New makes a pipeline of a configuration.
func New(c *config.Config) (*Pipeline, error) {
	with := NewShared(c)
	with.Stores.Join()
	return newPipeline(c, with)
}

func newPipeline(c *config.Config, with *Shared) (*Pipeline, error) {
	j, err := NewJudge(c, 1, with, nil)
	if err != nil {
		return nil, err
	}
	return &Pipeline{Shared: with, Judge: j, MaxMessage: int64(c.Limits.Message)}, nil
}
