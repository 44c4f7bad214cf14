// Package doctor examines an installation: the configuration, the servers milterscan asks,
// the MTAs that ask it, and the host. It changes nothing. Each fault comes with its
// remedy.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// Level is how bad a finding is.
type Level int

// The levels. Advice is about things that work, and could be better.
const (
	OK Level = iota
	Advice
	Fault
)

// String returns the level as a report shows it.
func (l Level) String() string { return [...]string{"ok", "advice", "FAULT"}[l] }

// Finding is the result for one thing that was examined.
type Finding struct {
	Level Level
	Check string // what it belongs to: "clamd", "Postfix"
	What  string // the fact
	Fix   string // what to do about it; "" if all is well
}

// Installation is what doctor examines.
type Installation struct {
	File     string           // the configuration's
	Config   *config.Config   // as far as it could be read
	Problems error            // its errors, as config.Load returns them
	Notes    []config.Problem // things that are no errors and are probably mistakes
	Postconf string           // the program that shows Postfix' settings; "" if there is no Postfix
	Postfix  string           // Postfix' directory of configuration; "" for its own
	Sendmail string           // path of sendmail.cf; "" if there is no Sendmail
	User     string           // the user the daemon runs as
	Workers  worker.Config    // how children are started
	Logs     []string         // where MTAs may log; nil for the usual files
	Now      time.Time
	Only     []string // names of the checks to make; none for all
	Gently   bool     // the daemon looks at itself: engines are not given large files, databases are not opened
}

// check is one examination.
type check struct {
	name string
	run  func(*Installation, context.Context) []Finding
}

// checks returns all examinations, in the order of their reports.
func checks() []check {
	return []check{
		{"configuration", (*Installation).configuration},
		{"sockets", (*Installation).sockets},
		{"Postfix", (*Installation).postfix},
		{"Sendmail", (*Installation).sendmail},
		{"engines", (*Installation).engines},
		{"verdicts", (*Installation).verdicts},
		{"SpamAssassin", (*Installation).spamAssassin},
		{"rspamd", (*Installation).rspamd},
		{"resolver", (*Installation).resolvers},
		{"DNS lists", (*Installation).dnsLists},
		{"feeds", (*Installation).feeds},
		{"places", (*Installation).places},
		{"directories", (*Installation).directories},
		{"stores", (*Installation).stores},
		{Database, (*Installation).shared},
		{Redis, (*Installation).redis},
		{Fleet, (*Installation).fleet},
		{"MTA's log", (*Installation).mtaLog},
		{"people", (*Installation).people},
		{"lists", (*Installation).lists},
		{"console", (*Installation).console},
		{"digests", (*Installation).digests},
		{"DMARC reports", (*Installation).dmarcReports},
		{"clock", (*Installation).clock},
		{"helpers", (*Installation).helpers},
		{"workers", (*Installation).workers},
	}
}

// patience bounds how long one examination may take.
const patience = 90 * time.Second

// Running lists the checks that a daemon can make of itself while mail flows: those that
// cost engines little, and that need no rights but its own.
func Running() []string {
	return []string{"engines", "SpamAssassin", "rspamd", "resolver", "DNS lists", "feeds", "places", "directories",
		"stores", Database, Redis, "digests", "clock"}
}

// Quick lists the checks that tell in seconds whether the daemon takes mail. They leave out the
// servers it asks, so that the daemon is started again only if that can help.
func Quick() []string { return []string{"configuration", "sockets", "directories"} }

// Examine makes all checks at the same time, and returns their findings in a fixed order. A
// check that has nothing to look at returns none.
func (p *Installation) Examine(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all := checks()
	if len(p.Only) > 0 {
		all = slices.DeleteFunc(all, func(c check) bool { return !slices.Contains(p.Only, c.name) })
	}
	results := make([][]Finding, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { results[i] = c.run(p, ctx) })
	}
	wg.Wait()
	var list []Finding
	for i, found := range results {
		for _, f := range found {
			f.Check = all[i].name
			list = append(list, f)
		}
	}
	return list
}

func ok(format string, args ...any) Finding { return Finding{What: fmt.Sprintf(format, args...)} }

func advice(fix, format string, args ...any) Finding {
	return Finding{Level: Advice, What: fmt.Sprintf(format, args...), Fix: fix}
}

func fault(fix, format string, args ...any) Finding {
	return Finding{Level: Fault, What: fmt.Sprintf(format, args...), Fix: fix}
}
