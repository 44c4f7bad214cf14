package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// meetTime is how long a command waits for people that it knows nothing of.
const meetTime = 10 * time.Second

// meet has the directory know the people of a configuration, if any rule can go by them: by
// what the daemon has loaded last, where it can be read.
func (s *Shared) meet(c *config.Config) {
	if len(c.Groups()) == 0 && !c.People.Complete() {
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
