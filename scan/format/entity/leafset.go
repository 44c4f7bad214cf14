package entity

import (
	"slices"
	"strings"
)

// leafSet is a set of leaves. Two are the same if they agree in their bytes,
// encoding, type and names.
type leafSet map[leafKey][]leafEnd

type leafKey struct {
	start    int64
	encoding Encoding
}

type leafEnd struct {
	at  int64
	typ string
	as  string // all names
}

func (s leafSet) add(e *Entity) {
	k := leafKey{e.Body.Start, e.Encoding}
	s[k] = append(s[k], leafEnd{e.Body.End, e.Type, strings.Join(e.Names, "\x00")})
}

// has reports whether a leaf is in the set. A line end more or less at the end
// makes no difference.
func (s leafSet) has(e *Entity) bool {
	names := strings.Join(e.Names, "\x00")
	return slices.ContainsFunc(s[leafKey{e.Body.Start, e.Encoding}], func(l leafEnd) bool {
		return l.near(e.Body.End) && l.typ == e.Type && l.as == names
	})
}

// hasBytes reports whether the bytes of a leaf are those of one in the set,
// whatever it is called.
func (s leafSet) hasBytes(e *Entity) bool {
	return slices.ContainsFunc(s[leafKey{e.Body.Start, e.Encoding}], func(l leafEnd) bool { return l.near(e.Body.End) })
}

func (l leafEnd) near(end int64) bool { return l.at-2 <= end && end <= l.at+2 }
