package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// The codes are those that every program of the kind makes without being told (RFC 6238):
// six digits, SHA-1, a new one each half minute. One of the half minute before and after is
// taken as well, for clocks that differ.
const (
	period     = 30
	skew       = 1
	secretSize = 20 // bytes
)

var codes = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// Recovery codes are given out once, and each works once.
const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits, which cannot be guessed: a plain hash is enough
)

var recoveryText = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// NewSecond returns the key of a second factor that is to be set up. It is kept by the caller
// until ConfirmSecond has seen a code of it.
func NewSecond(issuer, name string) (*otp.Key, error) {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	return KeyOf(issuer, name, secretText.EncodeToString(secret))
}

// KeyOf returns the key with a secret that NewSecond made.
func KeyOf(issuer, name, secret string) (*otp.Key, error) {
	raw, err := secretText.DecodeString(secret)
	if err != nil {
		return nil, err
	}
	return totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: name, Secret: raw, Period: period})
}

var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

// ConfirmSecond puts a second factor in force if a code is one of it, and ends all other sessions.
// It returns recovery codes, which are shown once. The error is ErrWrong for a wrong code.
func (a *Accounts) ConfirmSecond(ctx context.Context, id int64, secret, code string) ([]string, error) {
	step, ok := a.stepOf(secret, code)
	if secret == "" || !ok {
		return nil, ErrWrong
	}
	return a.newRecovery(ctx, id, func(tx tables.Asker) (sql.Result, error) {
		if err := endAll(ctx, tx, id); err != nil {
			return nil, err
		}
		return tx.ExecContext(ctx, `UPDATE account SET secret = ?, step = ?, epoch = epoch + 1 WHERE id = ? AND disabled = 0`, secret, step, id)
	})
}

// RenewRecovery replaces the recovery codes.
func (a *Accounts) RenewRecovery(ctx context.Context, id int64) ([]string, error) {
	return a.newRecovery(ctx, id, func(tx tables.Asker) (sql.Result, error) {
		return tx.ExecContext(ctx, `UPDATE account SET epoch = epoch WHERE id = ? AND secret <> ''`, id)
	})
}

// newRecovery replaces the recovery codes if change changed an account.
func (a *Accounts) newRecovery(ctx context.Context, id int64,
	change func(tables.Asker) (sql.Result, error)) ([]string, error) {
	list := make([]string, recoveryCodes)
	for i := range list {
		list[i] = newRecoveryCode()
	}
	err := a.db().Change(ctx, func(tx tables.Asker) error {
		done, err := change(tx)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); n == 0 {
			return fmt.Errorf("%w (%w)", ErrWrong, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery WHERE account = ?`, id); err != nil {
			return err
		}
		for _, code := range list {
			if _, err := tx.ExecContext(ctx, `INSERT INTO recovery (account, hash) VALUES (?, ?)`, id, recoveryHash(id, code)); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// newRecoveryCode makes a code such as "abcd-efgh-jkmn-pqrs".
func newRecoveryCode() string {
	random := make([]byte, recoveryBytes)
	rand.Read(random)
	text := recoveryText.EncodeToString(random)
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
}

// hashSize is how many bytes the hash of a recovery code has.
const hashSize = sha256.Size

// recoveryHash returns the stored form of a code of an account with a number.
func recoveryHash(id int64, code string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "recovery %d %s", id, code))
	return sum[:]
}

// RemoveSecond takes a second factor away, and ends all sessions.
func (a *Accounts) RemoveSecond(ctx context.Context, id int64) error {
	return a.db().Change(ctx, func(tx tables.Asker) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery WHERE account = ?`, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE account SET secret = '', epoch = epoch + 1 WHERE id = ?`, id)
		return errors.Join(err, endAll(ctx, tx, id))
	})
}

// CheckSecond takes a code of the second factor, or a recovery code. Each works once, also if it
// is sent several times at the same moment. The error is ErrWrong for one that does not.
func (a *Accounts) CheckSecond(ctx context.Context, id int64, code string) error {
	secret, err := a.secret(ctx, id)
	if err != nil {
		return err
	}
	var n int64
	if step, ok := a.stepOf(secret, code); ok && secret != "" {
		n, err = a.change(ctx, `UPDATE account SET step = ?1 WHERE id = ?2 AND step < ?1 AND secret = ?3 AND disabled = 0`, step, id, secret)
	} else if text := plainRecovery(code); text != "" {
		n, err = a.useRecovery(ctx, id, text)
	}
	if err == nil && n == 0 {
		return ErrWrong
	}
	return err
}

// useRecovery takes a recovery code, and returns 0 if there is none such. One that the account brought along from
// another place is hashed with the number that it had there.
func (a *Accounts) useRecovery(ctx context.Context, id int64, code string) (n int64, err error) {
	err = a.db().Change(ctx, func(tx tables.Asker) error {
		n = 0
		read := func(rows *sql.Rows) (hash []byte, err error) { return hash, rows.Scan(&hash) }
		list, err := tables.Rows(ctx, tx, read, `SELECT hash FROM recovery WHERE account = ?`, id)
		for _, stored := range list {
			want := recoveryHash(numberOf(stored, id), code)
			if subtle.ConstantTimeCompare(stored[:min(len(stored), hashSize)], want) == 0 {
				continue
			}
			done, err := tx.ExecContext(ctx, `DELETE FROM recovery WHERE account = ? AND hash = ?`, id, stored)
			if err != nil {
				return err
			}
			n, err = done.RowsAffected()
			return err
		}
		return err
	})
	return n, err
}

// plainRecovery returns a recovery code as it was made, whatever blanks and capitals a
// person has put into it, or "".
func plainRecovery(code string) string {
	code = strings.ToLower(strings.Join(strings.FieldsFunc(code, func(r rune) bool { return r == '-' || r == ' ' }), ""))
	if len(code) != recoveryText.EncodedLen(recoveryBytes) {
		return ""
	}
	return strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
}

// secret reads the secret of a second factor as it is kept; "" if there is none.
func (a *Accounts) secret(ctx context.Context, id int64) (secret string, err error) {
	err = a.db().Read(ctx, func(db tables.Asker) error {
		return db.QueryRowContext(ctx, `SELECT secret FROM account WHERE id = ?`, id).Scan(&secret)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrUnknown
	}
	return secret, err
}

// stepOf returns the half minute of a code that may be used now.
func (a *Accounts) stepOf(secret, code string) (step int64, ok bool) {
	code = strings.Join(strings.Fields(code), "")
	now := a.now().Unix() / period
	for at := now - skew; at <= now+skew; at++ {
		if match, err := hotp.ValidateCustom(code, uint64(at), secret, codes); err == nil && match && !ok {
			step, ok = at, true
		}
	}
	return step, ok
}
