package history

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// What found records can be summed up by.
const (
	SumRule    = "rule"
	SumFinding = "finding"
	SumAction  = "action"
	SumSender  = "sender" // its domain
)

// Sum is how many messages of a search had a value, by what became of them. A message whose
// recipients were treated differently counts once for each of its values and actions.
type Sum struct {
	Value  string `json:"value"` // "" with SumRule: no rule decided
	Action string `json:"action"`
	N      int64  `json:"n"`
}

// Sums is what a search has found, summed up.
type Sums struct {
	Rows      []Sum // the most frequent first
	Messages  int64 // that were counted, the newest
	Next      Cursor
	Early     bool // the patience of the filter was over
	Unindexed int64
}

// Cut reports whether there are, or may be, messages that were not counted.
func (s Sums) Cut() bool { return !s.Next.IsZero() }

// Finder finds records, as Reader.Find does.
type Finder func(ctx context.Context, f Filter, after Cursor) (Page, error)

// SumUp counts what a search finds, by one of SumRule and the like: at most f.Limit
// messages, all if that is 0, and only for as long as f.Patience. With a recipient in the
// filter only what became of the message for such recipients counts.
func (f Filter) SumUp(ctx context.Context, find Finder, after Cursor, by string) (s Sums, err error) {
	begun, page, rows := time.Now(), f, map[Sum]int64{}
	outcomes := f.outcomes()
	for s.Next = after; ; {
		if page.Limit = PageMost; f.Limit > 0 {
			page.Limit = int(min(PageMost, int64(f.Limit)-s.Messages))
		}
		p, err := find(ctx, page, s.Next)
		if err != nil {
			return s, err
		}
		for _, r := range p.Records {
			for _, row := range rowsOf(r, by, outcomes(r)) {
				rows[row]++
			}
		}
		s.Messages, s.Next, s.Early, s.Unindexed = s.Messages+int64(len(p.Records)), p.Next, p.Early, max(s.Unindexed, p.Unindexed)
		if page.Patience = f.Patience - time.Since(begun); f.Patience > 0 && page.Patience <= 0 {
			s.Early = s.Cut()
		}
		if s.Early || !s.Cut() || f.Limit > 0 && s.Messages >= int64(f.Limit) {
			s.Rows = sorted(rows)
			return s, nil
		}
	}
}

// outcome is what became of a message for some of its recipients.
type outcome struct{ rule, action string }

// outcomes returns a function that lists what became of a message, each once, as far as the
// filter asks for it.
func (f Filter) outcomes() func(policy.Record) []outcome {
	recipient := policy.AddressesLike(f.Recipient)
	return func(r policy.Record) (list []outcome) {
		add := func(rule, action string) {
			o := outcome{rule, action}
			if (f.Action == "" || f.Action == action) && !slices.Contains(list, o) {
				list = append(list, o)
			}
		}
		early := true // nothing is known of recipients: a stage before them refused
		for _, to := range r.Recipients {
			early = early && to.Action == ""
			if to.Action != "" && recipient(to.Recipient) {
				add(to.Rule, to.Action)
			}
		}
		if r.MoreRecipients > 0 && f.Recipient == "" {
			addVerdicts(r, add)
		}
		if early {
			add(r.Rule, r.Action)
		}
		return list
	}
}

// addVerdicts adds what became of a message for recipients that are not listed, too.
func addVerdicts(r policy.Record, add func(rule, action string)) {
	for _, v := range r.Verdicts {
		rule := ""
		if v.Rule != nil {
			rule = v.Rule.Name
		}
		add(rule, v.Action)
	}
}

// rowsOf returns the rows that a message counts for, each once.
func rowsOf(r policy.Record, by string, outcomes []outcome) (rows []Sum) {
	for _, o := range outcomes {
		values := []string{o.rule}
		switch by {
		case SumAction:
			values = []string{""}
		case SumSender:
			values = []string{domain(r.Sender)}
		case SumFinding:
			values = FindingsOf(r)
		}
		for _, value := range values {
			if row := (Sum{Value: value, Action: o.action}); !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func sorted(rows map[Sum]int64) (list []Sum) {
	for row, n := range rows {
		list = append(list, Sum{row.Value, row.Action, n})
	}
	slices.SortFunc(list, func(a, b Sum) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Action, b.Action))
	})
	return list
}
