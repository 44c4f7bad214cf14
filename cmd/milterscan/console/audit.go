package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// auditPage lists what persons looked at and did.
type auditPage struct {
	Form    url.Values
	Entries []accounts.Entry
	Rights  []login.Right
	Next    string
	Active  bool
	Wrong   bool
	Trouble *trouble
}

// audit shows the audit log.
func (c *Console) audit(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "audit")
	q := r.URL.Query()
	m := &auditPage{Form: q, Rights: login.Rights(), Active: anySet(q, "person", "object", "act", "since", "until")}
	v.Page = m
	t, err := trail(q)
	if m.Wrong = err != nil; m.Wrong {
		return v.write(w, http.StatusBadRequest)
	}
	m.Entries, err = ask(r.Context(), c.asks, PartPeople, func(ctx context.Context) ([]accounts.Entry, error) {
		return c.People.Trail(ctx, t)
	})
	if err != nil {
		t := troubleOf(v.pages, err)
		m.Trouble = &t
		return v.write(w, StatusOf(err))
	}
	if len(m.Entries) > rowsOfPage {
		m.Entries = m.Entries[:rowsOfPage]
		next := r.URL.Query()
		next.Set("before", strconv.FormatInt(m.Entries[rowsOfPage-1].ID, 10))
		m.Next = "/audit?" + next.Encode()
	}
	return v.write(w, http.StatusOK)
}

// trail reads which lines of the audit log are wanted.
func trail(q url.Values) (t accounts.Trail, err error) {
	get := func(name string) string { return strings.TrimSpace(clip(q.Get(name), 500)) }
	t = accounts.Trail{Person: get("person"), Object: get("object"), Act: get("act"), Limit: rowsOfPage + 1}
	t.Since, t.Until, err = span(q)
	if s := get("before"); s != "" && err == nil {
		if t.Before, err = strconv.ParseInt(s, 10, 64); err != nil {
			err = ErrBad
		}
	}
	return t, err
}

// language keeps the language that a person has chosen, and goes back to where it was.
func (c *Console) language(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if err := r.ParseForm(); err != nil {
		return ErrBad
	}
	code := r.PostForm.Get("language")
	if _, ok := c.pages[code]; !ok {
		return ErrBad
	}
	_, err := ask(r.Context(), c.asks, PartPeople, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.People.SetLanguage(ctx, p, code)
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
	return nil
}

// local returns an address if it is one of this console, and that of the start otherwise.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
