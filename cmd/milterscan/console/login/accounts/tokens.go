package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Token is a key for programs, which act for a person. It may do what it is for, as long as
// the person may.
type Token struct {
	Name    string        `json:"name"`
	Rights  []login.Right `json:"rights"`
	Created time.Time     `json:"created"`
	Expires time.Time     `json:"expires,omitzero"` // zero: never
	Used    time.Time     `json:"used,omitzero"`
}

// tokenPrefix lets scanners for secrets know a token.
const tokenPrefix = "milterscan_"

// AddToken makes a token of an account, and returns its text, which is not kept. The account's
// role must have every right of it. The error is ErrTaken if the account has one of that name.
func (a *Accounts) AddToken(ctx context.Context, account Account, t Token) (text string, err error) {
	if t.Name == "" || len(t.Name) > mostOfName || len(t.Rights) == 0 {
		return "", errors.New("a token has a name, and what it is for")
	}
	for _, r := range t.Rights {
		if !account.Role.Has(r) {
			return "", fmt.Errorf("the account itself may not %q", r)
		}
	}
	rights, err := json.Marshal(t.Rights)
	if err != nil {
		return "", err
	}
	text = tokenPrefix + strings.ToLower(rand.Text()+rand.Text())
	n, err := a.change(ctx, `INSERT INTO token (hash, account, name, rights, created, expires) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		tokenHash(text), account.ID, t.Name, string(rights), a.now().Unix(), unix(t.Expires))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

func tokenHash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Bearer returns the person a token acts for, with the rights of the token only. The error is
// ErrWrong for a token that is not there, has expired, or whose account is disabled.
func (a *Accounts) Bearer(ctx context.Context, text string) (login.Person, error) {
	if !strings.HasPrefix(text, tokenPrefix) || len(text) > mostOfField {
		return login.Person{}, ErrWrong
	}
	var id, expires, used int64
	var rights string
	err := a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT account, rights, expires, used FROM token WHERE hash = ?`, tokenHash(text)).
			Scan(&id, &rights, &expires, &used)
	})
	now := a.now()
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && expires > 0 && now.Unix() >= expires:
		return login.Person{}, ErrWrong
	case err != nil:
		return login.Person{}, err
	}
	account, err := a.ByID(ctx, id)
	if errors.Is(err, ErrUnknown) || err == nil && (account.Disabled || !account.Role.Has(login.UseAPI)) {
		return login.Person{}, ErrWrong
	}
	p := account.Person()
	p.Token = true
	err = errors.Join(err, json.Unmarshal([]byte(rights), &p.Only))
	if err == nil && now.Unix()-used >= 60 {
		_, err = a.change(ctx, `UPDATE token SET used = ? WHERE hash = ?`, now.Unix(), tokenHash(text))
	}
	if err != nil {
		return login.Person{}, err
	}
	return p, nil
}

// Tokens returns the tokens of an account by name.
func (a *Accounts) Tokens(ctx context.Context, account int64) (list []Token, err error) {
	err = a.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, readToken,
			`SELECT name, rights, created, expires, used FROM token WHERE account = ? ORDER BY name`, account)
		return err
	})
	return slices.Clip(list), err
}

func readToken(rows *sql.Rows) (t Token, err error) {
	var rights string
	var created, expires, used int64
	if err := rows.Scan(&t.Name, &rights, &created, &expires, &used); err != nil {
		return t, err
	}
	t.Created, t.Expires, t.Used = moment(created), moment(expires), moment(used)
	return t, json.Unmarshal([]byte(rights), &t.Rights)
}

// RemoveToken ends a token of an account.
func (a *Accounts) RemoveToken(ctx context.Context, account int64, name string) error {
	return a.mustChange(ctx, `DELETE FROM token WHERE account = ? AND name = ?`, account, name)
}

// unix returns a time in seconds; 0 for no time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// moment returns the time that unix has made a number of.
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
