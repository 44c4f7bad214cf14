package replay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// Word is the argument by which the program becomes the child that tries a draft.
const Word = "trial"

// Bounds of the trial of a draft.
const (
	mostMails    = 10_000
	longest      = 30 * time.Minute
	mostChanges  = 100
	mostExamples = 10  // of a change
	mostLines    = 6   // in which two outcomes of one action differ
	longestText  = 200 // runes of one
	mostProblems = 50
	trialMemory  = 64 * units.MB // for messages that are taken apart
	trialDisk    = units.GB
	trialHeap    = 512 << 20 // from which on the child rather collects than grows
	trialStack   = 64 << 20  // of a goroutine: mail that is nested deeper ends the child, not the daemon
	saidEvery    = time.Second
)

// Order says what a trial compares: the file of the configuration in force with a draft of it, over the
// messages that are kept since a time, or over the sample.
type Order struct {
	File   string    `json:"file"`
	Draft  string    `json:"draft"`
	Sample bool      `json:"sample"`
	Since  time.Time `json:"since"`
}

// State is how far a trial has come, and what it has shown.
type State struct {
	Problems   []Problem `json:"problems,omitempty"` // in the draft, which was not tried then
	Warnings   []string  `json:"warnings,omitempty"` // about the draft
	Aside      []string  `json:"aside,omitempty"`    // sections that the draft has otherwise, which were not taken
	Notes      []string  `json:"notes,omitempty"`    // what was not asked
	Of         int       `json:"of"`                 // mails that are to be judged
	More       bool      `json:"more"`               // there are older ones, which are not judged
	Mails      int       `json:"mails"`              // that were compared
	Differing  int       `json:"differing"`
	Unsure     int       `json:"unsure"`
	Unreadable int       `json:"unreadable"`
	Reasons    []string  `json:"reasons,omitempty"`
	Changes    []Change  `json:"changes,omitempty"`
	Others     int       `json:"others"` // changes that are not listed
	Early      string    `json:"early"`  // why not all were judged: "cancelled", "time", "" if all were
	Error      string    `json:"error,omitempty"`
	Done       bool      `json:"done"`
}

// Judged returns how many mails were looked at.
func (s State) Judged() int { return s.Mails + s.Unsure + s.Unreadable }

// Problem is a fault of a draft.
type Problem struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Key  string `json:"key"`
	What string `json:"what"`
}

// Change is what a group of differences has in common, and some of them.
type Change struct {
	WasAction  string    `json:"was_action"`
	WasRule    string    `json:"was_rule"`
	NowAction  string    `json:"now_action"`
	NowRule    string    `json:"now_rule"`
	Mails      int       `json:"mails"`
	Recipients int       `json:"recipients"`
	Examples   []Example `json:"examples"`
}

// Example is one recipient of one mail.
type Example struct {
	Mail      string    `json:"mail"`
	Time      time.Time `json:"time"`
	Sender    string    `json:"sender"`
	Recipient string    `json:"recipient"`
	Lines     []string  `json:"lines,omitempty"` // what differs where the action does not
}

// Main runs the child: it reads an order, and writes a State at each step, until the last one is done. It
// ends early when its standard input does. Main returns the exit status.
func Main(in io.Reader, out io.Writer) int {
	giveWay()
	debug.SetMemoryLimit(trialHeap)
	debug.SetMaxStack(trialStack)
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	t := &trial{out: json.NewEncoder(out)}
	if err == nil {
		err = json.Unmarshal(line, &t.order)
	}
	if err != nil {
		return 64
	}
	ctx, stop := context.WithTimeout(context.Background(), longest)
	defer stop()
	go func() {
		io.Copy(io.Discard, r)
		stop()
	}()
	if err := t.run(ctx); err != nil {
		t.state.Error = clip(err.Error())
	}
	t.state.Done = true
	if t.say() != nil {
		return 1
	}
	return 0
}

// trial is one run of the child.
type trial struct {
	order  Order
	out    *json.Encoder
	state  State
	report Report
	said   time.Time
}

// run judges the mails under both configurations.
func (t *trial) run(ctx context.Context) error {
	inForce, err := config.Load(t.order.File)
	if err != nil {
		return fmt.Errorf("the configuration in force cannot be read: %w", err)
	}
	next, ok := t.draft()
	if !ok {
		return nil
	}
	dir := inForce.Quarantine.Dir
	if t.order.Sample {
		dir = inForce.Replay.Dir
	}
	ids, more, err := lately(dir, t.order.Since, mostMails)
	if err != nil {
		return err
	}
	t.state.Of, t.state.More = len(ids), more
	if err := t.say(); err != nil || len(ids) == 0 {
		return err
	}
	was, _, err := Open(bounded(inForce), false)
	if err != nil {
		return err
	}
	defer was.Close()
	now, notes, err := Open(bounded(next), false)
	if err != nil {
		return err
	}
	defer now.Close()
	t.state.Notes = clipped(notes)
	err = Run(ctx, keptAs(ctx, dir, ids), was, now, func(string) bool { return false }, t.tell)
	t.sum()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.state.Early = "time"
	case errors.Is(err, context.Canceled):
		t.state.Early = "cancelled"
	default:
		return err
	}
	return nil
}

// draft reads the draft as "check" reads a file. It reports whether it can be tried.
func (t *trial) draft() (*config.Config, bool) {
	c, aside, err := config.Draft(t.order.File, t.order.Draft)
	if err == nil {
		err = c.Contradictions(pipeline.Catalogue())
	}
	t.state.Aside = aside
	var list config.Problems
	switch {
	case errors.As(err, &list):
	case err != nil:
		list = config.Problems{{What: err.Error()}}
	}
	for _, p := range list[:min(len(list), mostProblems)] {
		t.state.Problems = append(t.state.Problems,
			Problem{clip(config.DraftFile(t.order.File, p.File)), p.Line, clip(p.Key), clip(p.What)})
	}
	if err != nil {
		return nil, false
	}
	for _, n := range c.Notes(pipeline.Catalogue()) {
		n.File = config.DraftFile(t.order.File, n.File)
		t.state.Warnings = append(t.state.Warnings, n.String())
	}
	t.state.Warnings = clipped(t.state.Warnings)
	return c, true
}

// bounded returns a configuration with room for the mails of a trial alone.
func bounded(c *config.Config) *config.Config {
	own := *c
	own.Spool.Memory, own.Spool.Disk = min(own.Spool.Memory, trialMemory), min(own.Spool.Disk, trialDisk)
	return &own
}

// tell counts a verdict, and says so from time to time.
func (t *trial) tell(v Verdict) error {
	t.report.Add(v)
	if time.Since(t.said) < saidEvery {
		return nil
	}
	t.count()
	return t.say()
}

func (t *trial) say() error {
	t.said = time.Now()
	return t.out.Encode(t.state)
}

func (t *trial) count() {
	s, r := &t.state, &t.report
	s.Mails, s.Differing, s.Unsure, s.Unreadable = r.Mails, r.Differing, r.Unsure, r.Unreadable
}

// sum adds what the report has shown.
func (t *trial) sum() {
	t.count()
	t.state.Reasons = clipped(t.report.Reasons)
	for i, g := range t.report.sorted() {
		if i == mostChanges {
			t.state.Others = len(t.report.groups) - mostChanges
			break
		}
		t.state.Changes = append(t.state.Changes, t.change(g))
	}
}

// change returns a group for a page. Of mail in the sample no more than its id and time is told: its recipients
// were not to see that it was kept.
func (t *trial) change(g *group) Change {
	c := Change{g.wasAction, clip(g.wasRule), g.nowAction, clip(g.nowRule), g.mails, g.recipients, nil}
	for _, d := range g.first[:min(len(g.first), mostExamples)] {
		e := Example{Mail: d.Mail, Time: d.Time}
		if !t.order.Sample {
			e.Sender, e.Recipient = clip(d.Sender), clip(d.Recipient)
		}
		if d.Was.Action == d.Now.Action {
			lines := d.Was.against(d.Now)
			e.Lines = clipped(lines[:min(len(lines), mostLines)])
		}
		c.Examples = append(c.Examples, e)
	}
	return c
}

// clip shortens a text.
func clip(s string) string {
	n := 0
	for i := range s {
		if n == longestText {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// clipped shortens texts, and a list of them.
func clipped(list []string) (all []string) {
	for _, s := range list[:min(len(list), mostProblems)] {
		all = append(all, clip(s))
	}
	return all
}
