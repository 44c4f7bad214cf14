package doctor

import (
	"context"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/people/directory"
)

// people examines the sources of [[people.source]]: whether the daemon can read them, and the age of its data.
func (p *Installation) people(context.Context) (found []Finding) {
	for _, s := range p.Config.People.Sources {
		name := "people.source " + s.Name
		if s.File != "" {
			found = append(found, p.readable(name, s.File)...)
		}
		found = append(found, p.secret(name, s.PasswordFile)...)
		found = append(found, p.age(name, s))
	}
	return found
}

// age tells how old the last good load of a source is.
func (p *Installation) age(name string, s directory.Source) Finding {
	at, addresses, err := directory.Kept(filepath.Dir(p.Config.People.File), s)
	if err != nil {
		return advice("milterscan people check, which says why; and start the daemon",
			"%s: nothing is known of its people: %v", name, err)
	}
	age := time.Since(at).Round(time.Second)
	if age > s.Fresh.Go() {
		return advice("milterscan people check, which says why",
			"%s: loaded %v ago, and new people are not known; it has %d addresses",
			name, age, addresses)
	}
	return ok("%s: %d addresses, loaded %v ago", name, addresses, age)
}
