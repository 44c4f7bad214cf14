package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// keptFilters lists the parameters of a search in the quarantine.
func keptFilters() []string {
	return []string{"from", "to", "client", "subject", "reason", "class", "state", "queue_id", "open", "since", "before"}
}

// keptFilter reads them, and the place where a list goes on.
func (q *query) keptFilter() quarantine.Filter {
	f := quarantine.Filter{Asked: true, Sender: q.text("from"), Recipient: q.text("to"), Client: q.text("client"),
		Subject: q.text("subject"), Reason: q.text("reason"),
		Class: q.word("class", quarantine.Classes()...), QueueID: q.text("queue_id"), Open: q.yes("open"),
		State: quarantine.State(q.word("state", string(quarantine.Kept), string(quarantine.Releasing), string(quarantine.Released))),
		Since: q.moment("since"), Before: q.moment("before"), Limit: int(q.number("limit", pageSize, 1, pageMost))}
	if s := q.text("after"); s != "" {
		ms, id, ok := strings.Cut(s, ".")
		n, err := strconv.ParseInt(ms, 10, 64)
		if at := time.UnixMilli(n); !ok || err != nil {
			q.fail("after", errors.New("take the one that the page before names"))
		} else if f.Before.IsZero() || at.Before(f.Before) {
			f.Before, f.Below = at, id
		}
	}
	return f
}

// quarantine lists kept messages.
func (a *api) quarantine(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	f := q.keptFilter()
	if q.err != nil {
		return q.err
	}
	rows, more, err := a.Rows(r.Context(), p, f)
	if err != nil {
		return err
	}
	out := page{Messages: []quarantine.Row{}}
	if len(rows) > 0 {
		out.Messages = rows
	}
	if more && len(rows) > 0 {
		last := rows[len(rows)-1]
		out.Next = q.with(r.URL.Path, "after", fmt.Sprintf("%d.%s", last.Time.UnixMilli(), last.ID))
	}
	return out.send(w)
}

// keptMessage is a kept message with its record.
type keptMessage struct {
	ID string `json:"id"`
	*keptCopy
	Record any `json:"record"`
}

// kept shows a kept message.
func (a *api) kept(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	return a.show(w, r, p)
}

func (a *api) show(w http.ResponseWriter, r *http.Request, p login.Person) error {
	e, err := a.Kept(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, keptMessage{e.Record.ID, copyOf(&e), e.Record})
}

// acting returns the handler that does something with a kept message, and shows it then.
func (a *api) acting(act string) func(http.ResponseWriter, *http.Request, login.Person, *query) error {
	return func(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
		o, err := readOrder(r)
		if err != nil {
			return err
		}
		o.Sure = act == "delete" // which is what the method says
		if err := a.Do(r, p, r.PathValue("id"), act, o); err != nil {
			return err
		}
		if act == "delete" {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return a.show(w, r, p)
	}
}

// order is the body of a request that does something with a kept message.
type order struct {
	To       []string `json:"to"`       // none for those who have not had it
	Again    bool     `json:"again"`    // also if it was let out before, or that is not known
	Infected bool     `json:"infected"` // also if a virus was found in it
}

// readOrder reads the body of a request, which may be empty.
func readOrder(r *http.Request) (console.Order, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return console.Order{}, err
	}
	var o order
	if len(bytes.TrimSpace(text)) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&o); err != nil {
			return console.Order{}, wrong("the body", errors.New("write an object of JSON with nothing but to, again, infected"))
		}
		if d.More() {
			return console.Order{}, wrong("the body", errors.New("there is something after the object"))
		}
	}
	for _, to := range o.To {
		if a, err := mail.ParseAddress("<" + to + ">"); err != nil || a.Address != to {
			return console.Order{}, wrong("to", fmt.Errorf("%.80q is no address", to))
		}
	}
	return console.Order{To: o.To, Again: o.Again, Infected: o.Infected}, nil
}
