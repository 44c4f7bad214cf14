package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/listfile"
)

// listed is a page of entries.
type listed struct {
	Entries []any  `json:"entries"`
	Next    string `json:"next,omitempty"`
}

// lists shows the entries of lists.
func (a *api) lists(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	f := people.Filter{Act: people.Act(q.word("act", string(people.Allow), string(people.Block))), Like: q.text("like"),
		Before: q.number("after", 0, 1, 1<<62), Limit: int(q.number("limit", pageSize, 1, pageMost)) + 1}
	if owner := q.text("owner"); owner != "" {
		folded, err := people.FoldOwner(owner)
		if err != nil {
			q.fail("owner", err)
		}
		f.Owners = []string{folded}
	}
	if q.err != nil {
		return q.err
	}
	list, err := a.Senders(r.Context(), p, f)
	if err != nil {
		return err
	}
	out := listed{Entries: []any{}}
	for i, e := range list {
		if i == f.Limit-1 {
			out.Next = q.with(r.URL.Path, "after", strconv.FormatInt(list[i-1].ID, 10))
			break
		}
		out.Entries = append(out.Entries, listfile.Told(e))
	}
	return reply(w, http.StatusOK, out)
}

// listing is the body of a request that makes an entry.
type listing struct {
	Owner         string     `json:"owner"`
	Act           people.Act `json:"act"`
	Pattern       string     `json:"pattern"`
	Authenticated bool       `json:"authenticated"`
	Expires       time.Time  `json:"expires"`
	Note          string     `json:"note"`
}

// enlist makes an entry, or changes one.
func (a *api) enlist(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	var in listing
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return wrong("the body", errors.New("write an object of JSON with owner, act, pattern, authenticated, expires and note"))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return wrong("the body", errors.New("there is something after the object"))
	}
	made, err := a.List(r, p, people.Entry{Owner: in.Owner, Act: in.Act, Pattern: in.Pattern, Authenticated: in.Authenticated,
		Expires: in.Expires, Note: in.Note})
	var told *people.Error
	if errors.As(err, &told) {
		return wrong("the entry", told)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, listfile.Told(made))
}

// unlist removes an entry.
func (a *api) unlist(w http.ResponseWriter, r *http.Request, p login.Person, q *query) error {
	owner := q.text("owner")
	if owner == "" {
		q.fail("owner", errors.New("say whose list it is"))
	}
	if q.err != nil {
		return q.err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		id = -1 // which no entry has
	}
	if err := a.Unlist(r, p, owner, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
