package quarantine

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// minShort is how many letters of an id name a message: fewer are likely to be those of
// another one tomorrow.
const minShort = 6

// maxNamed is how many messages an error names.
const maxNamed = 5

// Resolve returns the id of the message that is named: by its id, by the beginning of
// it, by the MTA's queue id, or by its Message-ID. It is an error if several are, and
// ErrUnknown if none is.
func Resolve(ctx context.Context, s Store, name string) (string, error) {
	if ValidID(name) {
		if _, err := s.Entry(ctx, name); !errors.Is(err, ErrUnknown) {
			return name, err
		}
	}
	name = strings.Trim(strings.TrimSpace(name), "<>")
	if name == "" {
		return "", ErrUnknown
	}
	found, err := s.Find(ctx, Filter{Name: name})
	if err != nil {
		return "", err
	}
	switch len(found) {
	case 0:
		return "", ErrUnknown
	case 1:
		return found[0].ID, nil
	}
	var ids []string
	for _, r := range found[:min(len(found), maxNamed)] {
		ids = append(ids, r.ID)
	}
	return "", fmt.Errorf("%d messages go by this name: name one by its id, such as %s", len(found), strings.Join(ids, ", "))
}

// named reports whether a name is one of the row's.
func (r Row) named(name string) bool {
	return r.ID == name || r.QueueID == name || r.MessageID == name || len(name) >= minShort && strings.HasPrefix(r.ID, name)
}
