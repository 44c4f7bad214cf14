package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
)

// Accounts are those of persons. accounts.Accounts is one.
type Accounts interface {
	Bearer(ctx context.Context, text string) (login.Person, error)
	List(ctx context.Context) ([]accounts.Account, error)
	ByName(ctx context.Context, name string) (accounts.Account, error)
	Add(ctx context.Context, account accounts.Account, password string) error
	Amend(ctx context.Context, account accounts.Account) error
	SetDisabled(ctx context.Context, id int64, disabled bool) error
	Remove(ctx context.Context, id int64) error
	Tokens(ctx context.Context, account int64) ([]accounts.Token, error)
	AddToken(ctx context.Context, account accounts.Account, t accounts.Token) (string, error)
	RemoveToken(ctx context.Context, account int64, name string) error
}

// The reasons not to do something with an account.
var (
	errHigh = &mistake{http.StatusForbidden, "role", "Not by a program",
		"Programs make and change accounts of domain administrators only. The others are made with \"milterscan user\"."}
	errTaken = &mistake{http.StatusConflict, "taken", "There is one of that name", "Choose another name."}
)

// people lists accounts by name. Those of administrators are among them: who may manage users
// sees all of them on the pages, too.
func (a *api) people(w http.ResponseWriter, r *http.Request, _ login.Person, _ *query) error {
	list, err := a.accounts.List(r.Context())
	if err != nil {
		return partPeople(err)
	}
	if list == nil {
		list = []accounts.Account{}
	}
	return reply(w, http.StatusOK, map[string]any{"accounts": list})
}

// account shows an account.
func (a *api) account(w http.ResponseWriter, r *http.Request, _ login.Person, _ *query) error {
	account, err := a.named(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, account)
}

// named returns the account of a path.
func (a *api) named(r *http.Request) (accounts.Account, error) {
	account, err := a.accounts.ByName(r.Context(), r.PathValue("name"))
	if errors.Is(err, accounts.ErrUnknown) {
		return account, console.ErrNotFound
	}
	return account, partPeople(err)
}

// partPeople says of an error that it is one of the accounts.
func partPeople(err error) error {
	if err == nil {
		return nil
	}
	return &console.PartError{Part: console.PartPeople, Err: err}
}

// ordered is what a program says of an account. What it leaves out stays as it is.
type ordered struct {
	Name     string      `json:"name"`
	Role     *login.Role `json:"role"`
	Domains  *[]string   `json:"domains"`
	Classes  *[]string   `json:"classes"`
	Language *string     `json:"language"`
	Disabled *bool       `json:"disabled"`
	Password string      `json:"password"`
	Second   *bool       `json:"require_totp"`
}

// set puts what was said into an account.
func (o ordered) set(to *accounts.Account) {
	put(&to.Role, o.Role)
	put(&to.Domains, o.Domains)
	put(&to.Classes, o.Classes)
	put(&to.Language, o.Language)
	put(&to.WantsSecond, o.Second)
}

// same reports whether nothing was said of what the account may do.
func (o ordered) same() bool {
	return o.Role == nil && o.Domains == nil && o.Classes == nil && o.Language == nil && o.Second == nil
}

func put[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// addAccount makes an account. Without a password it is opened by single sign-on, or a client
// certificate.
func (a *api) addAccount(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	var o ordered
	if err := readBody(r, &o); err != nil {
		return err
	}
	account := accounts.Account{Name: o.Name, Role: login.Domain}
	o.set(&account)
	name, err := accounts.LocalName(o.Name)
	switch {
	case err != nil:
		return wrong("name", err)
	case account.Role != login.Domain:
		return errHigh
	case o.Disabled != nil:
		return wrong("disabled", errors.New("make the account first, and then disable it"))
	}
	if err := account.Check(); err != nil {
		return wrong("the account", err)
	}
	if o.Password != "" {
		if err := accounts.CheckPassword(name, o.Password); err != nil {
			return wrong("password", err)
		}
	}
	err = a.noted(r, p, name, "add user", func(ctx context.Context) error { return a.accounts.Add(ctx, account, o.Password) })
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/accounts/"+url.PathEscape(name))
	return a.shown(w, r, http.StatusCreated, name)
}

// amend changes an account, whose sessions end with it.
func (a *api) amend(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	account, err := a.below(r)
	if err != nil {
		return err
	}
	var o ordered
	if err := readBody(r, &o); err != nil {
		return err
	}
	o.set(&account)
	switch {
	case o.Name != "" || o.Password != "":
		return wrong("the body", errors.New("a name stays, and a password is changed by its owner"))
	case account.Role != login.Domain:
		return errHigh
	}
	if err := account.Check(); err != nil {
		return wrong("the account", err)
	}
	err = a.noted(r, p, account.Name, "change user", func(ctx context.Context) error {
		if o.Disabled != nil && *o.Disabled != account.Disabled {
			if err := a.accounts.SetDisabled(ctx, account.ID, *o.Disabled); err != nil {
				return err
			}
		}
		if o.same() {
			return nil
		}
		return a.accounts.Amend(ctx, account)
	})
	if err != nil {
		return err
	}
	return a.shown(w, r, http.StatusOK, account.Name)
}

// removeAccount forgets an account.
func (a *api) removeAccount(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	account, err := a.below(r)
	if err == nil {
		err = a.noted(r, p, account.Name, "remove user", func(ctx context.Context) error { return a.accounts.Remove(ctx, account.ID) })
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// below returns the account of a path if a program may change it: by any other it could become
// more than it is.
func (a *api) below(r *http.Request) (accounts.Account, error) {
	account, err := a.named(r)
	if err == nil && account.Role != login.Domain {
		err = errHigh
	}
	return account, err
}

// noted does something with an account after it was written down.
func (a *api) noted(r *http.Request, p login.Person, name, what string, do func(context.Context) error) error {
	if err := a.People.Audit(r, p, login.ManageUsers, name, what); err != nil {
		return partPeople(err)
	}
	err := do(context.WithoutCancel(r.Context()))
	switch {
	case errors.Is(err, accounts.ErrTaken):
		return errTaken
	case errors.Is(err, accounts.ErrUnknown):
		return console.ErrNotFound
	}
	return partPeople(err)
}

// shown answers with an account as it is now.
func (a *api) shown(w http.ResponseWriter, r *http.Request, status int, name string) error {
	account, err := a.accounts.ByName(r.Context(), name)
	if err != nil {
		return partPeople(err)
	}
	return reply(w, status, account)
}

// tokensOf lists the tokens of an account.
func (a *api) tokensOf(w http.ResponseWriter, r *http.Request, _ login.Person, _ *query) error {
	account, err := a.named(r)
	if err != nil {
		return err
	}
	list, err := a.accounts.Tokens(r.Context(), account.ID)
	if list == nil {
		list = []accounts.Token{}
	}
	if err != nil {
		return partPeople(err)
	}
	return reply(w, http.StatusOK, map[string]any{"tokens": list})
}

// addToken makes a token of an account, and shows it this once.
func (a *api) addToken(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	account, err := a.below(r)
	if err != nil {
		return err
	}
	var o struct {
		Name    string        `json:"name"`
		Rights  []login.Right `json:"rights"`
		Expires time.Time     `json:"expires"`
	}
	if err := readBody(r, &o); err != nil {
		return err
	}
	if err := checkToken(account, o.Name, o.Rights); err != nil {
		return err
	}
	var text string
	err = a.noted(r, p, account.Name, "add token "+policy.Visible(o.Name), func(ctx context.Context) (err error) {
		text, err = a.accounts.AddToken(ctx, account, accounts.Token{Name: o.Name, Rights: o.Rights, Expires: o.Expires})
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusCreated, map[string]any{"name": o.Name, "token": text})
}

// checkToken returns the mistake in a token that is to be made.
func checkToken(account accounts.Account, name string, rights []login.Right) error {
	if name == "" || len(name) > 100 || len(rights) == 0 {
		return wrong("the body", errors.New("a token has a name of at most 100 bytes, and rights"))
	}
	for _, right := range rights {
		if !account.Role.Has(right) {
			return wrong("rights", errors.New("its role may not do all of that"))
		}
	}
	return nil
}

// removeToken ends a token of an account.
func (a *api) removeToken(w http.ResponseWriter, r *http.Request, p login.Person, _ *query) error {
	account, err := a.below(r)
	if err == nil {
		err = a.noted(r, p, account.Name, "remove token "+policy.Visible(r.PathValue("token")), func(ctx context.Context) error {
			return a.accounts.RemoveToken(ctx, account.ID, r.PathValue("token"))
		})
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// readBody reads a body that has to be an object of JSON, with known fields only.
func readBody(r *http.Request, into any) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.More() {
		return wrong("the body", errors.New("write an object of JSON with the fields that are described, and nothing else"))
	}
	return nil
}
