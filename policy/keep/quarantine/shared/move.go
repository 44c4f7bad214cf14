package shared

import (
	"context"
	"errors"
	"slices"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Moves counts what became of the messages of a directory.
type Moves struct {
	Taken  int // they are in the database now
	Known  int // they were there already
	Gone   int // they were there, and have been deleted there since
	Failed int // they stay where they are
	// Refused is the last message that the database did not take; "" if there was none.
	Refused string
}

// Done returns how many messages are not in the directory any more.
func (m Moves) Done() int { return m.Taken + m.Known + m.Gone }

// mostFailures is how many messages in a row the database may refuse before the others are left for later.
const mostFailures = 10

// MoveFrom moves the messages of a directory into the database, the oldest first, but those up to the message after,
// if it is there, last: so that ten that the database refuses do not hold up the newer ones for ever. tell is called
// with each, and with the error if it stays where it is. It ends early, with an error, if the database takes none.
func (s *Store) MoveFrom(ctx context.Context, from *quarantine.Dir, after string,
	tell func(id string, err error)) (m Moves, err error) {
	list, err := from.IDs()
	if err != nil {
		return m, err
	}
	return s.mover(from, tell).all(ctx, turned(list, after))
}

// MoveAll moves messages of a directory as MoveFrom does, but tries each once, however many the database refuses for
// what they are.
func (s *Store) MoveAll(ctx context.Context, from *quarantine.Dir, list []string,
	tell func(id string, err error)) (Moves, error) {
	m := s.mover(from, tell)
	m.lasting = postgres.Refused
	return m.all(ctx, list)
}

// mover moves messages one by one.
type mover struct {
	one   func(ctx context.Context, id string) (Taken, error)
	check func(context.Context) error // why the database can take none
	tell  func(id string, err error)
	// lasting reports whether the database refuses a message for what it is, which says nothing of the next one.
	lasting func(error) bool
}

func (s *Store) mover(from *quarantine.Dir, tell func(id string, err error)) mover {
	return mover{func(ctx context.Context, id string) (Taken, error) { return s.moveOne(ctx, from, id) }, s.Check, tell,
		func(error) bool { return false }}
}

// turned returns a list that begins with what comes after an entry, and ends with that entry.
func turned(list []string, after string) []string {
	i := slices.Index(list, after) + 1
	return slices.Concat(list[i:], list[:i])
}

// all moves the messages of a list.
func (r mover) all(ctx context.Context, list []string) (m Moves, err error) {
	refused := 0 // in a row
	for _, id := range list {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		taken, err := r.one(ctx, id)
		switch {
		case err == nil:
			m.count(taken)
			refused = 0
		case errors.Is(err, quarantine.ErrUnknown): // another process has moved it
			err = nil
		case !errors.Is(err, quarantine.ErrDamaged) && !errors.Is(err, ErrOther) && !r.lasting(err):
			m.Refused = id
			if refused++; refused >= mostFailures || r.check(ctx) != nil {
				return m, err
			}
		}
		if err != nil {
			m.Failed++
		}
		r.tell(id, err)
	}
	return m, nil
}

// moveOne moves one message.
func (s *Store) moveOne(ctx context.Context, from *quarantine.Dir, id string) (taken Taken, err error) {
	err = from.Move(ctx, id, "to the shared database", func(p quarantine.Parcel) (err error) {
		taken, err = s.Take(ctx, p)
		return err
	})
	return taken, err
}

func (m *Moves) count(t Taken) {
	switch t {
	case Fresh:
		m.Taken++
	case Known:
		m.Known++
	case Gone:
		m.Gone++
	}
}
