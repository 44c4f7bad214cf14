package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// found is all that is known of one message: its record, and whether it is kept.
type found struct {
	Record policy.Record
	Entry  *quarantine.Entry // nil if it is not kept, or that is not known
	Errs   []error           // of parts that did not answer
	Unsure bool              // it is not known, or none of the person's business, whether it is kept

	mail login.Mail
}

// mailOf returns what has to be known of a message to say who may see it. e is nil for one that is
// not kept.
func mailOf(r policy.Record, e *quarantine.Entry) login.Mail {
	m := login.Mail{Sender: r.Sender, Ours: ours(r), Recipients: r.Addresses()}
	if e != nil {
		m.Class, m.Back, m.Grave = e.Class, e.Back(), e.Grave()
	}
	return m
}

// ours reports whether the client of a message was one of ours, so that its sender is who
// it says.
func ours(r policy.Record) bool {
	for direction := range strings.SplitSeq(r.Direction, ", ") {
		if direction != policy.Outbound.String() && direction != policy.Internal.String() {
			return false
		}
	}
	return true
}

// find looks for a message by its id. It returns ErrNotFound for one that the person may not see, and leaves out the
// entry of the quarantine for a person without a right to that.
func (c *Console) find(ctx context.Context, p login.Person, id string) (*found, error) {
	f := &found{}
	var remembered []policy.Record
	var errs [2]error
	var wg sync.WaitGroup
	wg.Go(func() { remembered, errs[0] = c.lookup(ctx, id) })
	if p.May(login.SeeQuarantine) {
		wg.Go(func() { f.Entry, errs[1] = c.entry(ctx, id) })
	}
	wg.Wait()
	switch {
	case len(remembered) > 0:
		f.Record = remembered[0]
	case f.Entry != nil:
		f.Record = f.Entry.Record
	default:
		return nil, cmp.Or(errors.Join(errs[:]...), error(ErrNotFound))
	}
	f.mail = mailOf(f.Record, f.Entry)
	if !p.Sees(f.mail) {
		return nil, ErrNotFound
	}
	f.Record = seen(p, f.Record)
	f.Unsure = errs[1] != nil || !p.May(login.SeeQuarantine)
	f.Errs = slices.DeleteFunc(errs[:], func(err error) bool { return err == nil })
	return f, nil
}

// lookup returns the record of an id.
func (c *Console) lookup(ctx context.Context, id string) ([]policy.Record, error) {
	list, err := ask(ctx, c.asks, PartHistory, func(ctx context.Context) ([]policy.Record, error) {
		h := c.Host.History()
		if h == nil {
			return nil, nil
		}
		return h.Lookup(ctx, id)
	})
	return slices.DeleteFunc(list, func(r policy.Record) bool { return r.ID != id }), err
}

// entry returns the entry of a kept message, nil if it is not kept.
func (c *Console) entry(ctx context.Context, id string) (*quarantine.Entry, error) {
	e, err := ask(ctx, c.asks, PartQuarantine, func(ctx context.Context) (quarantine.Entry, error) {
		return c.Host.Quarantine().Entry(ctx, id)
	})
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// kept returns a kept message over which a person has a right. One that it may not see
// is not there for it.
func (c *Console) kept(ctx context.Context, p login.Person, id string, right login.Right) (*found, error) {
	e, err := c.entry(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return nil, ErrNotFound
	}
	f := &found{Record: e.Record, Entry: e, mail: mailOf(e.Record, e)}
	switch {
	case !p.Sees(f.mail):
		return nil, ErrNotFound
	case !p.MayWith(right, f.mail):
		return nil, ErrForbidden
	}
	f.Record = seen(p, e.Record)
	return f, nil
}

// seen returns a record as a person sees it. Who else has had a message is not the business
// of one who sees the mail of some domains only.
func seen(p login.Person, r policy.Record) policy.Record {
	if !p.Bound() {
		return r
	}
	r.Recipients = slices.Clone(r.Recipients)
	for i := range r.Recipients {
		to := &r.Recipients[i]
		if !p.Owns(to.Recipient) || to.Listed != nil && strings.Contains(to.Listed.Owner, "@") && !p.Owns(to.Listed.Owner) {
			to.Listed = nil // the senders that others have listed
		}
		if !p.Owns(to.Recipient) || to.Limit != nil && !p.Owns(to.Limit.Owner) {
			to.Limit = nil
		}
	}
	if ours(r) && p.Owns(r.Sender) {
		return r
	}
	r.Recipients = slices.DeleteFunc(slices.Clone(r.Recipients), func(to policy.RecordRecipient) bool { return !p.Owns(to.Recipient) })
	r.MoreRecipients = 0
	verdicts := []policy.RecordVerdict{}
	for _, v := range r.Verdicts {
		if v.Recipients = p.Own(v.Recipients); len(v.Recipients) > 0 {
			verdicts = append(verdicts, v)
		}
	}
	r.Verdicts = verdicts
	r.Changes, r.Alternatives = nil, nil // which name recipients
	decideFor(&r)
	r.Findings = slices.Clone(r.Findings)
	for i := range r.Findings { // in their places, by which verdicts name them
		if f := &r.Findings[i]; f.Recipient != "" && !p.Owns(f.Recipient) {
			*f = policy.RecordFinding{Kind: f.Kind, Scanner: f.Scanner, Rule: f.Rule}
		}
	}
	r.Edits = slices.DeleteFunc(slices.Clone(r.Edits), func(e policy.RecordEdit) bool {
		return strings.HasSuffix(e.Kind, "-recipient") && !p.Owns(e.Value)
	})
	return r
}

// decideFor has a record say what was decided for the recipients that are left in it, and by
// which rules: what became of the message for others is in none of its fields.
func decideFor(r *policy.Record) {
	if len(r.Recipients) == 0 {
		return
	}
	same := func(to policy.RecordRecipient) bool { return to.Action == r.Action && to.Rule == r.Rule }
	if !slices.ContainsFunc(r.Recipients, same) {
		first := r.Recipients[0]
		if first.Action != r.Action {
			r.Reply = ""
		}
		r.Action, r.Rule = first.Action, first.Rule
	}
	r.Applied, r.Watched = nil, nil
	for _, v := range r.Verdicts {
		r.Applied, r.Watched = append(r.Applied, v.Applied...), append(r.Watched, v.Watched...)
	}
	slices.Sort(r.Applied)
	slices.Sort(r.Watched)
	r.Applied, r.Watched = slices.Compact(r.Applied), slices.Compact(r.Watched)
}

// awaiting returns those recipients of a kept message who have not had it, as far as the person
// may release mail to them; where all have, those who were let have it.
func awaiting(p login.Person, e *quarantine.Entry) []string {
	if e == nil {
		return nil
	}
	if own := p.Own(e.Waiting()); len(own) > 0 {
		return own
	}
	return p.Own(e.Back())
}
