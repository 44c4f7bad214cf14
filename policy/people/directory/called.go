package directory

import (
	"slices"

	"github.com/milterscan/milterscan/scan/format/skeleton"
)

// Called returns a person whose name has one of some forms, as skeleton.Names makes them; own says
// that an address is of a person of such a name.
func (d *Directory) Called(forms []string, address string) (p Person, ok, own bool) {
	s := d.now.Load()
	if s == nil {
		return Person{}, false, false
	}
	for _, form := range forms {
		at, known := s.called[form]
		if !known {
			continue
		}
		if who, known := s.person(address); known && slices.Contains(skeleton.Names(s.people[who].Name), form) {
			return s.people[who], true, true
		}
		p, ok = s.people[at], true
	}
	return p, ok, false
}
