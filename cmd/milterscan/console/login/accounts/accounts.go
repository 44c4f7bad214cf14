// Package accounts keeps what the console knows of persons: who may log in and how, second factors,
// sessions, tokens, and the log of what persons looked at and did. It is in one file of a host, or in a
// database that hosts share, and can be used by daemons and by commands at the same time.
package accounts

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Accounts are the accounts in one place. It may be used by several goroutines at once.
type Accounts struct {
	file   atomic.Pointer[place]
	hasher *hasher
	now    func() time.Time
}

// schema makes the tables. All that was committed is on the disk: an account that was disabled
// must not be back after the power was cut, nor a code be good once more. Numbers of accounts
// are never given twice. A row of the audit log cannot be changed, and goes only when it is
// older than the log is kept.
const schema = `
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS account (
	id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL UNIQUE,
	role TEXT NOT NULL, domains TEXT NOT NULL, classes TEXT NOT NULL, language TEXT NOT NULL DEFAULT '',
	password TEXT NOT NULL DEFAULT '', disabled INTEGER NOT NULL DEFAULT 0, wants_second INTEGER NOT NULL DEFAULT 0,
	secret TEXT NOT NULL DEFAULT '', step INTEGER NOT NULL DEFAULT 0,
	epoch INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
	UNIQUE (source, subject));
CREATE TABLE IF NOT EXISTS recovery (account INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (account, hash)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
	key TEXT PRIMARY KEY, account INTEGER NOT NULL, handle TEXT NOT NULL, data BLOB NOT NULL, client TEXT NOT NULL,
	agent TEXT NOT NULL, begun INTEGER NOT NULL, seen INTEGER NOT NULL, expires INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0)
	WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_account ON session (account);
CREATE INDEX IF NOT EXISTS session_expires ON session (expires);
CREATE TABLE IF NOT EXISTS token (
	hash BLOB PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL, rights TEXT NOT NULL,
	created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, UNIQUE (account, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, person TEXT NOT NULL, role TEXT NOT NULL, client TEXT NOT NULL,
	act TEXT NOT NULL, object TEXT NOT NULL, outcome TEXT NOT NULL, stranger INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS audit_time ON audit (stranger, time);
CREATE INDEX IF NOT EXISTS audit_order ON audit (time, id);
CREATE INDEX IF NOT EXISTS audit_person ON audit (person);
CREATE INDEX IF NOT EXISTS audit_object ON audit (object);
CREATE TABLE IF NOT EXISTS kept (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, strangers INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS moved (
	place TEXT NOT NULL, what TEXT NOT NULL, last INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (place, what)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER IF NOT EXISTS audit_once BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
	BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER IF NOT EXISTS audit_kept BEFORE DELETE ON audit
	WHEN NOT EXISTS (SELECT 1 FROM kept WHERE OLD.time < CASE OLD.stranger WHEN 0 THEN since ELSE strangers END)
	BEGIN SELECT RAISE(ABORT, 'the audit log is kept'); END;
`

// lock is the number of the lock of who changes what hosts share.
const lock = 0x6d73616363747321

// New returns the accounts in a file, which is made when it is first used.
func New(path string) *Accounts {
	a := &Accounts{hasher: newHasher(), now: time.Now}
	a.file.Store(&place{path, tables.File(path, schema)})
	return a
}

// Of returns the accounts in a database that hosts share, or, if they share none, in a file.
func Of(file string, state tables.State) *Accounts {
	if state == nil {
		return New(file)
	}
	a := &Accounts{hasher: newHasher(), now: time.Now}
	a.file.Store(&place{db: tables.Shared(state, lock)})
	return a
}

// place is tables with the path of their file, "" for those that hosts share.
type place struct {
	path string
	db   tables.Database
}

// db returns the tables that are in use.
func (a *Accounts) db() tables.Database { return a.file.Load().db }

// Shared reports whether hosts share the accounts.
func (a *Accounts) Shared() bool { return a.file.Load().path == "" }

// Place says where the accounts are: the path of their file, or the name of the database.
func (a *Accounts) Place() string { return a.db().Place() }

// Use goes on with the accounts in another file, if they are in a file and it is another.
func (a *Accounts) Use(path string) error {
	old := a.file.Load()
	if old.path == path || old.path == "" {
		return nil
	}
	a.file.Store(&place{path, tables.File(path, schema)})
	return old.db.Close()
}

// Close closes the file. It is opened again if it is used again.
func (a *Accounts) Close() error { return a.db().Close() }

// Errors that a caller may want to tell apart. The person who logs in is
// told the same for ErrWrong whatever was wrong.
var (
	ErrWrong   = errors.New("the name, the password or the code is wrong, or the account is disabled")
	ErrBusy    = errors.New("too many log in at this moment: try again in a minute")
	ErrUnknown = errors.New("there is no such account")
	ErrTaken   = errors.New("there is an account of that name")
)
