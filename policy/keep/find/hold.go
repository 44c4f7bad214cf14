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

// Hold returns the records of a block that have something on a list, and says of how many it is known.
// Every value of the block is looked up once, however many records have it. read is as in Query.Ask. Before is
// taken as whole milliseconds.
func Hold(s Span, h history.Holding, read func(p Part, use func([]byte) error) error) (rows []Row, c history.Coverage, err error) {
	if s.Rows < 1 || s.Rows > Rows {
		return nil, c, ErrDamaged
	}
	q := NewQuery(history.Filter{Since: h.Since})
	if !h.Before.IsZero() {
		q.before = h.Before.UnixMilli()
	}
	all := asked{Span: s, read: read, left: newSet(s.Rows)}
	all.left.fill(s.Rows)
	times, err := all.rows(q, history.Cursor{})
	if err != nil || len(times) == 0 {
		return nil, c, err
	}
	c.Asked = len(times)
	f := fieldOf(h.Sort)
	found, known, some := listed(h), isOne(wholly, partly), isOne(partly)
	if f == addresses {
		known, some = func(v string) bool { return v != "" }, func(string) bool { return false }
	}
	of := func(check func(string) bool) (list []Row, err error) {
		a := asked{Span: s, read: read, left: newSet(s.Rows)}
		a.left.fill(s.Rows)
		if err := a.take(step{{field: f, check: check}}); err != nil {
			return nil, err
		}
		return a.rows(q, history.Cursor{})
	}
	recorded, err := of(known)
	if errors.Is(err, ErrAbsent) {
		c.Unrecorded = c.Asked
		return nil, c, nil
	}
	inPart, err2 := of(some)
	rows, err3 := of(found)
	c.Unrecorded, c.Partly = c.Asked-len(recorded), len(inPart)
	return rows, c, errors.Join(err, err2, err3)
}

func isOne(words ...string) func(string) bool {
	return func(v string) bool {
		for _, w := range words {
			if v == w {
				return true
			}
		}
		return false
	}
}
