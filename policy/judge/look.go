package judge

import (
	"context"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// seen is what a look at a message, or at an early stage, has shown.
type seen struct {
	id       string
	begun    time.Time // the zero time at early stages
	stage    scan.Stage
	envelope scan.Envelope
	size     int64
	message  *scan.Message // nil at early stages
	reports  []scan.Report
	once     []scan.Report // those of them that hold whatever edits make of it
	found    []scan.Finding
	release  *token.Grant     // of a released message
	own      *policy.Decision // on our mail, about which no rule is asked
	lists    policy.Lists     // that people keep
	clock    *clock           // nil at early stages
	people   policy.People
	contents *policy.RecordContents // of the message as it came; nil: not recorded
}

// reserve is the part of the time for a message that is kept for looking at what
// edits have made of it.
const reserve = 4

// closing is the part of the time that is kept for all that comes after the decision:
// the record, the copy in the quarantine, notices. The first half of it is for what
// the answer does not need.
const closing = 16

// examining returns how long opening, scanning, editing and deciding may take.
func (j *Judge) examining() time.Duration { return j.Time - j.Time/closing }

// spare returns when no time is left any more for what the answer does not need.
func (j *Judge) spare(s *seen) time.Time {
	if s.begun.IsZero() {
		return time.Time{}
	}
	return s.begun.Add(j.Time - j.Time/(2*closing))
}

// firstLook returns how long a message may be looked at before any edit.
func (j *Judge) firstLook() time.Duration {
	if !j.edits() {
		return j.examining()
	}
	return j.Time - j.Time/reserve
}

// look opens a message and has it scanned.
func (j *Judge) look(ctx context.Context, in scan.Received) *seen {
	s := &seen{id: newID(), begun: time.Now(), stage: scan.StageMessage, size: in.Size, clock: new(clock), people: j.People}
	ctx, cancel := context.WithTimeout(ctx, j.firstLook())
	defer cancel()
	s.envelope, in = j.early(ctx, in)
	ahead := j.Engine.Ahead(ctx, in)
	defer ahead.Drop()
	s.message = j.Opener.Open(ctx, in)
	s.message.Ahead = ahead
	s.clock.since(Open, s.begun)
	p := j.present(s.id, s.message)
	if p.own != nil {
		s.own, s.found = p.own, p.found
		return s
	}
	s.release = p.release
	s.message.Notes = append(s.message.Notes, append(p.found, j.takeLists(s)...)...)
	begun := time.Now()
	once, contents := j.scan(ctx, s)
	s.clock.since(Scan, begun)
	begun = time.Now()
	s.once = slices.Concat(wait(in.Begun), once)
	s.clock.since(Ask, begun)
	j.finds(s, contents)
	return s
}

// takeLists takes the lists of senders as they are now, which hold for all that is decided about
// the message. They do not count for one that a person has released.
func (j *Judge) takeLists(s *seen) []scan.Finding {
	if s.release != nil {
		return nil
	}
	var err error
	if s.lists, err = j.Lists(); err != nil {
		return []scan.Finding{{Kind: scan.Failed, Scanner: "people", Rule: noLists, Part: scan.WholeMessage, Detail: err.Error()}}
	}
	return nil
}

// lookAgain opens and scans what edits have made of a message.
func (j *Judge) lookAgain(ctx context.Context, before *seen, result *edit.Result) *seen {
	s := *before
	s.size = result.Message.Size()
	s.message = j.Opener.Open(ctx, scan.Received{Envelope: s.envelope, Raw: edited{result, before.message}, Tree: result.Tree, Size: s.size})
	j.finds(&s, j.Engine.Scan(ctx, s.message))
	return &s
}

// finds adds what scanners of the contents report, and all findings that count.
func (j *Judge) finds(s *seen, contents []scan.Report) {
	s.reports = slices.Concat(s.once, contents)
	found := slices.Concat(s.message.Notes, scan.Findings(s.reports), j.Policy.Named(s.envelope, s.message.Parts))
	s.found = pardon(s.release, found)
	if why := j.uneditable(s); why != "" {
		s.found = append(s.found[:len(s.found):len(s.found)], noteOf("mime/uneditable", scan.WholeMessage, why))
	}
}

// scan has both engines look at the message at the same time, and what it holds listed meanwhile.
func (j *Judge) scan(ctx context.Context, s *seen) (once, contents []scan.Report) {
	asked, listed := j.Once.Start(ctx, s.message), j.Contents(ctx, s.message)
	contents = j.Engine.Scan(ctx, s.message)
	s.contents = listed()
	return asked.Wait(), contents
}

// wait collects the reports of early stages.
func wait(begun []*scan.Pending) []scan.Report {
	var all []scan.Report
	for _, p := range begun {
		all = append(all, p.Wait()...)
	}
	return all
}

// took returns how long ago the look began.
func (s *seen) took() time.Duration {
	if s.begun.IsZero() {
		return 0
	}
	return time.Since(s.begun)
}

// input returns what the decision depends on, where some edits were tried in vain.
func (s *seen) input(t tried) policy.Input {
	in := policy.Input{
		ID:       s.id,
		Stage:    s.stage,
		Envelope: s.envelope,
		Size:     s.size,
		Found:    s.found,
		Lists:    s.lists,
		Fixed:    t.fixed,
		Refused:  t.refused,
		People:   s.people,
	}
	if s.release != nil {
		in.Without = s.release.Rules
	}
	if s.message != nil {
		in.Header = s.message.Header
		in.Parts = s.message.Parts
	}
	return in
}
