package console

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// searchPage is what a search has found.
type searchPage struct {
	Form      url.Values
	Records   []policy.Record
	Next      string // the address of what comes after; "" where that is all
	Actions   []string
	Active    bool // some filter is set
	More      bool // one that is not among the first
	Early     bool // the time was over before the page was full
	Unindexed int64
	ByRule    *ruleSums // nil where that was not asked for
	CountLink string    // the address that counts by rule; "" without a filter
	None      bool      // nothing is remembered
	Wrong     bool
	Trouble   *trouble
}

// searchFields are the parameters of a search; those after the first few are shown on
// demand.
var searchFields = []string{"q", "from", "to", "subject", "action", "since", "until", "client", "user", "rule", "finding", "engine", "did",
	"queue", "mid", "larger", "smaller"}

// firstFields is how many of them are always shown.
const firstFields = 7

// messages searches the history.
func (c *Console) messages(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "messages")
	q := r.URL.Query()
	m := &searchPage{Form: q, Actions: charted(), Active: anySet(q, searchFields...), More: anySet(q, searchFields[firstFields:]...)}
	v.Page = m
	f, after, err := searchFilter(q)
	if m.Wrong = err != nil; m.Wrong {
		return v.write(w, http.StatusBadRequest)
	}
	if key := strings.TrimSpace(clip(q.Get("q"), 1000)); key != "" {
		return c.direct(w, r, v, m, key)
	}
	page, err := c.searched(r, v, m, f, after)
	if err != nil {
		t := troubleOf(v.pages, err)
		m.Trouble = &t
		c.note(r, err)
		return v.write(w, StatusOf(err))
	}
	m.None = page == nil
	if page != nil {
		m.Records, m.Early, m.Unindexed = page.Records, page.Early, page.Unindexed
		if !page.Next.IsZero() {
			next := r.URL.Query()
			next.Set("after", page.Next.String())
			m.Next = "/messages?" + next.Encode()
		}
	}
	return v.write(w, http.StatusOK)
}

// direct finds messages by one of their names: an id, a queue id, a Message-ID. A single
// one is shown at once.
func (c *Console) direct(w http.ResponseWriter, r *http.Request, v *view, m *searchPage, key string) error {
	list, err := ask(r.Context(), c.asks, PartHistory, func(ctx context.Context) ([]policy.Record, error) {
		h := c.Host.History()
		if h == nil {
			m.None = true
			return nil, nil
		}
		return h.Lookup(ctx, key)
	})
	if err != nil {
		t := troubleOf(v.pages, err)
		m.Trouble = &t
		return v.write(w, StatusOf(err))
	}
	for _, record := range list {
		if v.Person.Sees(mailOf(record, nil)) {
			m.Records = append(m.Records, seen(v.Person, record))
		}
	}
	if len(m.Records) == 1 {
		http.Redirect(w, r, "/messages/"+m.Records[0].ID, http.StatusSeeOther)
		return nil
	}
	return v.write(w, http.StatusOK)
}

// search returns a page of what a person sees of the history, nil where there is none.
func (c *Console) search(ctx context.Context, p login.Person, f history.Filter, after history.Cursor) (*history.Page, error) {
	return ask(ctx, c.asks, PartHistory, func(ctx context.Context) (*history.Page, error) {
		h := c.Host.History()
		if h == nil {
			return nil, nil
		}
		page, err := findFor(h, p)(ctx, f, after)
		if err != nil {
			return nil, err
		}
		return &page, nil
	})
}

// findFor returns a function that finds what a person sees, as the person sees it.
func findFor(h history.Reader, p login.Person) history.Finder {
	return func(ctx context.Context, f history.Filter, after history.Cursor) (history.Page, error) {
		if p.Bound() {
			f.Domains = append([]string{}, p.Domains...)
		}
		page, err := h.Find(ctx, f, after)
		list := page.Records
		page.Records = nil
		wanted := f.Matcher()
		for _, r := range list {
			if !p.Sees(mailOf(r, nil)) {
				continue
			}
			if r = seen(p, r); !p.Bound() || wanted(r) { // or a filter would tell who else has had it
				page.Records = append(page.Records, r)
			}
		}
		return page, err
	}
}

// searchPatience is how long a search may take: it leaves a page time to be made.
const searchPatience = pageTime * 3 / 4

// searchFilter reads the filter of a search, and the place where it goes on.
func searchFilter(q url.Values) (f history.Filter, after history.Cursor, err error) {
	get := func(name string) string { return strings.TrimSpace(clip(q.Get(name), 500)) }
	f = history.Filter{Sender: get("from"), Recipient: get("to"), Subject: get("subject"), Action: get("action"), Client: get("client"),
		User: get("user"), Rule: get("rule"), Finding: get("finding"), Engine: get("engine"), Did: get("did"), QueueID: get("queue"),
		MessageID: get("mid"), Limit: rowsOfPage, Patience: searchPatience}
	if f.Since, f.Before, err = span(q); err != nil {
		return f, after, err
	}
	if f.Larger, err = kilobytes(get("larger")); err == nil {
		f.Smaller, err = kilobytes(get("smaller"))
	}
	if err == nil {
		after, err = history.ParseCursor(get("after"))
	}
	if err != nil {
		return f, after, ErrBad
	}
	return f, after, nil
}

// kilobytes reads a size.
func kilobytes(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", "."), 64)
	if err != nil || n < 0 || n > 1e9 || math.IsNaN(n) {
		return 0, ErrBad
	}
	return int64(n * 1000), nil
}
