package people

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/keep/tables"
)

// Appeal is what the sender of a refused message asks its recipients.
type Appeal struct {
	Message    string   // the id of the kept message
	Sender     string   // of the envelope; "" for the null sender
	Client     string   // the network of the browser
	Recipients []string // who are asked
	Text       string
	Time       time.Time
}

// AppealLimits are how many appeals are taken in a day.
type AppealLimits struct {
	Client    int // from a network of browsers
	Sender    int // from an address
	Recipient int // to an address
	All       int // from all to all
}

// ErrLimit says that no more is taken today.
var ErrLimit = errors.New("too many have asked today")

// appealDay is the time for which appeals count against limits.
const appealDay = 24 * time.Hour

// Appeal asks those recipients of a message who have not been asked too often. It is taken
// once: the error is ErrAsked if the sender has asked for this message before, and ErrLimit if
// no recipient may be asked now.
func (s *Store) Appeal(ctx context.Context, a Appeal, limits AppealLimits) error {
	return s.db().Change(ctx, func(tx tables.Asker) error {
		if n, err := appeals(ctx, tx, "message = ?", a.Message, time.Time{}); err != nil || n > 0 {
			return errors.Join(err, asked(n))
		}
		since := a.Time.Add(-appealDay)
		for _, of := range []struct {
			where, value string
			most         int
		}{{"client = ?", a.Client, limits.Client}, {"who = ?", a.Sender, limits.Sender}, {"? = ''", "", limits.All}} {
			if n, err := appeals(ctx, tx, of.where, of.value, since); err != nil || n >= of.most {
				return errors.Join(err, ErrLimit)
			}
		}
		return a.ask(ctx, tx, limits.Recipient, since)
	})
}

// ask asks each recipient who is not asked too often.
func (a Appeal) ask(ctx context.Context, tx tables.Asker, most int, since time.Time) error {
	err := ErrLimit
	for _, to := range a.addresses() {
		n, failed := appeals(ctx, tx, "address = ?", to, since)
		if failed != nil {
			return failed
		}
		if n >= most {
			continue
		}
		r := Request{Kind: AppealRequest, Message: a.Message, Address: to, Who: a.Sender, Client: a.Client, Text: a.Text, Time: a.Time}
		if _, err = ask(ctx, tx, r); err != nil {
			return err
		}
	}
	return err
}

// addresses returns the recipients as they are found, each once.
func (a Appeal) addresses() (list []string) {
	for _, to := range a.Recipients {
		folded, err := Fold(to)
		if err != nil {
			folded = to
		}
		if !slices.Contains(list, folded) {
			list = append(list, folded)
		}
	}
	return list
}

// appeals counts the messages of appeals of which something is true.
func appeals(ctx context.Context, tx tables.Asker, where, value string, since time.Time) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(DISTINCT message) FROM request WHERE kind = 'appeal' AND time > ? AND `+where,
		max(0, since.Unix()), value).Scan(&n)
	return n, err
}

// asked returns ErrAsked where there is an appeal.
func asked(n int) error {
	if n > 0 {
		return ErrAsked
	}
	return nil
}

// Appealed reports whether the sender of a message has asked for it.
func (s *Store) Appealed(ctx context.Context, message string) (bool, error) {
	list, err := s.Requests(ctx, RequestFilter{Kind: AppealRequest, Message: message, Limit: 1})
	return len(list) > 0, err
}
