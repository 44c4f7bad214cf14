package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/people/lists"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/content"
)

// meetTime is how long a command waits for people that it knows nothing of.
const meetTime = 10 * time.Second

// meet has the directory know the people of a configuration, by what the daemon has loaded
// last, where it can be read. What asks no other host goes by that and by files alone.
func (s *Shared) meet(c *config.Config) {
	if len(c.People.Sources) == 0 {
		return
	}
	s.Directory = NewDirectory(c, directory.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), meetTime)
	defer cancel()
	if s.Recall != nil {
		s.Directory.LoadMissingFiles(ctx)
		return
	}
	s.Directory.LoadMissing(ctx)
}

// lists returns where the lists of senders, and the limits of recipients, are looked up: in memory where mail
// comes all the time.
func (s *Shared) lists(c *config.Config) func() (policy.Lists, error) {
	by := lists.Terms{Lists: c.People.Lists, Score: c.People.Score}
	if len(c.People.Sources) > 0 {
		by.Main = s.Directory.Main
	}
	ask := s.settled(c)
	return func() (policy.Lists, error) {
		l, err := ask(by)
		if err == nil && l != nil && by.Main != nil && !s.Directory.Ready() {
			err = errUnacquainted
		}
		return l, err
	}
}

// errUnacquainted says that an entry of a person may have to count for another address of the person.
var errUnacquainted = errors.New("which addresses are one person's is not known: a source of people has never been loaded")

// settled returns where what people have settled is looked up.
func (s *Shared) settled(c *config.Config) func(lists.Terms) (policy.Lists, error) {
	if !s.Live {
		return s.Stores.direct(c).Lists
	}
	book := s.Stores.Book(c)
	if n, read := book.Entries(); n == 0 && read.IsZero() && s.Stores.ready() {
		book.Read(context.Background()) // which reports the mistakes
	}
	return book.Lists
}

// NewDirectory returns the people of a configuration, as far as loads that were kept tell.
func NewDirectory(c *config.Config, o directory.Options) *directory.Directory {
	o.Dir = filepath.Dir(c.People.File)
	d := directory.New(o)
	d.Use(c.People.Sources, c.People.Delimiter)
	return d
}

// CheckGroups loads all people, and returns each rule that goes by a group that has no members; where that
// cannot be said, why not.
func CheckGroups(ctx context.Context, c *config.Config) (unknown config.Problems, unsure []string) {
	if len(c.Groups()) == 0 {
		return nil, nil
	}
	d := directory.New(directory.Options{})
	d.Use(c.People.Sources, c.People.Delimiter)
	d.Load(ctx)
	for _, s := range d.States() {
		if s.Err != nil {
			unsure = append(unsure, fmt.Sprintf("people.source %s cannot be loaded, so whether there are the groups that rules "+
				"name is not known: %v", s.Source, s.Err))
		}
	}
	if unsure != nil {
		return nil, unsure
	}
	return c.UnknownGroups(d.HasGroup), nil
}

// shown judges what a message shows, and compares the author that it names with our people and
// domains.
func shown(s *site) ([]scan.Scanner, error) {
	w := content.With{Texts: s.texts, Trusted: s.local.Trusts}
	for _, d := range s.local.Domains {
		w.Domains = append(w.Domains, string(d))
	}
	if len(s.People.Sources) > 0 {
		w.Called = s.called
	}
	return one(content.New(s.Content, w))
}

// errNotMet is reported while nothing is known of some people. It names the remedy.
var errNotMet = errors.New("some source of people has not been loaded yet; the log and \"milterscan people check\" say why")

// called asks the directory, as a content.Called.
func (s *site) called(forms []string, address string) (person string, ok, own bool, err error) {
	p, ok, own := s.Directory.Called(forms, address)
	if !s.Directory.Ready() {
		err = errNotMet
	}
	if ok {
		person = p.Main()
	}
	return person, ok, own, err
}
