package dmarc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/textproto"
	"time"

	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Sender hands a report to the MTA.
type Sender interface {
	Send(ctx context.Context, m submission.Mail) error
}

// Post sends reports. All fields are required.
type Post struct {
	Store     Store
	Sender    Sender
	Resolver  dns.Resolver
	Questions int                    // that may be put about one report
	Key       func() ([]byte, error) // that signs passes
	Terms     Config
	Host      string // our name, if no others send the same reports
}

// Outcome is what became of reports.
type Outcome struct {
	Sent     int // the MTA has them, or may have, for all who want them
	Unwanted int // whose domains did not ask for them any more
	Failed   int // given up
	PutOff   int // to be tried again
}

func (o *Outcome) add(s State) {
	switch s {
	case Sent:
		o.Sent++
	case Unwanted:
		o.Unwanted++
	case Failed:
		o.Failed++
	default:
		o.PutOff++
	}
}

// When reports are sent: within some hours after midnight, each domain at a minute of its
// own, so that not everybody gets those of all hosts at once. What was counted last is in the file by then.
const (
	earliest = 10 * time.Minute
	spread   = 230 * time.Minute
)

// Due returns when the report is due.
func (r Report) Due() time.Time {
	h := fnv.New32a()
	h.Write([]byte(r.Domain))
	after := earliest + time.Duration(h.Sum32()%uint32(spread/time.Minute))*time.Minute
	return time.Unix((r.day + 1).begin(), 0).UTC().Add(after)
}

// Bounds of a round and of the patience with a report.
const (
	mostAtOnce = 200                // reports in a round; the next one goes on
	enough     = 5                  // that the MTA did not take, one after the other: it is left alone
	firstPause = 15 * time.Minute   // before a report is tried again; each further one is twice as long
	mostPause  = 6 * time.Hour      // at most
	patience   = 3 * 24 * time.Hour // after which it is given up
	remembered = 14 * 24 * time.Hour
)

// Round sends the reports that are due. Where another process does so at the same time, each
// sends some of them.
func (p Post) Round(ctx context.Context, now time.Time) (all Outcome, err error) {
	all, err = p.round(ctx, now)
	own := p.Store.begun()
	if own == nil {
		return all, err
	}
	p.Store = own
	more, failed := p.round(ctx, now)
	return Outcome{all.Sent + more.Sent, all.Unwanted + more.Unwanted, all.Failed + more.Failed, all.PutOff + more.PutOff},
		errors.Join(err, failed)
}

func (p Post) round(ctx context.Context, now time.Time) (all Outcome, err error) {
	list, err := p.Store.waiting(ctx, dayOf(now), now)
	if err != nil {
		return all, err
	}
	begun, row := 0, 0
	var errs []error
	for _, r := range list {
		if begun == mostAtOnce || row == enough || ctx.Err() != nil {
			break
		}
		if now.Before(r.Due()) {
			continue
		}
		begun++
		state, mine, err := p.send(ctx, r, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("the report about %s: %w", r.Domain, err))
		}
		if !mine {
			continue
		}
		all.add(state)
		if row++; state != Waiting {
			row = 0
		}
	}
	_, gone := p.Store.Expire(ctx, now.Add(-remembered))
	return all, errors.Join(append(errs, gone)...)
}

// SendNow sends the report of a domain and a day that is over, due or not. Addresses that have it do not
// get it again.
func (p Post) SendNow(ctx context.Context, domain, of string, now time.Time) (State, error) {
	r, err := p.named(ctx, domain, of)
	if err != nil {
		return Waiting, err
	}
	if r.day >= dayOf(now) {
		return Waiting, fmt.Errorf("%s is not over by UTC: the report would lack what comes", r.Day)
	}
	if r.State != Waiting {
		return r.State, nil
	}
	state, mine, err := p.send(ctx, r, now)
	if err == nil && !mine {
		err = fmt.Errorf("another process is sending it, or has tried shortly ago; it is tried again at %s", r.Again.Format(time.RFC3339))
	}
	return state, err
}

// Preview returns the report of a domain and a day as XML, as it would be sent now.
func (p Post) Preview(ctx context.Context, domain, of string) ([]byte, error) {
	r, err := p.named(ctx, domain, of)
	if err != nil {
		return nil, err
	}
	d, err := p.document(ctx, r)
	return d.xml, err
}

func (p Post) named(ctx context.Context, domain, of string) (Report, error) {
	t, err := time.Parse(time.DateOnly, of)
	if err != nil {
		return Report{}, fmt.Errorf("%q is no day; write one such as \"2026-11-30\"", of)
	}
	return p.Store.one(ctx, dayOf(t), domain)
}

func (p Post) document(ctx context.Context, r Report) (document, error) {
	rows, counts, err := p.Store.rows(ctx, r)
	if err != nil {
		return document{}, err
	}
	return p.write(r, rows, counts)
}

// send sends a report to all who want it and do not have it, unless another process does.
func (p Post) send(ctx context.Context, r Report, now time.Time) (state State, mine bool, err error) {
	if mine, err = p.Store.claim(ctx, r, now); err != nil || !mine {
		return Waiting, false, err
	}
	d, err := p.document(ctx, r)
	var later error
	switch {
	case errors.Is(err, ErrNothing):
		r.State = Unwanted
	case err != nil:
		later = err
	default:
		later = p.deliver(ctx, &r, d, now)
	}
	if r.State == Waiting {
		r.settle(later, now)
	}
	return r.State, true, errors.Join(later, p.Store.note(context.WithoutCancel(ctx), r))
}

// settle says what a report has come to after all addresses were tried. later is why one of them
// is to be tried again.
func (r *Report) settle(later error, now time.Time) {
	reached, refused := false, false
	for _, state := range r.done {
		reached, refused = reached || state == Sent, refused || state == Failed
	}
	switch {
	case later != nil && now.Sub(r.Due()) < patience:
		r.Tries++
		r.Again = now.Add(min(firstPause<<min(r.Tries-1, 8), mostPause))
		r.Why = submission.OneLine(later.Error(), 300)
	case reached:
		r.State = Sent
	case refused || later != nil:
		r.State = Failed
	default:
		r.State = Unwanted
	}
}

// deliver sends a report to each address. The error says why one is to be tried again.
func (p Post) deliver(ctx context.Context, r *Report, d document, now time.Time) error {
	resolver := dns.Limited(p.Resolver, p.Questions)
	if r.done == nil {
		r.done = map[string]State{}
	}
	var errs []error
	for _, to := range destinations(r.rua) {
		if r.done[to.Address] != Waiting {
			continue
		}
		state, err := p.deliverTo(ctx, resolver, *r, d, to, now)
		r.done[to.Address] = state
		switch {
		case err == nil:
		case state == Waiting:
			errs = append(errs, fmt.Errorf("%s: %w", to.Address, err))
		default:
			r.Why = submission.OneLine(to.Address+": "+err.Error(), 300)
		}
	}
	return errors.Join(errs...)
}

// deliverTo sends a report to one address, if that wants it.
func (p Post) deliverTo(ctx context.Context, resolver dns.Resolver, r Report, d document, to Destination, now time.Time) (State, error) {
	if full, err := p.Store.full(ctx, dayOf(now), to, p.Terms); err != nil || full { // before its host is asked
		return unsent(err, p.Terms)
	}
	switch err := agreed(ctx, resolver, r.Domain, to); {
	case errors.Is(err, errUnwanted), errors.Is(err, dns.ErrBudget):
		return Unwanted, err
	case err != nil:
		return Waiting, err
	}
	mail, err := p.compose(r, d, to.Address, now)
	if err != nil {
		return Waiting, err
	}
	if to.Limit > 0 && int64(len(mail)) > to.Limit { // RFC 9990, section 3.5
		return Unwanted, fmt.Errorf("the report has %d bytes, more than the %d that are wanted", len(mail), to.Limit)
	}
	key, err := p.Key()
	if err != nil {
		return Waiting, fmt.Errorf("the key of passes: %w", err)
	}
	if mail, err = letter.Sign(key, mail, d.id, now); err != nil {
		return Waiting, err
	}
	if taken, err := p.Store.take(ctx, dayOf(now), to, p.Terms); err != nil || !taken {
		return unsent(err, p.Terms)
	}
	state, err := fate(p.Sender.Send(ctx, submission.Mail{From: p.Terms.Email, To: []string{to.Address}, Message: bytes.NewReader(mail)}))
	if state == Waiting {
		err = errors.Join(err, p.Store.giveBack(context.WithoutCancel(ctx), dayOf(now), to))
	}
	return state, err
}

// unsent says that no more reports go to a destination on this day, unless it is not known whether
// that is so.
func unsent(err error, terms Config) (State, error) {
	if err != nil {
		return Waiting, err
	}
	return Failed, fmt.Errorf("its organisation has got %d reports on this day (dmarc_reports.per_destination)", terms.PerDestination)
}

// fate returns what the MTA's answer comes to.
func fate(err error) (State, error) {
	var said *textproto.Error
	switch {
	case err == nil, errors.Is(err, submission.ErrUnsure):
		return Sent, err
	case errors.As(err, &said) && said.Code >= 500:
		return Failed, err
	}
	return Waiting, err
}
