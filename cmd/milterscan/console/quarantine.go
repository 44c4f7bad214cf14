package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// rowsOfPage is how many kept messages a page lists.
const rowsOfPage = 50

// quarantinePage lists kept messages.
type quarantinePage struct {
	Form    url.Values // as the filter was asked for
	Rows    []quarantine.Row
	Next    string // the address of what comes after; "" where that is all
	Classes []string
	States  []quarantine.State
	Trouble *trouble
	Late    []pipeline.Late // hosts that have messages which are in no list yet; for persons who see all mail
	Active  bool            // some filter is set
	Wrong   bool            // some value of the filter cannot be read
	Teaches bool            // the person may say whether messages are spam
	person  login.Person
}

// Can reports whether the person has a right over any message that is listed.
func (q *quarantinePage) Can(right string) bool { return q.person.May(login.Right(right)) }

// quarantined lists kept messages.
func (c *Console) quarantined(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "quarantine")
	q := &quarantinePage{Form: r.URL.Query(), Classes: quarantine.Classes(),
		States: []quarantine.State{quarantine.Kept, quarantine.Releasing, quarantine.Released}, Teaches: c.Teaches(p), person: p}
	v.Page = q
	f, err := keptFilter(q.Form)
	q.Active = anySet(q.Form, "from", "to", "subject", "reason", "class", "state", "client", "queue", "since", "until", "open")
	if q.Wrong = err != nil; q.Wrong {
		return v.write(w, http.StatusBadRequest)
	}
	var more bool
	q.Rows, more, err = c.rows(r.Context(), p, f)
	if err != nil {
		t := troubleOf(v.pages, err)
		q.Trouble = &t
		return v.write(w, StatusOf(err))
	}
	if !p.Bound() { // hosts, and how much they have, are nothing for those who see the mail of some domains
		if q.Late, err = ask(r.Context(), c.asks, PartQuarantine, c.Host.Late); err != nil {
			t := troubleOf(v.pages, err)
			q.Trouble = &t
		}
	}
	if more {
		last := q.Rows[len(q.Rows)-1]
		next := r.URL.Query()
		next.Set("before", strconv.FormatInt(last.Time.UnixMilli(), 10))
		next.Set("below", last.ID)
		q.Next = "/quarantine?" + next.Encode()
	}
	return v.write(w, http.StatusOK)
}

// mostRounds bounds how often the store is asked for a page of which a person sees little.
const mostRounds = 8

// rows returns a page of kept messages that a person sees, and whether there are more.
func (c *Console) rows(ctx context.Context, p login.Person, f quarantine.Filter) (rows []quarantine.Row, more bool, err error) {
	size := cmp.Or(f.Limit, rowsOfPage)
	f.Limit = size + 1
	for range mostRounds {
		found, err := ask(ctx, c.asks, PartQuarantine, func(ctx context.Context) ([]quarantine.Row, error) {
			return c.Host.Quarantine().Find(ctx, f)
		})
		if err != nil {
			return nil, false, err
		}
		for _, row := range found {
			if p.Sees(rowMail(row)) {
				row.Waiting = p.Own(row.Waiting)
				if row.Recipients = p.Own(row.Recipients); !p.Bound() || f.Matches(row) { // or a filter would tell who else has had it
					rows = append(rows, row)
				}
			}
		}
		switch {
		case len(rows) > size:
			return rows[:size], true, nil
		case len(found) < f.Limit:
			return rows, false, nil
		}
		f = f.After(found[len(found)-1])
	}
	return rows, len(rows) > 0, nil
}

// rowMail returns the mail of a row, as mailOf does; a row does not say whose client it was.
func rowMail(r quarantine.Row) login.Mail {
	return login.Mail{Sender: r.Sender, Recipients: r.Recipients, Class: r.Class, Back: r.Waiting, Grave: r.Grave}
}

// keptFilter reads a filter.
func keptFilter(q url.Values) (quarantine.Filter, error) {
	get := func(name string) string { return strings.TrimSpace(clip(q.Get(name), 500)) }
	f := quarantine.Filter{Asked: true, Sender: get("from"), Recipient: get("to"), Subject: get("subject"), Reason: get("reason"),
		Client: get("client"), QueueID: get("queue"), Class: get("class"), State: quarantine.State(get("state")), Open: get("open") != ""}
	var err error
	if f.Since, f.Before, err = span(q); err != nil {
		return f, err
	}
	if ms, err := strconv.ParseInt(get("before"), 10, 64); err == nil {
		if at := time.UnixMilli(ms); f.Before.IsZero() || at.Before(f.Before) {
			f.Before, f.Below = at, get("below")
		}
	}
	return f, nil
}

// span reads the days of a filter, both inclusive.
func span(q url.Values) (since, before time.Time, err error) {
	if s := q.Get("since"); s != "" {
		if since, err = time.ParseInLocation(time.DateOnly, s, time.Local); err != nil {
			return since, before, ErrBad
		}
	}
	if s := q.Get("until"); s != "" {
		if before, err = time.ParseInLocation(time.DateOnly, s, time.Local); err != nil {
			return since, before, ErrBad
		}
		before = before.AddDate(0, 0, 1)
	}
	return since, before, nil
}

// anySet reports whether one of some parameters has a value.
func anySet(q url.Values, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return q.Get(name) != "" })
}
