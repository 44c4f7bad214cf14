package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/milterscan/milterscan/policy/keep/find"
)

// historyVersion is the version of the schema of the history. The first one had none.
const historyVersion = 2

// ErrNewer says that a database was written by a newer milterscan.
var ErrNewer = errors.New("it was written by a newer milterscan: start that one, or name another file")

// queue and mid are hashes of the queue id and the Message-ID: their values may
// be long, and most will never be looked for. The counts are added up by hour
// when records are written, so a report need not read them.
const historySchema = `
CREATE TABLE IF NOT EXISTS message (
	id TEXT NOT NULL, time INTEGER NOT NULL, queue INTEGER, mid INTEGER,
	action TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL, record TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS message_id ON message (id);
CREATE INDEX IF NOT EXISTS message_time ON message (time);
CREATE INDEX IF NOT EXISTS message_queue ON message (queue) WHERE queue IS NOT NULL;
CREATE INDEX IF NOT EXISTS message_mid ON message (mid) WHERE mid IS NOT NULL;
CREATE TABLE IF NOT EXISTS count (
	hour INTEGER NOT NULL, what TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL,
	PRIMARY KEY (hour, what, value)) WITHOUT ROWID;
`

// The second version has blocks, see find.Block. Keys of records are given out by extent,
// so that none is ever given out twice: blocks name records by them. Records with a key from
// low to below high are in blocks; those below low were there before, and come into blocks
// little by little. merged is the level of a block: a version that knows none but 0 and 1 takes a huge block for damaged, and reads its
// records instead. The trigger stops daemons of the first version, which would give out keys
// by themselves: they do not name the column version.
const historySecond = `
ALTER TABLE message ADD COLUMN version INTEGER;
CREATE TRIGGER message_version BEFORE INSERT ON message WHEN NEW.version IS NULL BEGIN
	SELECT RAISE(ABORT, 'this history is of a newer milterscan, which alone may write it: update this one, or name another history.file');
END;
CREATE TABLE block (
	first INTEGER PRIMARY KEY, last INTEGER NOT NULL, rows INTEGER NOT NULL, merged INTEGER NOT NULL,
	newest INTEGER NOT NULL, newest_key INTEGER NOT NULL, oldest INTEGER NOT NULL, oldest_key INTEGER NOT NULL);
CREATE TABLE part (block INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX part_of_block ON part (block, part);
CREATE TABLE extent (low INTEGER NOT NULL, high INTEGER NOT NULL, next INTEGER NOT NULL);
INSERT INTO extent SELECT n, n, n FROM (SELECT coalesce(max(rowid), 0) + 1 AS n FROM message);
`

// prepareHistory makes what a new history needs, and refuses one that is newer than this
// version. One of the first version is left as it is until it is written: a daemon of that
// version may still be at work on it.
func prepareHistory(ctx context.Context, db *sql.DB) error {
	version, err := versionOf(ctx, db)
	if err != nil || version > 0 {
		return errors.Join(err, known(version))
	}
	var tables int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'message'`).Scan(&tables); err != nil || tables > 0 {
		return err
	}
	return inTransaction(ctx, db, func(tx *sql.Tx) error { return upgradeHistory(ctx, tx) })
}

// known returns an error if a version of the schema is newer than ours.
func known(version int) error {
	if version > historyVersion {
		return fmt.Errorf("%w (its schema is %d, the newest known here is %d)", ErrNewer, version, historyVersion)
	}
	return nil
}

// upgradeHistory brings a history to the schema of this version, unless it is there. That
// takes no longer for a large one: nothing is rewritten.
func upgradeHistory(ctx context.Context, tx *sql.Tx) error {
	version, err := versionOf(ctx, tx)
	if err != nil || version > 0 {
		return errors.Join(err, known(version))
	}
	_, err = tx.ExecContext(ctx, historySchema+historySecond+fmt.Sprintf(`PRAGMA user_version = %d`, historyVersion))
	return err
}

// asker is a database or a transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func versionOf(ctx context.Context, db asker) (n int, err error) {
	err = db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&n)
	return n, err
}

// extentOf returns the extent of a history. In one of the first version no record is in a
// block.
func extentOf(ctx context.Context, db asker) (e find.Extent, err error) {
	version, err := versionOf(ctx, db)
	if err != nil || version == 0 {
		return find.Extent{Low: math.MaxInt64, High: math.MaxInt64, Next: math.MaxInt64}, err
	}
	err = db.QueryRowContext(ctx, `SELECT low, high, next FROM extent`).Scan(&e.Low, &e.High, &e.Next)
	return e, err
}
