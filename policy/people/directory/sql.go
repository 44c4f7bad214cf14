package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/secret"
	"github.com/milterscan/milterscan/scan/units"
)

// SQL is the part of an entry of [[people.source]] for databases.
type SQL struct {
	// The queries, whose columns are called as the fields of a person:
	// ["SELECT email AS address, language FROM users"]. Rows of one address add up, also
	// those of several queries. They are read only.
	Queries []string `toml:"queries"`
}

// Login is the part of an entry of [[people.source]] for servers.
type Login struct {
	// Where the server is: "postgres://user@host/database?sslmode=verify-full" or
	// "ldaps://host".
	URL string `toml:"url"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// The file with the password, or "env:NAME" for a variable of the environment; ""
	// for none.
	PasswordFile secret.File `toml:"password_file"`
}

// mostOfQueries is how many queries a source may have.
const mostOfQueries = 100

// checkSQL returns the errors in a source that is a database.
func (s Source) checkSQL() error {
	var check units.Check
	check.If(len(s.Queries) == 0 || len(s.Queries) > mostOfQueries, "queries",
		"write 1 to %d, such as \"SELECT email AS address FROM users\"", mostOfQueries)
	for i, q := range s.Queries {
		check.If(strings.TrimSpace(q) == "", fmt.Sprintf("queries[%d]", i), "it is empty")
	}
	switch {
	case (s.File == "") == (s.URL == ""):
		check.Wrong("file", "name a database of SQLite in file, or one of PostgreSQL in url")
	case s.File != "":
		check.Absolute("file", s.File, "/var/lib/mail/users.db")
	default:
		check.Add(postgres.Server{URL: s.URL}.Check())
	}
	return check.Err()
}

// database is a source that is a database of SQLite or PostgreSQL.
type database struct{ Source }

// open returns the database.
func (d database) open() (*sql.DB, error) {
	if d.File != "" {
		return store.OpenForeign(d.File)
	}
	password, err := d.PasswordFile.Read()
	if err != nil {
		return nil, err
	}
	return postgres.Server{URL: d.URL, CAFile: d.CAFile}.Open(password)
}

// read asks all queries of one moment of the database.
func (d database) read(ctx context.Context, take taker) error {
	db, err := d.open()
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.isolation()})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i, q := range d.Queries {
		if err := d.query(ctx, tx, i, q, take); err != nil {
			return fmt.Errorf("query %d: %w", i+1, err)
		}
	}
	return nil
}

// isolation has several queries see the same moment. SQLite's transactions always do.
func (d database) isolation() sql.IsolationLevel {
	if d.File != "" {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// query passes on the rows of a query.
func (d database) query(ctx context.Context, tx *sql.Tx, i int, query string, take taker) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	columns, err := d.columns(names)
	if err != nil {
		return err
	}
	cells, into := make([]text, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &cells[i]
	}
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := columns.take(texts(cells), fmt.Sprintf("query %d, row %d", i+1, n), take); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// columns finds the columns of all fields. A query need not have all that fields names, as another may.
func (d database) columns(names []string) (columns, error) {
	t := table(d)
	t.Fields = map[string][]string{}
	for field := range d.Fields {
		for _, name := range d.namesOf(field) {
			for _, column := range names {
				if foldGroup(column) == foldGroup(name) {
					t.Fields[field] = append(t.Fields[field], column)
				}
			}
		}
	}
	if found, err := t.columns(names); err == nil {
		return found, nil
	}
	return nil, fmt.Errorf("it has no column of its own for addresses among %q; write one such as \"SELECT email AS address\"", names)
}

// text takes a value of any type as text.
type text string

// Scan implements sql.Scanner.
func (t *text) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*t = ""
	case []byte:
		*t = text(v)
	default:
		*t = text(fmt.Sprint(v))
	}
	return nil
}

func texts(list []text) []string {
	all := make([]string, len(list))
	for i, t := range list {
		all[i] = string(t)
	}
	return all
}
