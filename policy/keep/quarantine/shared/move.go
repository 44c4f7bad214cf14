package shared

import (
	"context"
	"errors"
	"slices"

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
// with the error of each that stays where it is. It ends early, with an error, if the database takes none.
func (s *Store) MoveFrom(ctx context.Context, from *quarantine.Dir, after string,
	tell func(id string, err error)) (m Moves, err error) {
	list, err := from.IDs()
	if err != nil {
		return m, err
	}
	one := func(id string) (Taken, error) { return s.moveOne(ctx, from, id) }
	return moveAll(ctx, turned(list, after), one, s.Check, tell)
}

// turned returns a list that begins with what comes after an entry, and ends with that entry.
func turned(list []string, after string) []string {
	i := slices.Index(list, after) + 1
	return slices.Concat(list[i:], list[:i])
}

// moveAll moves messages one by one. check says why the database can take none.
func moveAll(ctx context.Context, list []string, one func(id string) (Taken, error), check func(context.Context) error,
	tell func(id string, err error)) (m Moves, err error) {
	refused := 0 // in a row
	for _, id := range list {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		taken, err := one(id)
		switch {
		case err == nil:
			m.count(taken)
			refused = 0
			continue
		case errors.Is(err, quarantine.ErrUnknown): // another process has moved it
			continue
		case !errors.Is(err, quarantine.ErrDamaged) && !errors.Is(err, ErrOther):
			m.Refused = id
			if refused++; refused >= mostFailures || check(ctx) != nil {
				return m, err
			}
		}
		m.Failed++
		tell(id, err)
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
