package doctor

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/people"
)

// MendLists says what to do about lists that cannot be read.
func MendLists(c *config.Config) string {
	if c.Store.URL != "" {
		return "have the shared database answer: milterscan doctor says under \"" + Database + "\" what is wrong with it"
	}
	file := c.People.File
	return "make " + file + " readable for the daemon; if it is damaged, stop the daemon and put a copy of it, " +
		"or the result of milterscan list export, in its place"
}

// folk returns what people settled for themselves, where the daemon has it, and what closes it.
func (p *Installation) folk() (s *people.Store, end func()) {
	if state := p.Config.Fleet(); state != nil {
		return people.Shared(fleet.Joining{State: state}), func() { state.Close() }
	}
	s = people.New(p.Config.People.File)
	return s, func() { s.Close() }
}

// lists examines the senders that people allow and block: whether they can be read, and how many there are. A
// daemon that examines itself knows already whether it could read them.
func (p *Installation) lists(ctx context.Context) []Finding {
	if p.Gently {
		return nil
	}
	book, end := p.folk()
	defer end()
	switch err := book.There(); {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{ok("no person has listed any sender yet")}
	case err != nil:
		return []Finding{fault(MendLists(p.Config), "the lists of senders cannot be read: %v", err)}
	}
	n, made, err := book.Count(ctx)
	switch {
	case err != nil:
		return []Finding{fault(MendLists(p.Config),
			"the lists of senders cannot be read, and entries that are made do not count: %v", err)}
	case n == 0:
		return []Finding{ok("no person has listed any sender yet")}
	}
	return []Finding{ok("%d senders are listed, the last one %v ago", n, p.Now.Sub(made).Round(time.Minute))}
}
