package door

import (
	"errors"
	"net/http"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// peoplePage is what the page of all accounts shows.
type peoplePage struct {
	People  []accounts.Account
	Self    int64 // the account of the one who looks
	Done    bool
	Trouble string
}

// holder lets those through who have a right.
func (d *Door) holder(right login.Right, next func(http.ResponseWriter, *http.Request, accounts.Account)) http.HandlerFunc {
	return d.owner(func(w http.ResponseWriter, r *http.Request, a accounts.Account) {
		if !a.Person().May(right) {
			d.say(w, r, a.Person(), http.StatusForbidden, "forbidden")
			return
		}
		next(w, r, a)
	})
}

// people shows all accounts.
func (d *Door) people(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	d.peoplePage(w, r, a, http.StatusOK, "")
}

func (d *Door) peoplePage(w http.ResponseWriter, r *http.Request, a accounts.Account, status int, trouble string) {
	list, err := d.Accounts.List(r.Context())
	if err != nil {
		d.broken(w, r, err)
		return
	}
	d.show(w, r, a.Person(), status, "accounts", peoplePage{list, a.ID, r.URL.Query().Get("done") == "1" && trouble == "", trouble})
}

// deed is something that is done to the account of another.
type deed struct {
	act string
	do  func(*accounts.Accounts, *http.Request, int64) error
}

// deeds are what can be done to accounts, by the last part of the path.
var deeds = map[string]deed{
	"disable": {"disable user", func(a *accounts.Accounts, r *http.Request, id int64) error {
		return a.SetDisabled(r.Context(), id, true)
	}},
	"enable": {"enable user", func(a *accounts.Accounts, r *http.Request, id int64) error {
		return a.SetDisabled(r.Context(), id, false)
	}},
	"sessions": {"end all sessions", func(a *accounts.Accounts, r *http.Request, id int64) error { return a.EndSessions(r.Context(), id) }},
	"second": {"remove second factor", func(a *accounts.Accounts, r *http.Request, id int64) error {
		return a.RemoveSecond(r.Context(), id)
	}},
}

// act does something to an account that is named in the form, after it was written down. No administrator
// does it to the own account, where it has other ways, and one who is alone would be shut out.
func (d *Door) act(w http.ResponseWriter, r *http.Request, a accounts.Account) {
	doing, ok := deeds[r.PathValue("deed")]
	if !ok {
		d.say(w, r, a.Person(), http.StatusNotFound, "bad")
		return
	}
	other, err := d.Accounts.ByName(r.Context(), r.PostForm.Get("name"))
	switch {
	case errors.Is(err, accounts.ErrUnknown):
		d.peoplePage(w, r, a, http.StatusNotFound, "unknown")
		return
	case err == nil && other.ID == a.ID:
		d.peoplePage(w, r, a, http.StatusForbidden, "self")
		return
	}
	if err == nil {
		err = d.Accounts.Note(r.Context(), accounts.Entry{Person: a.Name, Role: string(a.Role), Client: d.from(r), Act: doing.act,
			Object: other.Name, Outcome: "done"})
	}
	if err == nil {
		err = doing.do(d.Accounts, r, other.ID)
	}
	if err != nil {
		d.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/accounts?done=1", http.StatusSeeOther)
}
