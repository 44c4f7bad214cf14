package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/attachment"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/contents/document"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/spool"
)

// defaultConfig is read where no other file is named.
const defaultConfig = "/etc/milterscan/milterscan.toml"

// scanners is the one list of everything that looks at the contents of a message,
// in the order of their reports. What looks at who sent it is in networked and
// scorers.
func scanners(c *config.Config, texts *texts.Inventory) ([]scan.Scanner, error) {
	engines, err := virus.New(c.Virus)
	if err != nil {
		return nil, err
	}
	attachments, err := attachment.New(c.Attachment)
	if err != nil {
		return nil, err
	}
	documents, err := document.New(c.Document)
	if err != nil {
		return nil, err
	}
	contents, err := content.New(c.Content, texts)
	if err != nil {
		return nil, err
	}
	return append(engines, attachments, documents, contents), nil
}

// commons are what all generations share.
type commons struct {
	spool   *spool.Spool
	workers *worker.Pool
	kept    *keeping
	live    bool // the mail is on its way: whoever sends it can be told to come back
}

// newCommons makes the commons, with children kept ready to read archives.
func newCommons(c *config.Config, ready int) *commons {
	w := worker.Defaults()
	w.Idle = ready
	return &commons{
		spool:   spool.New(c.Spool.Dir, int64(c.Spool.Memory), int64(c.Spool.Disk)),
		workers: worker.NewPool(w),
		kept:    newKeeping(),
	}
}

// newJudge makes a generation of a configuration.
func newJudge(c *config.Config, generation uint64, with *commons, tell func(*judge.Result)) (*judge.Judge, error) {
	if err := checkKeys(c); err != nil && with.live {
		return nil, err
	}
	texts := texts.New(c.Content.Limits, max(c.Content.Extent(), c.Spam.Extent()))
	readPDFs(c, texts)
	list, err := scanners(c, texts)
	if err != nil {
		return nil, err
	}
	rules, err := c.Policy()
	if err != nil {
		return nil, err
	}
	opener := unpack.NewOpener(c.Limits.Unpack(), with.workers.Formats(), with.spool)
	editor, err := newEditor(c, with, opener, list)
	if err != nil {
		return nil, err
	}
	once := switched(c, slices.Concat(networked(c, texts), scorers(c, rules), marking(c), remembering(c, with)))
	return judge.New(judge.Options{
		Generation: generation,
		Opener:     opener,
		Engine:     scan.NewEngine(switched(c, list)...),
		Once:       scan.NewEngine(once...),
		Finds:      announced(once),
		Policy:     rules,
		Keeper:     with.kept.quarantine(c.Quarantine.Dir),
		Key:        token.KeyFile(c.Quarantine.Key()).Read,
		Time:       c.Limits.Time.Go(),
		Tell:       tell,
		Editor:     editor,
		Relays:     policy.Local(c.Local).Relay,
	}), nil
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
	*commons
	judge      *judge.Judge
	maxMessage int64
}

// Close ends the children of the pipeline.
func (p *pipeline) Close() { p.workers.Close() }

// newPipeline makes a pipeline, or returns nil and the exit status after saying
// why not.
func newPipeline(path string, stderr io.Writer) (*pipeline, int) {
	c, err := load(path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, exitConfig
	}
	with := newCommons(c, 0)
	j, err := newJudge(c, 1, with, nil)
	if err != nil {
		fmt.Fprintln(stderr, "milterscan:", err)
		return nil, exitConfig
	}
	return &pipeline{commons: with, judge: j, maxMessage: int64(c.Limits.Message)}, exitOK
}
