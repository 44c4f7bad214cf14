package people

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// requestSchema is for what people ask of others: one row for each message and recipient, and
// one answer for each row.
const requestSchema = `
CREATE TABLE IF NOT EXISTS request (
	id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, message TEXT NOT NULL, address TEXT NOT NULL, domain TEXT NOT NULL,
	who TEXT NOT NULL, client TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL, state TEXT NOT NULL,
	by TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '', answered INTEGER NOT NULL DEFAULT 0,
	UNIQUE (kind, message, address));
CREATE INDEX IF NOT EXISTS request_state ON request (state, time);
CREATE INDEX IF NOT EXISTS request_address ON request (address, time);
CREATE INDEX IF NOT EXISTS request_time ON request (kind, time);
`

// RequestKind says who asks for what.
type RequestKind string

// The kinds of requests.
const (
	ReleaseRequest RequestKind = "release" // a recipient asks the help desk for a kept message
	AppealRequest  RequestKind = "appeal"  // the sender of a refused message asks its recipient for it
)

// RequestState is what became of a request.
type RequestState string

// The states of requests.
const (
	RequestOpen    RequestState = "open"
	RequestGranted RequestState = "granted"
	RequestRefused RequestState = "refused"
)

// Request is something that a person asks of another.
type Request struct {
	ID       int64        `json:"id"`
	Kind     RequestKind  `json:"kind"`
	Message  string       `json:"message"` // the id of the kept message
	Address  string       `json:"address"` // the recipient whose copy it is about, folded
	Who      string       `json:"who"`     // who asks: a person's name, or the envelope sender of an appeal
	Client   string       `json:"-"`       // the network of the browser of an appeal
	Text     string       `json:"text"`    // the reason, as it was written
	Time     time.Time    `json:"time"`
	State    RequestState `json:"state"`
	By       string       `json:"by,omitempty"`     // who has answered
	Answer   string       `json:"answer,omitempty"` // what was said
	Answered time.Time    `json:"answered,omitzero"`
}

// Reasons why a request is not taken, or not answered.
var (
	ErrAsked    = errors.New("this was asked before")
	ErrAnswered = errors.New("this was answered before")
)

// Ask keeps a request, and returns its number. The error is ErrAsked where the same was asked
// before, whatever became of it.
func (s *Store) Ask(ctx context.Context, r Request) (id int64, err error) {
	err = s.db().Change(ctx, func(tx tables.Asker) error {
		id, err = ask(ctx, tx, r)
		return err
	})
	return id, err
}

func ask(ctx context.Context, tx tables.Asker, r Request) (int64, error) {
	_, domain, _ := strings.Cut(r.Address[max(0, strings.LastIndexByte(r.Address, '@')):], "@")
	var id int64
	err := tx.QueryRowContext(ctx, `INSERT INTO request (kind, message, address, domain, who, client, text, time, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`, string(r.Kind), r.Message, r.Address, domain, r.Who, r.Client,
		r.Text, r.Time.Unix(), string(RequestOpen)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrAsked
	}
	return id, err
}

// Answer grants or refuses an open request, in the name of a person. Of several who answer at
// once the first one does; the others hear ErrAnswered.
func (s *Store) Answer(ctx context.Context, id int64, state RequestState, by, answer string) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		done, err := tx.ExecContext(ctx, `UPDATE request SET state = ?, by = ?, answer = ?, answered = ? WHERE id = ? AND state = 'open'`,
			string(state), by, answer, time.Now().Unix(), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		var there int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM request WHERE id = ?`, id).Scan(&there); err != nil {
			return err
		}
		if there == 0 {
			return ErrUnknown
		}
		return ErrAnswered
	})
}

// Reopen makes a request open again that a person has granted, and that could not be done.
func (s *Store) Reopen(ctx context.Context, id int64, by string) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		_, err := tx.ExecContext(ctx, `UPDATE request SET state = ?, by = '', answer = '', answered = 0 WHERE id = ? AND state = ? AND by = ?`,
			string(RequestOpen), id, string(RequestGranted), by)
		return err
	})
}

// RequestFilter says which requests to list. Zero fields let everything through.
type RequestFilter struct {
	ID        int64
	Kind      RequestKind
	Message   string
	State     RequestState
	Addresses []string // folded: those of one of them
	Domains   []string // folded: those for one of them; ".example.com" for all subdomains
	Below     int64    // those with a lower number, to go on with a list
	Limit     int      // at most so many; 0 for 100
}

// mostRequests is how many requests are listed at a time.
const mostRequests = 100

// Requests lists what was asked, newest first.
func (s *Store) Requests(ctx context.Context, f RequestFilter) (list []Request, err error) {
	where, args := f.where()
	limit := f.Limit
	if limit <= 0 {
		limit = mostRequests
	}
	err = s.db().Read(ctx, func(db tables.Asker) (err error) {
		list, err = tables.Rows(ctx, db, readRequest,
			`SELECT id, kind, message, address, who, client, text, time, state, by, answer, answered
			FROM request WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
		return err
	})
	return list, err
}

// where returns the filter as a condition, with its arguments.
func (f RequestFilter) where() (string, []any) {
	all, args := []string{"1=1"}, []any{}
	add := func(set bool, condition string, values ...any) {
		if set {
			all, args = append(all, condition), append(args, values...)
		}
	}
	add(f.ID != 0, "id = ?", f.ID)
	add(f.Kind != "", "kind = ?", string(f.Kind))
	add(f.Message != "", "message = ?", f.Message)
	add(f.State != "", "state = ?", string(f.State))
	add(f.Below != 0, "id < ?", f.Below)
	if f.Addresses != nil {
		add(true, "address IN ("+marks(len(f.Addresses))+")", anys(f.Addresses)...)
	}
	if f.Domains != nil {
		either := []string{"0=1"}
		var values []any
		for _, d := range f.Domains {
			if strings.HasPrefix(d, ".") {
				either, values = append(either, below), append(values, ending(d))
			} else {
				either, values = append(either, "domain = ?"), append(values, d)
			}
		}
		add(true, "("+strings.Join(either, " OR ")+")", values...)
	}
	return strings.Join(all, " AND "), args
}

// marks returns the placeholders of a list; one that nothing equals where it is empty.
func marks(n int) string {
	if n == 0 {
		return "NULL"
	}
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

func readRequest(rows *sql.Rows) (r Request, err error) {
	var asked, answered int64
	err = rows.Scan(&r.ID, &r.Kind, &r.Message, &r.Address, &r.Who, &r.Client, &r.Text, &asked, &r.State, &r.By, &r.Answer, &answered)
	r.Time = time.Unix(asked, 0).UTC()
	if answered > 0 {
		r.Answered = time.Unix(answered, 0).UTC()
	}
	return r, err
}

// ForgetRequests removes what was asked before a time, and returns how much that was.
func (s *Store) ForgetRequests(ctx context.Context, before time.Time) (int, error) {
	return s.db().Remove(ctx, `DELETE FROM request WHERE id IN (SELECT id FROM request WHERE time < ? LIMIT ?)`, before.Unix())
}
