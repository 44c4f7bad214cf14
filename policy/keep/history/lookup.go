package history

import (
	"context"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

const (
	minShort = 6  // letters of an id that name a message
	maxShort = 10 // messages that are found by them
)

// LookUp finds records by any of three ids, or by the beginning of ours, as Reader.Lookup does. whole returns those
// that have the key as one of their ids, and maybe others; beginning returns at most some whose id begins with it.
// Both have the newest first.
func LookUp(key string, whole func(key string) ([]policy.Record, error),
	beginning func(key string, most int) ([]policy.Record, error)) (found []policy.Record, err error) {
	key = BareID(key)
	if key == "" {
		return nil, nil
	}
	all, err := whole(key)
	for _, r := range all { // another text may have the same number
		if r.ID == key || r.QueueID == key || r.MessageID == key {
			found = append(found, r)
		}
	}
	if err != nil || len(found) > 0 || len(key) < minShort {
		return found, err
	}
	all, err = beginning(key, maxShort)
	for _, r := range all {
		if strings.HasPrefix(r.ID, key) {
			found = append(found, r)
		}
	}
	return found, err
}

// List finds all records by a filter, at most f.Limit unless that is 0.
func List(ctx context.Context, find Finder, f Filter) (list []policy.Record, err error) {
	most := f.Limit
	for after, more := (Cursor{}), true; more; {
		f.Limit = PageMost
		if most > 0 {
			f.Limit = min(f.Limit, most-len(list))
		}
		p, err := find(ctx, f, after)
		if err != nil {
			return list, err
		}
		list, after = append(list, p.Records...), p.Next
		more = !after.IsZero() && (most == 0 || len(list) < most)
	}
	return list, nil
}
