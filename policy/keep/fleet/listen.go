package fleet

import (
	"context"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// Listen calls heard for each word on a channel, and once when it has begun to listen, over a separate connection. It
// returns when ctx is done, or when the connection has ended: words that are said then are not heard, so that callers
// look by themselves as well. Through a pooler of connections nothing is heard at all.
func (s *State) Listen(ctx context.Context, channel string, heard func()) error {
	if err := s.Ready(); err != nil {
		return s.named(err)
	}
	db, err := s.pool(1, 0).Open()
	if err != nil {
		return s.named(err)
	}
	defer db.Close()
	return s.named(postgres.Listen(ctx, db, channel, heard))
}
