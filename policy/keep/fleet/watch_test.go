package fleet

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestReason: what is the matter is the same however it is said, and different where an administrator has to do something
// else.
func TestReason(t *testing.T) {
	of := func(code string) error {
		return fmt.Errorf("shared database: %w", &pgconn.PgError{Code: code, Message: time.Now().String()})
	}
	groups := [][]error{
		{nil}, {of("57P01"), of("53300"), of("08006"), errors.New("read tcp 127.0.0.1:5: i/o timeout"), os.ErrDeadlineExceeded},
		{of("28P01"), of("28000")}, {fmt.Errorf("%w: its timeline is 1", ErrOld), fmt.Errorf("x: %w", ErrOld)},
		{Layout{9, 9}.fits(1)}, {Layout{1, 1}.fits(2)}, {of("42501")},
	}
	seen := map[string]int{}
	for i, group := range groups {
		for _, err := range group {
			r := reason(err)
			if j, known := seen[r]; known && j != i {
				t.Errorf("%v is the same as %v", err, groups[j][0])
			}
			seen[r] = i
		}
	}
	if len(seen) != len(groups) {
		t.Errorf("%d kinds; want %d: %v", len(seen), len(groups), seen)
	}
}
