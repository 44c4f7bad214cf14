package find

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// ErrAbsent says that a part of a block is not there. Of fields that earlier versions did not know, none is.
var ErrAbsent = fmt.Errorf("%w: a part is missing", ErrDamaged)

// Values that say whether a field is recorded wholly or in part. No hash and no host is like them.
const (
	wholly = "!"
	partly = "?"
)

// contentsOf returns the values of what a message held, with what says how much of it is recorded.
func contentsOf(r policy.Record, s history.Sort) (list []string) {
	_, recorded, all := s.Values(r)
	switch {
	case !recorded:
		return nil
	case all:
		list = []string{wholly}
	default:
		list = []string{partly}
	}
	if r.Contents == nil {
		return list
	}
	if s == history.Hosts {
		return append(list, lower(r.Contents.Hosts)...)
	}
	for _, p := range r.Contents.Parts {
		if sum, err := hex.DecodeString(p.SHA256); err == nil {
			list = append(list, base64.RawStdEncoding.EncodeToString(sum)) // shorter than in hexadecimal digits
		}
	}
	return list
}

// fieldOf returns the field of a sort.
func fieldOf(s history.Sort) field {
	switch s {
	case history.Hosts:
		return hosts
	case history.Clients:
		return addresses
	}
	return parts
}

// listed reports whether a value of the dictionary is on the list.
func listed(h history.Holding) func(value string) bool {
	return func(value string) bool {
		switch {
		case value == wholly || value == partly || value == "":
			return false
		case h.Sort != history.Parts:
			return h.Has(value)
		}
		sum, err := base64.RawStdEncoding.DecodeString(value)
		return err == nil && h.Has(string(sum))
	}
}

// hold returns the records of a block that have something on a list, and says of how many it is known.
// Every value of the block is looked up once, however many records have it. Before is
// taken as whole milliseconds.
func hold(s Span, h history.Holding, read access) (rows []Row, c history.Coverage, err error) {
	q := NewQuery(history.Filter{Since: h.Since})
	if !h.Before.IsZero() {
		q.before = h.Before.UnixMilli()
	}
	all, err := whole(s, read)
	if err != nil {
		return nil, c, err
	}
	if c.Asked, err = all.during(q); err != nil || c.Asked == 0 {
		return nil, c, err
	}
	f := fieldOf(h.Sort)
	of := func(s step) (n int, a *asked, err error) {
		a = &asked{Span: all.Span, read: read, left: append(set(nil), all.left...)}
		err = a.take(s)
		return a.left.count(), a, err
	}
	known, partial := step{exact(f, wholly), exact(f, partly)}, step{exact(f, partly)}
	if f == addresses {
		known, partial = step{exact(f, "")}, nil
	}
	n, _, err := of(known)
	if errors.Is(err, ErrAbsent) {
		c.Unrecorded = c.Asked
		return nil, c, nil
	}
	if c.Unrecorded = c.Asked - n; f == addresses {
		c.Unrecorded = n
	} else if err == nil {
		c.Partly, _, err = of(partial)
	}
	if err != nil {
		return nil, c, err
	}
	_, found, err := of(step{{field: f, check: listed(h)}})
	for err == nil {
		var some []Row
		if some, err = found.rows(q, history.Cursor{}); len(some) == 0 {
			break
		}
		rows = append(rows, some...)
	}
	return rows, c, err
}

// exact wants one value.
func exact(f field, value string) want { return want{field: f, literal: between(value)} }

// during leaves the records of the span of time, and returns how many there are.
func (a *asked) during(q Query) (int, error) {
	times := newSet(a.Rows)
	err := a.eachRow(func(place int, r Row) { times.put(place, q.May(r.Time, r.Time)) })
	a.left.and(times)
	return a.left.count(), err
}

// eachRow calls visit with every row of the block.
func (a *asked) eachRow(visit func(place int, r Row)) error {
	each, n := a.Rows, 1
	part := func(int) Part { return PartRows }
	if a.Level == Huge {
		if err := a.begin(); err != nil {
			return err
		}
		each, n = a.pieces.each, len(a.pieces.firsts)-1
		part = func(k int) Part { return wide(rowsPiece, 0, k) }
	}
	for k := range n {
		list, err := a.numbers(part(k))
		if err != nil {
			return err
		}
		if len(list) != min(each, a.Rows-k*each) {
			return ErrDamaged
		}
		for i, v := range list {
			visit(k*each+i, a.unpacked(v))
		}
	}
	return nil
}
