package people

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// digestSchema has one row for each person that was ever sent a digest. due is the time of
// the last one that is over and done with, until up to where the mail is that was listed. claim is the
// time of the one that is being sent since claimed. rounds has up to when no person waits for one. Times are
// in milliseconds since 1970.
const digestSchema = `
CREATE TABLE IF NOT EXISTS digest (
	person TEXT PRIMARY KEY, address TEXT NOT NULL, due INTEGER NOT NULL DEFAULT 0, until INTEGER NOT NULL DEFAULT 0,
	claim INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
	refused INTEGER NOT NULL DEFAULT 0, bounced INTEGER NOT NULL DEFAULT 0, trouble TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS digest_sent ON digest (sent);
CREATE TABLE IF NOT EXISTS rounds (one INTEGER PRIMARY KEY CHECK (one = 1), until INTEGER NOT NULL);
`

// Digest is how far the digests of a person are.
type Digest struct {
	Person  string    `json:"person"`  // the id of the directory, or the address
	Address string    `json:"address"` // that they go to
	Due     time.Time `json:"due"`     // of the last one that is done, sent or not
	Until   time.Time `json:"until"`   // mail that was kept up to then was listed
	Claimed time.Time `json:"claimed"` // since then one is being sent; the zero time if none is
	Sent    time.Time `json:"sent"`    // of the last one that the MTA took; the zero time if it took none
	Message string    `json:"message"` // its Message-ID, until it is known what became of it
	Refused int       `json:"refused"` // how often in a row the MTA refused one for good
	Bounced int       `json:"bounced"` // how often in a row one was given up later
	Trouble string    `json:"trouble,omitempty"`
}

// Fails returns how often in a row digests did not arrive.
func (d Digest) Fails() int { return max(d.Refused, d.Bounced) }

// digestColumns are read by readDigest.
const digestColumns = `person, address, due, until, claimed, sent, message, refused, bounced, trouble`

func readDigest(rows *sql.Rows) (d Digest, err error) {
	var due, until, claimed, sent int64
	err = rows.Scan(&d.Person, &d.Address, &due, &until, &claimed, &sent, &d.Message, &d.Refused, &d.Bounced, &d.Trouble)
	d.Due, d.Until, d.Claimed, d.Sent = moment(due), moment(until), moment(claimed), moment(sent)
	return d, err
}

// moment returns the time that is kept as a number; 0 is none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Digests returns the rows of all persons.
func (s *Store) Digests(ctx context.Context) ([]Digest, error) {
	return s.digests(ctx, `SELECT `+digestColumns+` FROM digest ORDER BY person`)
}

// FailedDigests returns the persons whose digests did not arrive at least so many times in a row.
func (s *Store) FailedDigests(ctx context.Context, times int) ([]Digest, error) {
	return s.digests(ctx, `SELECT `+digestColumns+` FROM digest WHERE refused >= ?1 OR bounced >= ?1 ORDER BY person`, times)
}

// SentDigests returns the persons whose last digest was taken by the MTA since a time, and of whose it is not
// known what became.
func (s *Store) SentDigests(ctx context.Context, since time.Time) ([]Digest, error) {
	return s.digests(ctx, `SELECT `+digestColumns+` FROM digest WHERE sent >= ? AND message <> '' ORDER BY sent`, since.UnixMilli())
}

func (s *Store) digests(ctx context.Context, query string, args ...any) (list []Digest, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		list, err = tables.Rows(ctx, db, readDigest, query, args...)
		return err
	})
	return list, err
}

// staleClaim is how long a claim holds: longer than it takes to hand a mail to the MTA. A process that
// has ended does not send what it has claimed.
const staleClaim = 15 * time.Minute

// ClaimDigest says that the caller sends a person the digest of a time, with mail since another. Of all that
// ask, at any host, it is true for one, until that one says what came of it.
func (s *Store) ClaimDigest(ctx context.Context, person, to string, since, due, now time.Time) (mine bool, err error) {
	err = s.db().Change(ctx, func(tx tables.Asker) error {
		now, err := s.db().Now(ctx, tx, now)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO digest (person, address, claim, claimed, until) VALUES (?1, ?2, ?3, ?4, ?6)
			ON CONFLICT (person) DO UPDATE SET address = ?2, claim = ?3, claimed = ?4 WHERE digest.due < ?3 AND digest.claimed < ?5`,
			person, to, due.UnixMilli(), now.UnixMilli(), now.Add(-staleClaim).UnixMilli(), since.UnixMilli())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n > 0
		return err
	})
	return mine && err == nil, err
}

// DigestTaken says that the MTA has the digest that was claimed. until is up to where its mail is.
func (s *Store) DigestTaken(ctx context.Context, person, message string, until, now time.Time) error {
	return s.changeDigest(ctx, `UPDATE digest SET due = max(due, claim), claimed = 0, until = max(until, ?2), sent = ?3, message = ?4,
		refused = 0, trouble = CASE bounced WHEN 0 THEN '' ELSE trouble END WHERE person = ?1`,
		person, until.UnixMilli(), now.UnixMilli(), message)
}

// DigestUnsure says that the MTA may have the digest that was claimed. It is not sent again; what it
// lists is listed by the next one.
func (s *Store) DigestUnsure(ctx context.Context, person, why string) error {
	return s.changeDigest(ctx, `UPDATE digest SET due = max(due, claim), claimed = 0, trouble = ?2 WHERE person = ?1`, person, why)
}

// DigestRefused says that the MTA refused the digest that was claimed for good. What it lists is listed by
// the next one.
func (s *Store) DigestRefused(ctx context.Context, person, why string) error {
	return s.changeDigest(ctx, `UPDATE digest SET due = max(due, claim), claimed = 0, refused = refused + 1, trouble = ?2 WHERE person = ?1`,
		person, why)
}

// DigestPutOff gives up a claim: the digest is to be sent later.
func (s *Store) DigestPutOff(ctx context.Context, person, why string) error {
	return s.changeDigest(ctx, `UPDATE digest SET claimed = 0, trouble = ?2 WHERE person = ?1`, person, why)
}

// DigestArrived says that the last digest of a person, with a Message-ID, has arrived.
func (s *Store) DigestArrived(ctx context.Context, person, message string) error {
	return s.changeDigest(ctx, `UPDATE digest SET message = '', bounced = 0, trouble = '' WHERE person = ?1 AND message = ?2`, person, message)
}

// DigestBounced says that the last digest of a person, with a Message-ID, was given up.
func (s *Store) DigestBounced(ctx context.Context, person, message, why string) error {
	return s.changeDigest(ctx, `UPDATE digest SET message = '', bounced = bounced + 1, trouble = ?3 WHERE person = ?1 AND message = ?2`,
		person, message, why)
}

// ResumeDigests forgets that digests to an address, or to a person, did not arrive. The error is ErrUnknown if there
// were none.
func (s *Store) ResumeDigests(ctx context.Context, who string) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		done, err := tx.ExecContext(ctx, `UPDATE digest SET refused = 0, bounced = 0, trouble = '' WHERE person = ?1 OR address = ?1`, who)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknown)
		}
		return nil
	})
}

func (s *Store) changeDigest(ctx context.Context, query string, args ...any) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// digestsAtOnce is how many rows are changed in one transaction: others wait for it.
const digestsAtOnce = 500

// DigestsEmpty says that there was nothing new for some persons up to the time of their digests.
func (s *Store) DigestsEmpty(ctx context.Context, due map[string]time.Time) error {
	list := make([]string, 0, len(due))
	for person := range due {
		list = append(list, person)
	}
	for len(list) > 0 {
		n := min(digestsAtOnce, len(list))
		if err := s.db().Change(ctx, func(tx tables.Asker) error {
			for _, person := range list[:n] {
				if _, err := tx.ExecContext(ctx, `UPDATE digest SET due = ?2, until = max(until, ?2) WHERE person = ?1 AND due < ?2 AND claimed = 0`,
					person, due[person].UnixMilli()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// DigestRound returns up to when no digest is left to be sent; the zero time if there was never a round.
func (s *Store) DigestRound(ctx context.Context) (until time.Time, err error) {
	err = s.db().Read(ctx, func(db tables.Asker) error {
		var ms int64
		err := db.QueryRowContext(ctx, `SELECT until FROM rounds`).Scan(&ms)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		until = moment(ms)
		return err
	})
	return until, err
}

// EndDigestRound says that no digest is left to be sent up to a time.
func (s *Store) EndDigestRound(ctx context.Context, until time.Time) error {
	return s.changeDigest(ctx,
		`INSERT INTO rounds (one, until) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET until = max(rounds.until, ?1)`,
		until.UnixMilli())
}

// ExpireDigests forgets persons who have got no digest since a time, and returns how many. Those whose digests did
// not arrive are remembered.
func (s *Store) ExpireDigests(ctx context.Context, before time.Time) (int, error) {
	return s.db().Remove(ctx, `DELETE FROM digest WHERE person IN (SELECT person FROM digest
		WHERE sent < ? AND claimed = 0 AND refused = 0 AND bounced = 0 LIMIT ?)`, before.UnixMilli())
}
