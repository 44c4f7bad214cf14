package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/quarantine"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/archive"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/scan/unpack"
	"github.com/milterscan/milterscan/scan/virus"
)

// defaultConfig is read where no other file is named.
const defaultConfig = "/etc/milterscan/milterscan.toml"

// scanners is the one list of everything that looks at a message, in the order
// of their reports.
func scanners(c *config.Config) ([]scan.Scanner, error) {
	return virus.New(c.Virus)
}

// newJudge makes a generation of a configuration.
func newJudge(c *config.Config, generation uint64, sp *spool.Spool, tell func(*judge.Result)) (*judge.Judge, error) {
	list, err := scanners(c)
	if err != nil {
		return nil, err
	}
	rules, err := c.Policy()
	if err != nil {
		return nil, err
	}
	return judge.New(judge.Options{
		Generation: generation,
		Opener:     unpack.NewOpener(limits(c.Limits), archive.Formats(), sp),
		Engine:     scan.NewEngine(list...),
		Policy:     rules,
		Keeper:     quarantine.New(c.Quarantine.Dir),
		Time:       c.Limits.Time.Go(),
		Tell:       tell,
	}), nil
}

// limits are the limits on opening one message.
func limits(l config.Limits) unpack.Limits {
	return unpack.Limits{Entity: l.MIME, Archive: l.Archive, Parts: l.Parts, Nesting: l.Nesting}
}

// newSpool makes the spool that all generations share.
func newSpool(c *config.Config) *spool.Spool {
	return spool.New(c.Spool.Dir, int64(c.Spool.Memory), int64(c.Spool.Disk))
}

// load reads the named configuration; where none is named, the one of the
// system if there is one, and else what is shipped.
func load(path string) (*config.Config, error) {
	if path != "" {
		return config.Load(path)
	}
	if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
		return config.Default(), nil
	}
	return config.Load(defaultConfig)
}

// pipeline is the judge of the commands that look at one mail after the other,
// without an MTA.
type pipeline struct {
	judge      *judge.Judge
	spool      *spool.Spool
	maxMessage int64
}

// newPipeline makes a pipeline, or returns nil and the exit status after saying
// why not.
func newPipeline(path string, stderr io.Writer) (*pipeline, int) {
	c, err := load(path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, exitConfig
	}
	sp := newSpool(c)
	j, err := newJudge(c, 1, sp, nil)
	if err != nil {
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, exitConfig
	}
	return &pipeline{judge: j, spool: sp, maxMessage: int64(c.Limits.Message)}, exitOK
}
