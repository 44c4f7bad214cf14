package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/content"
)

// meetTime is how long a command waits for people that it knows nothing of.
const meetTime = 10 * time.Second

// meet has the directory know the people of a configuration, by what the daemon has loaded
// last, where it can be read.
func (s *Shared) meet(c *config.Config) {
	if len(c.People.Sources) == 0 {
		return
	}
	s.Directory = NewDirectory(c, directory.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), meetTime)
	defer cancel()
	s.Directory.LoadMissing(ctx)
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

// shown judges what a message shows, and compares whom it says it is from with our people and
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

// called is a content.Called that asks the directory.
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
