package retro

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Holder looks for values in the history.
type Holder interface {
	Hold(ctx context.Context, q history.Holding) (history.Held, error)
}

// Span is the time whose messages are looked at, and how many of them are named.
type Span struct {
	Since, Before time.Time // zero: no bound
	Most          int       // for each sort of lists
	Step          func()    // is called for each value that is looked up; nil: nothing is
}

// Found is a message, with its files, hosts and clients that are on lists.
type Found struct {
	Record policy.Record
	Hits   []Hit
}

// Passed reports whether the message went on to any recipient.
func (f Found) Passed() bool { return len(f.Receivers()) > 0 }

// Receivers returns the recipients that the message went on to.
func (f Found) Receivers() (list []string) {
	for _, to := range f.Record.Recipients {
		if cmp.Or(to.Action, f.Record.Action) == policy.Deliver.String() {
			list = append(list, to.Recipient)
		}
	}
	return list
}

// Known reports whether every list that has something of the message had it when it was judged.
func (f Found) Known() bool {
	return !slices.ContainsFunc(f.Hits, func(h Hit) bool { return !h.Known })
}

// Answer has the messages of the history that had entries of the lists.
type Answer struct {
	Found    []Found // the newest first
	More     int     // that are not named
	Coverage map[history.Sort]history.Coverage
}

// Find compares the history with lists. A value that several lists have is named once for each.
func Find(ctx context.Context, h Holder, lists []List, s Span) (Answer, error) {
	a := Answer{Coverage: map[history.Sort]history.Coverage{}}
	for _, sort := range []history.Sort{history.Parts, history.Hosts, history.Clients} {
		of := slices.DeleteFunc(slices.Clone(lists), func(l List) bool { return l.Sort != sort })
		if len(of) == 0 {
			continue
		}
		has := func(v string) bool {
			if s.Step != nil {
				s.Step()
			}
			return slices.ContainsFunc(of, func(l List) bool { return l.has(v) })
		}
		held, err := h.Hold(ctx, history.Holding{Sort: sort, Has: has, Since: s.Since, Before: s.Before, Most: s.Most})
		if err != nil {
			return a, err
		}
		a.More, a.Coverage[sort] = a.More+held.More, held.Coverage
		for _, r := range held.Records {
			a.add(r, of)
		}
	}
	slices.SortStableFunc(a.Found, func(x, y Found) int { return y.Record.Time.Compare(x.Record.Time) })
	return a, nil
}

// add adds a message if a list really has something of it: an entry may be for a file of another size.
func (a *Answer) add(r policy.Record, lists []List) {
	var hits []Hit
	for _, l := range lists {
		hits = append(hits, l.Hits(r)...)
	}
	if len(hits) == 0 {
		return
	}
	if i := slices.IndexFunc(a.Found, func(f Found) bool { return f.Record.ID == r.ID }); i >= 0 {
		a.Found[i].Hits = append(a.Found[i].Hits, hits...)
		return
	}
	a.Found = append(a.Found, Found{r, hits})
}

// Passed counts the messages that went on to a recipient.
func (a Answer) Passed() (n int) {
	for _, f := range a.Found {
		if f.Passed() {
			n++
		}
	}
	return n
}

// Blind returns the sorts of which nothing is recorded at all, though there are messages.
func (a Answer) Blind() (list []history.Sort) {
	for sort, c := range a.Coverage {
		if c.Asked > 0 && c.Unrecorded == c.Asked {
			list = append(list, sort)
		}
	}
	slices.Sort(list)
	return list
}
