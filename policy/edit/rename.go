package edit

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/milterscan/milterscan/policy"
)

// renamedSuffix ends a name that was made harmless: no system opens such a file
// by itself.
const renamedSuffix = ".renamed"

var errInside = errors.New("the file is inside another")

// rename makes the name of an entity harmless wherever a client may find one.
func (w *work) rename(c *change, s *site, edits []policy.Edit) error {
	if !w.whole(s, edits) {
		return errInside
	}
	e := s.entity
	if len(e.Names) == 0 {
		return errors.New("the part has no name")
	}
	name := harmless(e.Names[0])
	if slices.Equal(e.Names, []string{name}) {
		return nil
	}
	c.rename(e.Type, name)
	return nil
}

// rename gives the entity one name in place of all it has, and a type.
func (c *change) rename(mediaType, name string) {
	e := c.entity
	kind := e.Disposition
	if kind == "" {
		kind = "attachment"
	}
	c.set("Content-Type", contentType(mediaType, parametersOf(e, "name"), name))
	c.set("Content-Disposition", disposition(kind, name))
}

// harmless returns a name under which a file can be looked at and not be started.
func harmless(name string) string {
	return harmlessBase(strings.TrimSuffix(name, renamedSuffix)) + renamedSuffix
}

// harmlessBase returns a name without what paths, systems and readers stumble over.
func harmlessBase(name string) string {
	var b strings.Builder
	n := 0
	for _, r := range name {
		switch {
		case n >= longestTitle:
			continue
		case unicode.IsSpace(r):
			if !strings.HasSuffix(b.String(), " ") {
				b.WriteByte(' ')
				n++
			}
			continue
		case !unicode.IsPrint(r), r == unicode.ReplacementChar:
			continue
		case strings.ContainsRune(`/\:*?"<>|{}%;`, r):
			r = '_'
		}
		b.WriteRune(r)
		n++
	}
	if base := strings.Trim(b.String(), " ."); base != "" {
		return base
	}
	return "file"
}
