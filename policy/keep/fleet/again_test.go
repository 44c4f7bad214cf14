package fleet

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestAgain: what others were in the way of is tried again, a few times; nothing else is, and nothing for who has gone.
func TestAgain(t *testing.T) {
	conflict, wrong := &pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "42601"}
	for name, test := range map[string]struct {
		errs []error // of one try after the other; the last is that of all further ones
		gone bool
		want error
		done int
	}{
		"nothing":               {[]error{nil}, false, nil, 1},
		"a conflict":            {[]error{conflict, nil}, false, nil, 2},
		"a deadlock":            {[]error{&pgconn.PgError{Code: "40P01"}, conflict, nil}, false, nil, 3},
		"conflicts for ever":    {[]error{conflict}, false, conflict, tries},
		"a wrong statement":     {[]error{wrong}, false, wrong, 1},
		"a conflict, then that": {[]error{conflict, wrong}, false, wrong, 2},
		"no row":                {[]error{sql.ErrNoRows}, false, sql.ErrNoRows, 1},
		"nobody waits any more": {[]error{conflict}, true, conflict, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := 0
				err := again(ctx, func() error {
					if done++; test.gone {
						cancel()
					}
					return test.errs[min(done, len(test.errs))-1]
				})
				if !errors.Is(err, test.want) || done != test.done {
					t.Errorf("%v after %d tries; want %v after %d", err, done, test.want, test.done)
				}
			})
		})
	}
}
