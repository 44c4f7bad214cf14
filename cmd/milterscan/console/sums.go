package console

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"sync"

	"github.com/milterscan/milterscan/policy/keep/history"
)

// ruleSums are the messages of a search by the rule that decided.
type ruleSums struct {
	Messages int64
	Cut      bool // there may be more
	Rows     []ruleSum
	Others   int   // rows that are not shown
	Rest     int64 // their messages
	Trouble  *trouble
}

// ruleSum is one row, with the address of its messages.
type ruleSum struct {
	history.Sum
	Link string
}

// Limits of counting by rule.
const (
	mostSummed = 5000 // messages, the newest
	mostRules  = 50   // rows
)

// searched searches, and counts by rule at the same time if that is asked for: both within
// the time of a page.
func (c *Console) searched(r *http.Request, v *view, m *searchPage, f history.Filter, after history.Cursor) (*history.Page, error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	switch {
	case !m.Active:
	case m.Form.Get("by") == history.SumRule:
		m.ByRule = &ruleSums{}
		wg.Go(func() { c.sumRules(r, v, m, f) })
	default:
		m.CountLink = searchLink(m.Form, "by", history.SumRule)
	}
	return c.search(r.Context(), v.Person, f, after)
}

// sumRules counts what a person sees of what a search finds.
func (c *Console) sumRules(r *http.Request, v *view, m *searchPage, f history.Filter) {
	f.Limit = mostSummed
	s, err := ask(r.Context(), c.asks, PartHistory, func(ctx context.Context) (history.Sums, error) {
		h := c.Host.History()
		if h == nil {
			return history.Sums{}, nil
		}
		return f.SumUp(ctx, findFor(h, v.Person), history.Cursor{}, history.SumRule)
	})
	if err != nil {
		t := troubleOf(v.pages, err)
		m.ByRule.Trouble = &t
		c.note(r, err)
		return
	}
	m.ByRule.Messages, m.ByRule.Cut = s.Messages, s.Cut()
	for i, row := range s.Rows {
		if i >= mostRules {
			m.ByRule.Others++
			m.ByRule.Rest += row.N
			continue
		}
		link := searchLink(m.Form, "rule", row.Value, "action", row.Action, "by", "")
		m.ByRule.Rows = append(m.ByRule.Rows, ruleSum{row, link})
	}
}

// searchLink returns the address of the first page of a search with other values.
func searchLink(form url.Values, pairs ...string) string {
	q := maps.Clone(form)
	q.Del("after")
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return "/messages?" + q.Encode()
}
