package api

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Pages of lists.
const (
	pageSize = 100
	pageMost = 1000
	patience = 2 * time.Second // of a search, which has 3 to be answered
)

// filters lists the parameters of a search in the history.
func filters() []string {
	return []string{"from", "to", "user", "client", "subject", "reason", "rule", "finding", "engine", "engine_did", "queue_id",
		"message_id", "action", "larger", "smaller", "since", "before"}
}

// filter reads them.
func (q *query) filter() history.Filter {
	return history.Filter{Sender: q.text("from"), Recipient: q.text("to"), User: q.text("user"), Client: q.text("client"),
		Subject: q.text("subject"), Reason: q.text("reason"), Rule: q.text("rule"), Finding: q.text("finding"), Engine: q.text("engine"),
		Did: q.word("engine_did", history.DidFind, history.DidFail), QueueID: q.text("queue_id"), MessageID: q.text("message_id"),
		Action: q.word("action", "deliver", "tempfail", "hold", "discard", "quarantine", "reject"),
		Larger: q.number("larger", 0, 0, math.MaxInt64), Smaller: q.number("smaller", 0, 0, math.MaxInt64),
		Since: q.moment("since"), Before: q.moment("before")}
}

// page is a part of a list. Its head has a link to the next one, too.
type page struct {
	Messages  any    `json:"messages"`
	Next      string `json:"next,omitempty"`      // the address of what comes after
	Early     bool   `json:"early,omitempty"`     // the time was over before the page was full: there may be more at next
	Unindexed int64  `json:"unindexed,omitempty"` // records that are not in the index yet, and take longer to find
}

// send answers with a page.
func (p page) send(w http.ResponseWriter) error {
	if p.Next != "" {
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", p.Next))
	}
	return reply(w, http.StatusOK, p)
}

// messages searches the history.
func (a *api) messages(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	f := q.filter()
	f.Limit, f.Patience = int(q.number("limit", pageSize, 1, pageMost)), patience
	after, err := history.ParseCursor(q.text("after"))
	if err != nil {
		q.fail("after", err)
	}
	if q.err != nil {
		return q.err
	}
	found, err := a.Search(r.Context(), p, f, after)
	if err != nil {
		return err
	}
	out := page{Messages: []policy.Record{}}
	if found != nil {
		if len(found.Records) > 0 {
			out.Messages = found.Records
		}
		out.Early, out.Unindexed = found.Early, found.Unindexed
		if !found.Next.IsZero() {
			out.Next = q.with(r.URL.Path, "after", found.Next.String())
		}
	}
	return out.send(w)
}

// oneMessage is a message with its kept copy.
type oneMessage struct {
	Record  policy.Record `json:"record"`
	Kept    *keptCopy     `json:"kept,omitempty"`
	Missing []string      `json:"missing,omitempty"` // parts that did not answer, so that something may be missing here
}

// keptCopy is what the quarantine knows of a message, apart from its record.
type keptCopy struct {
	Class  string             `json:"class"`
	State  quarantine.State   `json:"state"`
	SHA256 string             `json:"sha256"`
	Stored int64              `json:"stored"`
	Events []quarantine.Event `json:"events,omitempty"`
}

func copyOf(e *quarantine.Entry) *keptCopy {
	if e == nil {
		return nil
	}
	return &keptCopy{e.Class, e.State, e.SHA256, e.Stored, e.Events}
}

// message shows one message.
func (a *api) message(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	m, err := a.Message(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	out := oneMessage{Record: m.Record, Kept: copyOf(m.Entry)}
	for _, err := range m.Errs {
		name, _, _ := a.Words(err)
		out.Missing = append(out.Missing, name)
	}
	return reply(w, http.StatusOK, out)
}

// timeline shows what became of a message, stage by stage.
func (a *api) timeline(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	story, err := a.Timeline(r.Context(), p, r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, story)
}

// export writes all that a search finds, as it is found. An export that cannot be finished
// breaks off, so that no program takes a part for the whole.
func (a *api) export(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	format := q.word("format", "csv", "jsonl")
	f := q.filter()
	f.Limit = pageMost
	if q.err != nil {
		return q.err
	}
	select {
	case a.exports <- struct{}{}:
		defer func() { <-a.exports }()
	default:
		return console.ErrBusy
	}
	f.Patience = patience
	first, err := a.Search(r.Context(), p, f, history.Cursor{})
	if err != nil {
		return err
	}
	if err := a.People.Audit(r, p, login.Export, "messages", exportedBy(q)); err != nil {
		return err
	}
	out := newExport(w, format)
	for found := first; found != nil; {
		if err = out.write(found.Records); err == nil && found.Next.IsZero() {
			return nil
		}
		if err == nil {
			found, err = a.Search(r.Context(), p, f, found.Next)
		}
		if err != nil {
			a.Note(r, err)
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}

// exportedBy says for the audit log what was exported.
func exportedBy(q *query) string {
	if len(q.values) == 0 {
		return "all"
	}
	return q.values.Encode()
}

// exported writes records, and gives each page time to be taken.
type exported struct {
	record func(policy.Record) error
	flush  func() error
	to     *http.ResponseController
}

// exportWrite is how long the program may take for a page.
const exportWrite = time.Minute

func newExport(w http.ResponseWriter, format string) exported {
	to := http.NewResponseController(w)
	if format == "csv" {
		w.Header().Set("Content-Disposition", `attachment; filename="messages.csv"`)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		c := history.NewCSV(w)
		return exported{c.Record, func() error { c.Flush(); return c.Error() }, to}
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", `attachment; filename="messages.jsonl"`)
	return exported{func(r policy.Record) error {
		_, err := w.Write(append(policy.JSON(r), '\n'))
		return err
	}, func() error { return nil }, to}
}

func (x exported) write(list []policy.Record) error {
	x.to.SetWriteDeadline(time.Now().Add(exportWrite)) // not every writer has one
	for _, r := range list {
		if err := x.record(r); err != nil {
			return err
		}
	}
	if err := x.flush(); err != nil {
		return err
	}
	x.to.Flush()
	return nil
}
