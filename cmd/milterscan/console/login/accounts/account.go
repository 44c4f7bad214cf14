package accounts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Account holds the facts about a person who may log in.
type Account struct {
	ID          int64      `json:"-"`
	Name        string     `json:"name"`   // canonical; "ldap:ann" and "oidc:ann" for accounts of others
	Source      string     `json:"source"` // which of Local, LDAP, OIDC and Owner knows who it is
	Subject     string     `json:"-"`      // by which the source knows it
	Role        login.Role `json:"role"`
	Domains     []string   `json:"domains,omitempty"`   // of a domain administrator
	Addresses   []string   `json:"addresses,omitempty"` // that a recipient has proved to own, the main one first
	Classes     []string   `json:"classes,omitempty"`
	Language    string     `json:"language,omitempty"`
	Disabled    bool       `json:"disabled"`
	Password    bool       `json:"password"`      // there is one here
	WantsSecond bool       `json:"require_totp"`  // may do nothing without a second factor
	HasSecond   bool       `json:"totp"`          // has one
	Recovery    int        `json:"recovery_left"` // codes that are left
	Created     time.Time  `json:"created"`
	Seen        time.Time  `json:"last_login,omitzero"`

	epoch int64 // of sessions; those of another one have ended
	hash  string
}

// Person returns who the account is in the console.
func (a Account) Person() login.Person {
	return login.Person{Account: a.ID, Name: a.Name, Role: a.Role, Domains: a.Domains, Addresses: a.Addresses, Classes: a.Classes,
		Language: a.Language}
}

// Epoch returns a number that changes when all sessions of the account are to end.
func (a Account) Epoch() int64 { return a.epoch }

// columns of an account, for scan. Of a recipient, domains are its addresses.
const columns = `id, source, subject, name, role, domains, classes, language, disabled, password, wants_second, secret <> '',
	(SELECT count(*) FROM recovery WHERE account = id), epoch, created, seen`

// scan reads columns.
func scan(row interface{ Scan(...any) error }) (a Account, err error) {
	var domains, classes string
	var created, seen int64
	err = row.Scan(&a.ID, &a.Source, &a.Subject, &a.Name, &a.Role, &domains, &classes, &a.Language, &a.Disabled, &a.hash,
		&a.WantsSecond, &a.HasSecond, &a.Recovery, &a.epoch, &created, &seen)
	if err != nil {
		return Account{}, err
	}
	a.Password, a.Created = a.hash != "", time.Unix(created, 0).UTC()
	if seen > 0 {
		a.Seen = time.Unix(seen, 0).UTC()
	}
	own := &a.Domains
	if a.Role == login.Recipient {
		own = &a.Addresses
	}
	return a, errors.Join(json.Unmarshal([]byte(domains), own), json.Unmarshal([]byte(classes), &a.Classes))
}

// find returns the one account of which something is true. The error is ErrUnknown
// if there is none.
func (a *Accounts) find(ctx context.Context, where string, args ...any) (found Account, err error) {
	err = a.db().Read(ctx, func(db tables.Asker) error {
		found, err = scan(db.QueryRowContext(ctx, `SELECT `+columns+` FROM account WHERE `+where, args...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrUnknown
	}
	return found, err
}

// ByID returns an account by its number.
func (a *Accounts) ByID(ctx context.Context, id int64) (Account, error) {
	return a.find(ctx, `id = ?`, id)
}

// ByName returns an account by its name.
func (a *Accounts) ByName(ctx context.Context, name string) (Account, error) {
	folded, err := Canonical(name)
	if own, ok := strings.CutPrefix(name, Owner+":"); ok {
		folded, err = address.Fold(own)
		folded = Owner + ":" + folded
	}
	if err != nil {
		return Account{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return a.find(ctx, `name = ?`, folded)
}

// List returns all accounts by name, but those of recipients, who may be many thousands.
func (a *Accounts) List(ctx context.Context) (all []Account, err error) {
	read := func(rows *sql.Rows) (Account, error) { return scan(rows) }
	err = a.db().Read(ctx, func(db tables.Asker) (err error) {
		all, err = tables.Rows(ctx, db, read, `SELECT `+columns+` FROM account WHERE role <> ? ORDER BY name`,
			string(login.Recipient))
		return err
	})
	return all, err
}

// asJSON writes a list as it is kept.
func asJSON(list []string) string {
	if list == nil {
		list = []string{}
	}
	text, _ := json.Marshal(list) // strings always can be
	return string(text)
}
