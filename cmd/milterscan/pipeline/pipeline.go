package pipeline

import (
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

// Shared is what all generations share.
type Shared struct {
	Spool   *spool.Spool
	Workers *worker.Pool
	Kept    *Stores
	Live    bool // the mail is on its way: whoever sends it can be told to come back
}

// NewShared makes the commons, with children kept ready to read archives.
func NewShared(c *config.Config, ready int) *Shared {
	w := worker.Defaults()
	w.Idle = ready
	return &Shared{
		Spool:   spool.New(c.Spool.Dir, int64(c.Spool.Memory), int64(c.Spool.Disk)),
		Workers: worker.NewPool(w),
		Kept:    NewStores(),
	}
}

// NewJudge makes a generation of a configuration.
func NewJudge(c *config.Config, generation uint64, with *Shared, tell func(*judge.Result)) (*judge.Judge, error) {
	if err := CheckKeys(c); err != nil && with.Live {
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
	opener := unpack.NewOpener(c.Limits.Unpack(), with.Workers.Formats(), with.Spool)
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
		Keeper:     with.Kept.Quarantine(c.Quarantine.Dir),
		Key:        token.KeyFile(c.Quarantine.Key()).Read,
		Time:       c.Limits.Time.Go(),
		Tell:       tell,
		Editor:     editor,
		Relays:     policy.Local(c.Local).Relay,
	}), nil
}

// Pipeline is the judge of the commands that look at one mail after the other,
// without an MTA.
type Pipeline struct {
	*Shared
	Judge      *judge.Judge
	MaxMessage int64
}

// Close ends the children of the pipeline.
func (p *Pipeline) Close() { p.Workers.Close() }

// New makes a pipeline of a configuration.
func New(c *config.Config) (*Pipeline, error) {
	with := NewShared(c, 0)
	j, err := NewJudge(c, 1, with, nil)
	if err != nil {
		return nil, err
	}
	return &Pipeline{Shared: with, Judge: j, MaxMessage: int64(c.Limits.Message)}, nil
}
