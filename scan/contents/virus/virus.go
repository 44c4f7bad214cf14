// Package virus holds the virus engines: clamd, which is asked over its socket,
// and hashes, which is built in and always on – the EICAR test string, and
// lists of file hashes in ClamAV's text format.
//
// An engine that could not look at everything says so: by an error when
// something outside the message failed, by an Unscannable finding when the
// message itself is the reason. Neither is ever "clean".
package virus

import (
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner word of all engines and the first part of their rules.
const word = "virus"

// New returns the engines that cfgs describe, in that order, each with its backups.
// The built-in hash engine is always among them: in front, if no entry configures it.
// All errors are returned at once, each with the name of its entry. Hash lists are
// read here; to read them again, call New again.
func New(cfgs []Config) ([]scan.Scanner, error) { return NewTogether(cfgs, nil) }

// NewTogether returns the same. Those that can name their signatures remember together with those of other hosts what was clean,
// unless all is nil.
func NewTogether(cfgs []Config, all Clean) ([]scan.Scanner, error) {
	cfgs = withHashes(cfgs)
	var engines []scan.Scanner
	var errs []error
	named := map[string]bool{}
	for _, c := range cfgs {
		engine, err := c.engine()
		switch {
		case err != nil:
		case named[c.Name]:
			err = errors.New("another engine has that name")
		default:
			err = c.CheckBackup(cfgs)
		}
		named[c.Name] = true
		if err != nil {
			errs = append(errs, fmt.Errorf("virus engine %q: %w", c.Name, err))
			continue
		}
		if e, asks := engine.(*Engine); asks && all != nil {
			e.share(c, all)
		}
		engines = append(engines, engine)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return withBackups(cfgs, engines), nil
}

// withHashes puts the built-in hash engine in front unless it is there already.
func withHashes(cfgs []Config) []Config {
	for _, c := range cfgs {
		if c.Type == TypeHashes {
			return cfgs
		}
	}
	return append(Default(), cfgs...)
}

func (c Config) engine() (scan.Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	k, _ := kindOf(c.Type)
	return k.open(c)
}

// Open returns the engine of one entry, of a type that asks a server, without its
// backups.
func Open(c Config) (*Engine, error) {
	s, err := c.engine()
	if err != nil {
		return nil, err
	}
	e, ok := s.(*Engine)
	if !ok {
		return nil, fmt.Errorf("an engine of type %s asks nobody", c.Type)
	}
	return e, nil
}
