package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// Verify returns the local account of a name and a password. The error is ErrWrong for a
// wrong password, for an account that is not there or is disabled, and for one that has
// no password: all take the same time. It reports through known whether the name is that
// of a local account, so that no other place is asked about it.
func (a *Accounts) Verify(ctx context.Context, name, password string) (account Account, known bool, err error) {
	folded, unusable := LocalName(name)
	account, err = a.find(ctx, `source = ? AND subject = ?`, Local, folded)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Account{}, false, err
	}
	known = err == nil && unusable == nil
	ok, err := a.hasher.matches(ctx, password, account.hash)
	switch {
	case err != nil:
		return Account{}, known, err
	case !ok || !known || account.Disabled:
		return Account{}, known, ErrWrong
	}
	return account, known, nil
}

// Named returns the local account that a client certificate names. The error is ErrWrong if
// there is none that may log in.
func (a *Accounts) Named(ctx context.Context, name string) (Account, error) {
	folded, err := LocalName(name)
	if err != nil {
		return Account{}, ErrWrong
	}
	account, err := a.find(ctx, `source = ? AND subject = ?`, Local, folded)
	if errors.Is(err, ErrUnknown) || err == nil && account.Disabled {
		return Account{}, ErrWrong
	}
	return account, err
}

// Identity is what another place says of a person who has proved there who it is.
type Identity struct {
	Source  string // LDAP, OIDC or Owner
	Subject string // which the place never gives to another person
	Name    string // to be shown
	Role    login.Role
	Domains []string // of a recipient: its addresses
	Classes []string
	Mail    []string // addresses that are the person's, as that place says
}

// Admit returns the account of a person that another place knows, and makes it if there
// is none. What the account may do is what that place says now. The error is ErrWrong where the
// account is disabled here, and ErrTaken where another person has the name.
func (a *Accounts) Admit(ctx context.Context, i Identity) (Account, error) {
	name, err := LocalName(i.Name)
	account := Account{Role: i.Role, Domains: i.Domains, Classes: i.Classes}
	if err := errors.Join(err, account.Check()); err != nil {
		return Account{}, fmt.Errorf("%s says of %q what cannot be used: %w", i.Source, i.Name, err)
	}
	i.Name, i.Domains = i.Source+":"+name, account.Domains
	return a.admitted(ctx, i)
}

// AdmitOwner returns the account of a recipient who has proved to own addresses of ours, the main
// one first, each as address.Fold writes it. It makes the account if there is none. The error
// is ErrWrong where the account is disabled.
func (a *Accounts) AdmitOwner(ctx context.Context, addresses []string) (Account, error) {
	if len(addresses) == 0 {
		return Account{}, ErrWrong
	}
	return a.admitted(ctx, Identity{Source: Owner, Subject: addresses[0], Name: Owner + ":" + addresses[0], Role: login.Recipient,
		Domains: addresses})
}

// admitted writes down what another place says of a person, whose name is as accounts have it.
func (a *Accounts) admitted(ctx context.Context, i Identity) (Account, error) {
	taken, err := a.find(ctx, `name = ? AND NOT (source = ? AND subject = ?)`, i.Name, i.Source, i.Subject)
	if err == nil {
		return Account{}, fmt.Errorf("%w, %s, of another person: remove that account if it is no longer used", ErrTaken, taken.Name)
	}
	if !errors.Is(err, ErrUnknown) {
		return Account{}, err
	}
	_, err = a.change(ctx, `INSERT INTO account (source, subject, name, role, domains, classes, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (source, subject) DO UPDATE SET name = ?3, role = ?4, domains = ?5, classes = ?6`,
		i.Source, i.Subject, i.Name, string(i.Role), asJSON(i.Domains), asJSON(i.Classes), a.now().Unix())
	if err != nil {
		return Account{}, err
	}
	account, err := a.find(ctx, `source = ? AND subject = ?`, i.Source, i.Subject)
	if err == nil && account.Disabled {
		return Account{}, ErrWrong
	}
	return account, err
}

// Seen notes that a person has logged in.
func (a *Accounts) Seen(ctx context.Context, id int64) error {
	return a.mustChange(ctx, `UPDATE account SET seen = ? WHERE id = ?`, a.now().Unix(), id)
}
