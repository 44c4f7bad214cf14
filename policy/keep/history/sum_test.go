package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// pagesOf finds records page by page.
func pagesOf(records []policy.Record, early int) Finder {
	return func(_ context.Context, f Filter, after Cursor) (p Page, err error) {
		matches := f.Matcher()
		for i := int(after.Key); i < len(records); i++ {
			if len(p.Records) == f.Size() || early > 0 && i == early {
				p.Next, p.Early = Cursor{Time: 1, Key: int64(i)}, i == early
				return p, nil
			}
			if matches(records[i]) {
				p.Records = append(p.Records, records[i])
			}
		}
		return p, nil
	}
}

func sent(sender, rule, action string, to ...policy.RecordRecipient) policy.Record {
	return policy.Record{Sender: sender, Rule: rule, Action: action, Recipients: to, Findings: []policy.RecordFinding{{Rule: "f/" + rule}, {Rule: "f/" + rule}}}
}

func TestSumUp(t *testing.T) {
	com, org := "bob@Example.COM", "ann@example.org"
	split := sent("c@b.example", "virus", "reject", policy.RecordRecipient{Recipient: com, Action: "deliver"},
		policy.RecordRecipient{Recipient: org, Action: "reject", Rule: "virus"})
	many := sent("", "virus", "reject", policy.RecordRecipient{Recipient: com, Action: "reject", Rule: "virus"})
	many.MoreRecipients = 5
	many.Verdicts = []policy.RecordVerdict{{Action: "hold", Rule: &policy.RecordRule{Name: "later"}}, {Action: "reject", Rule: &policy.RecordRule{Name: "virus"}}}
	records := []policy.Record{
		sent("a@a.example", "programs", "reject", policy.RecordRecipient{Recipient: com, Action: "reject", Rule: "programs"},
			policy.RecordRecipient{Recipient: "carl@example.com", Action: "reject", Rule: "programs"}),
		sent("a@a.example", "programs", "reject", policy.RecordRecipient{Recipient: com, Action: "reject", Rule: "programs"}),
		split, many, sent("x@b.example", "early", "tempfail"),
	}
	for _, c := range []struct {
		name string
		f    Filter
		by   string
		want string
		n    int64
		cut  bool
	}{
		{"all", Filter{}, SumRule, "programs reject 2, virus reject 2,  deliver 1, early tempfail 1, later hold 1", 5, false},
		{"a domain", Filter{Recipient: "@example.com"}, SumRule, "programs reject 2,  deliver 1, virus reject 1", 4, false},
		{"the other", Filter{Recipient: "@example.org"}, SumRule, "virus reject 1", 1, false},
		{"an action", Filter{Action: "reject"}, SumRule, "programs reject 2, virus reject 2", 4, false},
		{"both", Filter{Recipient: "@example.com", Action: "reject"}, SumRule, "programs reject 2, virus reject 1", 3, false},
		{"none", Filter{Recipient: "nobody@example.net"}, SumRule, "", 0, false},
		{"senders", Filter{}, SumSender, "a.example reject 2, <> hold 1, <> reject 1, b.example deliver 1, b.example reject 1, b.example tempfail 1", 5, false},
		{"findings", Filter{Recipient: "@example.com"}, SumFinding, "f/programs reject 2, f/virus deliver 1, f/virus reject 1", 4, false},
		{"actions", Filter{}, SumAction, " reject 4,  deliver 1,  hold 1,  tempfail 1", 5, false},
		{"the newest two", Filter{Limit: 2}, SumRule, "programs reject 2", 2, true},
		{"just as many", Filter{Limit: 5}, SumAction, " reject 4,  deliver 1,  hold 1,  tempfail 1", 5, false},
	} {
		s, err := c.f.SumUp(t.Context(), pagesOf(records, 0), Cursor{}, c.by)
		if got := written(s.Rows); err != nil || got != c.want || s.Messages != c.n || s.Cut() != c.cut || s.Early {
			t.Errorf("%s: %q of %d, cut %v, %v; want %q of %d", c.name, got, s.Messages, s.Cut(), err, c.want, c.n)
		}
	}
}

func written(rows []Sum) string {
	list := make([]string, len(rows))
	for i, r := range rows {
		list[i] = fmt.Sprintf("%s %s %d", r.Value, r.Action, r.N)
	}
	return strings.Join(list, ", ")
}

// TestSumUpOfPages goes through several pages, and says where it did not come to the end.
func TestSumUpOfPages(t *testing.T) {
	records := slices.Repeat([]policy.Record{{Rule: "a", Action: "reject"}}, 2*PageMost+500)
	slow := func(ctx context.Context, f Filter, after Cursor) (Page, error) {
		time.Sleep(2 * time.Millisecond)
		return pagesOf(records, 0)(ctx, f, after)
	}
	for _, c := range []struct {
		name       string
		find       Finder
		f          Filter
		n          int64
		cut, early bool
	}{
		{"all", pagesOf(records, 0), Filter{}, 2500, false, false}, {"some", pagesOf(records, 0), Filter{Limit: 2100}, 2100, true, false},
		{"a store out of time", pagesOf(records, 1200), Filter{Limit: 5000, Patience: time.Hour}, 1200, true, true},
		{"all pages too slow", slow, Filter{Patience: time.Millisecond}, PageMost, true, true},
	} {
		s, err := c.f.SumUp(t.Context(), c.find, Cursor{}, SumRule)
		if err != nil || s.Messages != c.n || s.Cut() != c.cut || s.Early != c.early || len(s.Rows) != 1 || s.Rows[0].N != c.n {
			t.Errorf("%s: %+v %v", c.name, s, err)
		}
	}
	gone := errors.New("gone")
	fails := func(context.Context, Filter, Cursor) (Page, error) { return Page{}, gone }
	if _, err := (Filter{}).SumUp(t.Context(), fails, Cursor{}, SumRule); !errors.Is(err, gone) {
		t.Error(err)
	}
}
