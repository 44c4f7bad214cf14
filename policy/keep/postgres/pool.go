package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Pool says how a server is asked all the time: by a few connections that are kept, none of which waits for ever.
type Pool struct {
	Server
	// Password returns the password, and is asked for each connection: one that is changed in its file is used from then
	// on. nil: there is none.
	Password    func() (string, error)
	Connections int           // at the same time
	Connect     time.Duration // that a connection may take to each host of the URL
	Statement   time.Duration // that the server works at one statement; 0: as long as the caller waits
	// Timelines remembers which servers have been overtaken by others of their cluster, and are not used any more. nil: servers are not
	// compared.
	Timelines *Timelines
	// First returns the place of the server that is tried first, as Standing has it; "" for the first of the URL. nil: that as well.
	First func() string
}

// Times of connections.
const (
	idleTime = 5 * time.Minute  // until an unused one is closed
	lifeTime = 30 * time.Minute // until one is made again: its name may have another address by now
)

// keepAlive has a connection end whose other side has gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// Open returns a database that can be written to. Nothing is asked yet. The caller closes it. Of several hosts in the
// URL the first is taken that is no standby, unless the URL sets target_session_attrs, and that is no old primary.
func (p Pool) Open() (*sql.DB, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	c.ConnectTimeout = p.Connect
	c.DialFunc = (&net.Dialer{Timeout: p.Connect, KeepAliveConfig: keepAlive}).DialContext
	c.ValidateConnect = p.validated(!strings.Contains(p.URL, "target_session_attrs="), c.ValidateConnect)
	if p.Statement > 0 {
		c.RuntimeParams["statement_timeout"] = strconv.FormatInt(p.Statement.Milliseconds(), 10)
		c.RuntimeParams["idle_in_transaction_session_timeout"] = strconv.FormatInt(max(p.Statement, time.Minute).Milliseconds(), 10)
	}
	db := stdlib.OpenDB(*c, stdlib.OptionBeforeConnect(p.begin), stdlib.OptionResetSession(p.overtaken))
	db.SetMaxOpenConns(p.Connections)
	db.SetMaxIdleConns(p.Connections)
	db.SetConnMaxIdleTime(idleTime)
	db.SetConnMaxLifetime(lifeTime)
	return db, nil
}

// overtaken has a connection not be used again when its server has become an old primary.
func (p Pool) overtaken(_ context.Context, conn *pgx.Conn) error {
	if s, known := conn.PgConn().CustomData()[standingKey].(Standing); known && p.see(s) != nil {
		return driver.ErrBadConn
	}
	return nil
}

// begin gives a new connection the password of now, and the server that it tries first. Each server before that would take as long as a
// connection may take if it does not say a word, and mail has no more time than this.
func (p Pool) begin(ctx context.Context, c *pgx.ConnConfig) error {
	if p.First != nil {
		lead(c, p.First())
	}
	return p.identify(ctx, c)
}

// identify gives a new connection the password of now.
func (p Pool) identify(_ context.Context, c *pgx.ConnConfig) error {
	if p.Password == nil {
		return nil
	}
	password, err := p.Password()
	if err != nil {
		return fmt.Errorf("password_file: %w", err)
	}
	if password != "" {
		c.Password = password
	}
	return nil
}

// Place returns where the database is, without who asks: "db.example.com/mail".
func (s Server) Place() string {
	c, err := pgx.ParseConfig(s.URL)
	if err != nil {
		return "the database"
	}
	hosts := []string{c.Host}
	for _, f := range c.Fallbacks {
		if !slices.Contains(hosts, f.Host) {
			hosts = append(hosts, f.Host)
		}
	}
	return strings.Join(hosts, ",") + "/" + c.Database
}

// Codes of errors (PostgreSQL, appendix A).
const (
	NoTable      = "42P01"
	NoColumn     = "42703"
	NoFunction   = "42883"
	NoPartition  = "23514" // of a table for a row; also of a row that a condition forbids
	Locked       = "55P03" // for longer than lock_timeout
	unserialized = "40001"
	deadlock     = "40P01"
	readOnly     = "25006" // of what has become a standby
)

// awayClasses are those of errors of a server that can do nothing for anybody: of connections, of resources that are used
// up, of an operator, of its disk. The two of passwords and roles are such as well.
var awayClasses = []string{"08", "53", "57", "58", "28"}

// Described has a query within a transaction answered in the binary form of its types, at the price of asking for
// these first. It comes before the arguments.
const Described = pgx.QueryExecModeDescribeExec

// Code returns the code of an error, "" if it is none of the server's.
func Code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Again reports whether a transaction that failed so may succeed if it is begun again: others were at the same rows.
func Again(err error) bool {
	code := Code(err)
	return code == unserialized || code == deadlock
}

// Unknown reports whether a server does not know who asks: by the role, or by the password.
func Unknown(err error) bool { return strings.HasPrefix(Code(err), "28") }

// Away reports whether an error is none of the statement's: nothing else would have been answered either.
func Away(err error) bool {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, sql.ErrTxDone) {
		return false
	}
	code := Code(err)
	if code == "" || connecting(err) {
		return true
	}
	return code == readOnly || slices.Contains(awayClasses, code[:2])
}

// Refused reports whether an error is one of the values of a statement, which would not be taken another time either.
func Refused(err error) bool {
	code := Code(err)
	return len(code) == 5 && slices.Contains(refusedClasses, code[:2])
}

// refusedClasses are those of errors in values: of data, of what a column may hold, and of limits of the server.
var refusedClasses = []string{"22", "23", "54"}

// Broke reports whether a connection that was good has ended in the middle: another one may do.
func Broke(err error) bool {
	if !Away(err) || connecting(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	return Code(err) == "" || strings.HasPrefix(Code(err), "57P") || Code(err) == readOnly
}

// connecting reports whether an error is one of beginning a connection.
func connecting(err error) bool {
	var e *pgconn.ConnectError
	return errors.As(err, &e)
}
