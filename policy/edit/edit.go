// Package edit changes messages by byte range: what a rule is about is taken out
// or made harmless, and every other byte stays where it was. The result is
// parsed again and compared with the original before the MTA gets it; an edit that
// cannot be proved is not made.
package edit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// Buffer takes new bytes and holds them until it is closed. Reading begins when
// writing is over.
type Buffer interface {
	io.Writer
	scan.Content
	io.Closer
}

// Pages judges pages. It must be the same scanner that made the findings about them.
type Pages interface {
	Objections(p *markup.Page) []markup.Objection
}

// Options are the parts an editor is built of. All fields are required.
type Options struct {
	Config
	NewParser func() *entity.Parser // for the proof
	NewBuffer func() Buffer
	Pages     Pages
	Markup    markup.Limits
	Formats   []archive.Format
	Archive   archive.Limits
}

// Editor edits messages. It keeps no state between them and may edit any number
// at once.
type Editor struct {
	Options
	detector *archive.Detector
}

// New returns an editor. The error names the faults of its configuration.
func New(o Options) (*Editor, error) {
	if err := o.Config.Check(); err != nil {
		return nil, err
	}
	return &Editor{o, archive.NewDetector(o.Formats)}, nil
}

// Job is a message and the edits to make.
type Job struct {
	ID      string // shown in notices, so that a reader can ask for the parts taken out
	Message *scan.Message
	Found   []scan.Finding
	Edits   []policy.Edit
	Banners []string // by name
}

// Result is an edited message. It shares the bytes that did not change with the
// original, which must outlive it.
type Result struct {
	Headers []policy.HeaderChange // of the message's own header
	Body    scan.Content          // the new body; nil: as it was
	Message scan.Content          // all of the new message
	Tree    *entity.Tree          // of it
	buffers []Buffer
}

// Changed reports whether anything is different.
func (r *Result) Changed() bool { return r.Body != nil || len(r.Headers) > 0 }

// Close gives back what the result holds.
func (r *Result) Close() error {
	var errs []error
	for _, b := range r.buffers {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}

// Refused is the error of edits that cannot be made.
type Refused struct {
	Edits []policy.Edit
	Why   []error // by edit
}

// Error names every edit with its part and reason.
func (r *Refused) Error() string {
	var all []string
	for i, e := range r.Edits {
		all = append(all, fmt.Sprintf("%s of part %d: %v", e.Kind, e.Part, r.Why[i]))
	}
	return strings.Join(all, "; ")
}

func (r *Refused) add(why error, edits ...policy.Edit) {
	for _, e := range edits {
		r.Edits, r.Why = append(r.Edits, e), append(r.Why, why)
	}
}

// Apply makes the edits of a job, all or none. A *Refused names the edits that can
// never be made, a *NoBanner the banner; any other error means that the edits may
// succeed later, or that a job of nothing but banners cannot be done. Apply does
// nothing twice: the same edits of an edited message change nothing.
func (e *Editor) Apply(ctx context.Context, job Job) (*Result, error) {
	w := &work{Editor: e, Job: job, ctx: ctx, layout: newLayout(job.Message), newline: newline(job.Message.Raw)}
	r, err := w.apply()
	if err != nil {
		(&Result{buffers: w.buffers}).Close()
		return nil, err
	}
	r.buffers = w.buffers
	return r, nil
}

// work is the editing of one message.
type work struct {
	*Editor
	Job
	ctx     context.Context
	layout  *layout
	newline string
	buffers []Buffer
}

func (w *work) apply() (*Result, error) {
	changes, err := w.changes()
	if err != nil {
		return nil, err
	}
	if changes, err = w.banners(changes); err != nil {
		return nil, err
	}
	changes = slices.DeleteFunc(changes, (*change).empty)
	if err := w.encode(changes); err != nil {
		return nil, err
	}
	r, err := w.compose(changes)
	if err != nil {
		return nil, err
	}
	if !r.Changed() {
		return r, nil
	}
	if err := w.prove(r, changes); err != nil {
		return nil, refusal(err, w.Edits)
	}
	return r, nil
}

// changes works out what becomes of each entity that is edited.
func (w *work) changes() ([]*change, error) {
	refused := new(Refused)
	var all []*change
	for _, s := range w.sites(refused) {
		c, err := w.edit(s)
		var bad *Refused
		switch {
		case errors.As(err, &bad):
			refused.Edits, refused.Why = append(refused.Edits, bad.Edits...), append(refused.Why, bad.Why...)
		case err != nil:
			return nil, err
		default:
			all = append(all, c)
		}
	}
	if len(refused.Edits) > 0 {
		return nil, refused
	}
	return all, nil
}

// edit makes the change of one entity. A notice replaces the entity and makes its
// other edits needless; a name and a body may change together, but a body only in
// one way.
func (w *work) edit(s *site) (*change, error) {
	c := &change{entity: s.entity}
	if replaces := s.of(policy.Replace); len(replaces) > 0 {
		w.withdraw(c, s, replaces)
		return c, nil
	}
	kind := s.bodyKind()
	for _, weaker := range [...]policy.EditKind{policy.Disarm, policy.Simplify} {
		if others := s.of(weaker); weaker < kind && len(others) > 0 {
			return nil, refusal(errors.New("another edit changes the same file"), others)
		}
	}
	if bodily := s.of(kind); kind != policy.NoEdit {
		if err := w.bodyEdit(kind)(c, s, bodily); err != nil {
			return nil, refusal(err, bodily)
		}
	}
	if renames := s.of(policy.Rename); len(renames) > 0 && !c.withdrawn {
		if err := w.rename(c, s, renames); err != nil {
			return nil, refusal(err, renames)
		}
	}
	return c, nil
}

// bodyEdit makes edits of one kind of one entity's body.
func (w *work) bodyEdit(kind policy.EditKind) func(*change, *site, []policy.Edit) error {
	switch kind {
	case policy.Clean:
		return w.clean
	case policy.Simplify:
		return w.simplify
	}
	return w.disarm
}

// bodyKind returns the strongest edit of the body that is asked for, short of replacing
// it.
func (s *site) bodyKind() policy.EditKind {
	kind := policy.NoEdit
	for _, e := range s.edits {
		if e.Kind != policy.Rename && e.Kind != policy.Replace {
			kind = max(kind, e.Kind)
		}
	}
	return kind
}

// NoBanner is the error of a banner that cannot be put into the message. The edits
// of the job can be made without it.
type NoBanner struct {
	Name string
	Why  error
}

// Error names the banner and the reason.
func (n *NoBanner) Error() string { return fmt.Sprintf("banner %q: %v", n.Name, n.Why) }

// Unwrap returns the reason.
func (n *NoBanner) Unwrap() error { return n.Why }

// momentary reports whether an error comes from the state of this host or the time
// limit, not from the message.
func momentary(err error) bool {
	return errors.Is(err, ErrNoRoom) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// refusal returns the error of edits that cannot be made, unless the moment is to
// blame, or there are none.
func refusal(err error, edits []policy.Edit) error {
	if len(edits) == 0 || momentary(err) {
		return err
	}
	r := new(Refused)
	r.add(err, edits...)
	return r
}

// ErrNoRoom is the error of Apply where a buffer could not take any more: the edit
// may be made another time.
var ErrNoRoom = errors.New("no room for the edited message")

// buffer returns a buffer that lives as long as the result.
func (w *work) buffer() Buffer {
	b := w.NewBuffer()
	w.buffers = append(w.buffers, b)
	return b
}

// keep writes to a new buffer.
func (w *work) keep(write func(io.Writer) error) (Buffer, error) {
	out := &roomy{w: w.buffer()}
	if err := write(out); err != nil {
		if out.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoRoom, out.err)
		}
		return nil, err
	}
	return out.w.(Buffer), nil
}

// roomy remembers the error of its writer, to tell it from others.
type roomy struct {
	w   io.Writer
	err error
}

func (r *roomy) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if err != nil {
		r.err = err
	}
	return n, err
}

// newline returns the line end of a message: that of its first line.
func newline(c scan.Content) string {
	head := make([]byte, min(64<<10, c.Size()))
	n, _ := c.ReadAt(head, 0)
	if i := slices.Index(head[:n], '\n'); i == 0 || i > 0 && head[i-1] != '\r' {
		return "\n"
	}
	return "\r\n"
}
