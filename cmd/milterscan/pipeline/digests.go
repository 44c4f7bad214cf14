package pipeline

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// Digests sends people digests of the mail that is kept back from them, by the terms of the configuration
// that is current then, with separate handles: mail waits for none of them. One goroutine uses it.
type Digests struct {
	stores    *Stores
	directory *directory.Directory
	warn      func(error)

	of    *config.Config // that terms are of
	terms digest.Terms
}

// NewDigests returns what sends digests.
func NewDigests(d *directory.Directory, warn func(error)) *Digests {
	s := NewStores()
	s.Warn = warn
	return &Digests{stores: s, directory: d, warn: warn}
}

// Share has digests use what hosts share through the connections of others.
func (d *Digests) Share(with *Stores) { d.stores.Share(with) }

// Close closes the handles.
func (d *Digests) Close() { d.stores.Close() }

// Round sends the digests that are due now.
func (d *Digests) Round(ctx context.Context, c *config.Config, now time.Time) (digest.Outcome, error) {
	if !c.People.Digest.Enabled {
		return digest.Outcome{}, nil
	}
	t, err := d.Terms(c)
	if err != nil {
		return digest.Outcome{}, err
	}
	return d.Post(c).Round(ctx, t, now)
}

// Post returns the post of a configuration.
func (d *Digests) Post(c *config.Config) digest.Post {
	return digest.Post{Kept: d.stores.Quarantine(c),
		People: readers{c, d.directory, d.stores.People(c)}, Book: d.stores.People(c), Warn: d.warn}
}

// Book returns how far the digests of people are.
func (d *Digests) Book(c *config.Config) *people.Store { return d.stores.People(c) }

// Terms returns the terms by which a configuration has digests sent.
func (d *Digests) Terms(c *config.Config) (digest.Terms, error) {
	if d.of == c {
		return d.terms, nil
	}
	templates, err := digest.NewTemplates(c.People.Digest.Local())
	if err != nil {
		return digest.Terms{}, err
	}
	from, host := Author(c)
	d.of, d.terms = c, digest.Terms{
		Templates: templates, Sender: c.Submission.Via, Key: token.KeyFile(c.Quarantine.Key()).Make,
		LinkKey: token.KeyFile(c.Quarantine.LinkKey()).Make,
		From:    from, Host: host, Good: c.People.Digest.Links.Go(), Rows: c.People.Digest.Rows, DropAfter: c.People.Digest.DropAfter,
		Blocks:   c.People.Lists.Recipients.Block,
		Lists:    func(r quarantine.Row) bool { return Lets(c.People.Pages.Classes, r.Class, nil) && Clean(r) },
		Releases: func(r quarantine.Row) bool { return Lets(c.People.Pages.Release, r.Class, r.Grave) },
	}
	if len(c.Console.Listen) > 0 {
		d.terms.URL = c.Console.URL
	}
	if len(c.People.Pages.Login) > 0 {
		d.terms.Page = PageOfRecipients
	}
	return d.terms, nil
}

// Clean reports whether no virus is known in a kept message.
func Clean(r quarantine.Row) bool { return !slices.Contains(r.Grave, scan.Infected.String()) }

// Lets reports whether a message of a class, with other kinds of findings in it that matter, is one of those
// that a host names for recipients, who have nothing to do with viruses.
func Lets(classes []string, class string, grave []string) bool {
	for _, kind := range append([]string{class}, grave...) {
		if kind == scan.Infected.String() || !slices.Contains(classes, kind) {
			return false
		}
	}
	return true
}

// PageOfRecipients is the path of the pages of recipients in the console.
const PageOfRecipients = "/mine"

// readers are the people who get digests.
type readers struct {
	c         *config.Config
	directory *directory.Directory
	settled   *people.Store
}

// Person returns the person an address is of. Those who are not ours get no digests, nor those that the
// directory surely does not know.
func (r readers) Person(ctx context.Context, address string) (digest.Person, bool, error) {
	p := digest.Person{ID: address, Address: address}
	who, named := r.directory.Who(address)
	if named {
		p.ID, p.Address, p.Language = who.ID, who.Main(), who.Language
	}
	known, sure := r.directory.Known(address)
	if !policy.Local(r.c.Local).Has(p.Address) || !named && !known && sure {
		return p, false, nil
	}
	s, err := r.settled.Settings(ctx, p.Address)
	p.Language = cmp.Or(s.Language, p.Language, r.c.Notices.LanguageOf(p.Address))
	p.Plan = r.plan(s)
	return p, true, err
}

// plan returns when those get digests who have settled something, or nothing.
func (r readers) plan(s people.Settings) digest.Plan {
	p := r.c.People.Digest.Plan()
	if s.Digest != "" {
		p.Every, p.At = digest.Interval(s.Digest), digest.Clock(s.At)
	}
	return p
}

// Plans returns all plans that any person has.
func (r readers) Plans(ctx context.Context) ([]digest.Plan, error) {
	list := []digest.Plan{r.c.People.Digest.Plan()}
	settled, err := r.settled.Schedules(ctx)
	for _, s := range settled {
		list = append(list, r.plan(s))
	}
	return list, err
}

// Settle writes down what the MTA's log told of digests, and returns how many did not arrive.
func (d *Digests) Settle(ctx context.Context, c *config.Config, now time.Time) (int, error) {
	file := c.History.EventsFile()
	if _, err := os.Stat(file); err != nil || !c.MTALog.Enabled() || c.History.File == "" || !c.People.Digest.Enabled {
		return 0, nil
	}
	reader := timeline.Reader{Records: unrecorded{}, Events: d.stores.Events(file)}
	return digest.Settle(ctx, d.Book(c), now, func(ctx context.Context, message string) (digest.Fate, string, error) {
		stories, err := reader.Find(ctx, message)
		if err != nil {
			return digest.Open, "", err
		}
		fate, why := fateOf(stories)
		return fate, why, nil
	})
}

// fateOf returns what became of a mail to one person. One that was given up anywhere has not arrived, even if
// it was handed on before.
func fateOf(stories []timeline.Story) (digest.Fate, string) {
	sent, open := false, false
	for _, s := range stories {
		for _, o := range s.Outcomes {
			switch o.Kind {
			case mtalog.Bounced, mtalog.Expired:
				return digest.Bounced, strings.TrimSpace(o.Recipient + " " + o.Text)
			case mtalog.Sent:
				sent = true
			default:
				open = true
			}
		}
	}
	if sent && !open {
		return digest.Arrived, ""
	}
	return digest.Open, ""
}

// unrecorded is a history that is not asked.
type unrecorded struct{}

// Lookup finds nothing.
func (unrecorded) Lookup(context.Context, string) ([]policy.Record, error) { return nil, nil }
