package mine

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
)

// rowsOfPage is how many kept messages a page lists.
const rowsOfPage = 50

// listPage lists the mail that is kept back from a person.
type listPage struct {
	Form     url.Values // as the filter was asked for
	Rows     []row
	Next     string // the address of what comes after; "" where that is all
	Active   bool   // some filter is set
	Allows   bool
	Blocks   bool
	Teaches  bool             // the person may say whether messages are spam
	Requests []people.Request // of the person, and of senders who ask the person
	Several  bool             // the person has several addresses
}

// row is a kept message.
type row struct {
	quarantine.Row
	Releases bool // the person may, without asking
}

// list shows the mail that is kept back from a person, newest first.
func (x *room) list(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return x.showList(w, r, p, http.StatusOK, page{})
}

func (x *room) showList(w http.ResponseWriter, r *http.Request, p login.Person, status int, data page) error {
	terms := x.Console.Host.Config().People.Lists.Recipients
	l := &listPage{Form: r.URL.Query(), Allows: terms.Allow != "none", Blocks: terms.Block,
		Teaches: x.Console.Teaches(p), Several: len(p.Addresses) > 1}
	l.Active = l.Form.Get("from") != "" || l.Form.Get("subject") != ""
	data.Data = l
	rows, more, err := x.Console.Rows(r.Context(), p, filterOf(l.Form, p))
	if err == nil {
		l.Requests, err = x.asked(r.Context(), p, people.RequestFilter{Limit: 20})
	}
	if err != nil {
		return x.show(w, r, p, "mine", console.StatusOf(err), x.trouble(r, p, err, data))
	}
	for _, one := range rows {
		mail := login.Mail{Class: one.Class, Back: one.Waiting, Grave: one.Grave}
		l.Rows = append(l.Rows, row{one, p.MayWith(login.Release, mail)})
	}
	if more {
		last, next := rows[len(rows)-1], r.URL.Query()
		next.Del("done")
		next.Set("before", strconv.FormatInt(last.Time.UnixMilli(), 10))
		next.Set("below", last.ID)
		l.Next = console.MinePath + "?" + next.Encode()
	}
	return x.show(w, r, p, "mine", status, data)
}

// asked returns the newest requests about mail of a person's addresses.
func (x *room) asked(ctx context.Context, p login.Person, f people.RequestFilter) ([]people.Request, error) {
	f.Addresses = p.Addresses
	return kept(ctx, x, func(ctx context.Context, s Store) ([]people.Request, error) { return s.Requests(ctx, f) })
}

// filterOf reads a filter.
func filterOf(q url.Values, p login.Person) quarantine.Filter {
	f := quarantine.Filter{Waiting: p.Addresses, Sender: pattern(q.Get("from")), Subject: pattern(q.Get("subject")), Limit: rowsOfPage}
	if f.Waiting == nil {
		f.Waiting = []string{}
	}
	if ms, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil {
		f.Before, f.Below = time.UnixMilli(ms), q.Get("below")
	}
	return f
}

// mostOfFilter is how long a text may be that is looked for.
const mostOfFilter = 200

// pattern returns a text as a pattern.
func pattern(s string) string {
	if s = strings.TrimSpace(s); len(s) > mostOfFilter {
		return s[:mostOfFilter]
	}
	return s
}
