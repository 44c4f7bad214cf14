package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Check reports mistakes in an account that is to be made, and puts its domains in order. No
// account is made for a recipient by hand.
func (a *Account) Check() error {
	if !slices.Contains(login.Given(), a.Role) {
		return fmt.Errorf("%q is no role", a.Role)
	}
	if (a.Role == login.Domain) != (len(a.Domains) > 0) {
		return fmt.Errorf("a role of %q and only that has domains", login.Domain)
	}
	for i, name := range a.Domains {
		var d policy.Domain
		if err := d.UnmarshalText([]byte(name)); err != nil {
			return err
		}
		a.Domains[i] = string(d)
	}
	return nil
}

// Add makes a local account. Without a password only a client certificate opens it. The
// error is ErrTaken if there is one of that name.
func (a *Accounts) Add(ctx context.Context, account Account, password string) error {
	name, err := LocalName(account.Name)
	if err != nil {
		return err
	}
	if err := account.Check(); err != nil {
		return err
	}
	hash := ""
	if password != "" {
		if err := CheckPassword(name, password); err != nil {
			return err
		}
		if hash, err = a.hasher.hash(ctx, password); err != nil {
			return err
		}
	}
	n, err := a.change(ctx, `INSERT INTO account (source, subject, name, role, domains, classes, language, wants_second, password, created)
		VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING`, Local, name, string(account.Role), asJSON(account.Domains),
		asJSON(account.Classes), account.Language, account.WantsSecond, hash, a.now().Unix())
	if err == nil && n == 0 {
		return ErrTaken
	}
	return err
}

// SetPassword gives a local account another password, and ends its sessions.
func (a *Accounts) SetPassword(ctx context.Context, id int64, password string) error {
	account, err := a.ByID(ctx, id)
	if err != nil {
		return err
	}
	if account.Source != Local {
		return fmt.Errorf("the password of %s is kept elsewhere: change it there", account.Name)
	}
	if err := CheckPassword(account.Name, password); err != nil {
		return err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.ending(ctx, id, `UPDATE account SET password = ?, epoch = epoch + 1 WHERE id = ?`, hash, id)
}

// SetDisabled closes an account, whose sessions end at once, or opens it again.
func (a *Accounts) SetDisabled(ctx context.Context, id int64, disabled bool) error {
	return a.ending(ctx, id, `UPDATE account SET disabled = ?, epoch = epoch + 1 WHERE id = ?`, disabled, id)
}

// Amend writes down what an account may do and see, and how it has to log in. Its sessions end:
// what they were begun for may be another now.
func (a *Accounts) Amend(ctx context.Context, account Account) error {
	if err := account.Check(); err != nil {
		return err
	}
	return a.ending(ctx, account.ID, `UPDATE account SET role = ?, domains = ?, classes = ?, language = ?, wants_second = ?,
		epoch = epoch + 1 WHERE id = ?`,
		string(account.Role), asJSON(account.Domains), asJSON(account.Classes), account.Language, account.WantsSecond, account.ID)
}

// SetLanguage sets the language a person reads; "" for what the browser asks for.
func (a *Accounts) SetLanguage(ctx context.Context, id int64, language string) error {
	return a.mustChange(ctx, `UPDATE account SET language = ? WHERE id = ?`, language, id)
}

// EndSessions ends all sessions of an account.
func (a *Accounts) EndSessions(ctx context.Context, id int64) error {
	return a.ending(ctx, id, `UPDATE account SET epoch = epoch + 1 WHERE id = ?`, id)
}

// ending changes an account that has to be there, and ends all its sessions.
func (a *Accounts) ending(ctx context.Context, id int64, query string, args ...any) error {
	return a.db().Change(ctx, func(tx tables.Asker) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknown)
		}
		return endAll(ctx, tx, id)
	})
}

// endAll ends all sessions of an account.
func endAll(ctx context.Context, tx tables.Asker, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE session SET ended = 1, data = ? WHERE account = ?`, noData, id)
	return err
}

// Remove forgets an account, with all but what the audit log says.
func (a *Accounts) Remove(ctx context.Context, id int64) error {
	return a.db().Change(ctx, func(tx tables.Asker) error {
		var errs []error
		for _, q := range []string{`DELETE FROM recovery WHERE account = ?`, `DELETE FROM token WHERE account = ?`,
			`DELETE FROM session WHERE account = ?`, `DELETE FROM account WHERE id = ?`} {
			_, err := tx.ExecContext(ctx, q, id)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// change runs one statement, and returns how many rows it changed.
func (a *Accounts) change(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = a.db().Change(ctx, func(tx tables.Asker) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	return n, err
}

// mustChange changes an account that has to be there.
func (a *Accounts) mustChange(ctx context.Context, query string, args ...any) error {
	n, err := a.change(ctx, query, args...)
	if err == nil && n == 0 {
		return ErrUnknown
	}
	return err
}
