package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// MendLists says what to do about a file of lists that cannot be read.
func MendLists(file string) string {
	return "make " + file + " readable for the daemon; if it is damaged, stop the daemon and put a copy of it, " +
		"or the result of milterscan list export, in its place"
}

// lists examines the senders that people allow and block: whether they can be read, and how many there are. A
// daemon that examines itself knows already whether it could read them.
func (p *Installation) lists(ctx context.Context) []Finding {
	file := p.Config.People.File
	if p.Gently {
		return nil
	}
	switch _, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{ok("no person has listed any sender yet")}
	case err != nil:
		return []Finding{fault(MendLists(file), "the lists of senders cannot be read: %v", err)}
	}
	book := people.New(file)
	defer book.Close()
	n, made, err := book.Count(ctx)
	switch {
	case err != nil:
		return []Finding{fault(MendLists(file),
			"the lists of senders cannot be read, and entries that are made do not count: %v", err)}
	case n == 0:
		return []Finding{ok("no person has listed any sender yet")}
	}
	return []Finding{ok("%d senders are listed, the last one %v ago", n, p.Now.Sub(made).Round(time.Minute))}
}
