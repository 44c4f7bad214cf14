package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/rspamd"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/scan/sender/spamd"
)

// teacher teaches the scorers that learn, one after the other.
type teacher struct {
	pupils []pupil
}

// pupil is one scorer that learns.
type pupil struct {
	name    string
	largest int64
	learn   func(ctx context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error
}

// Teacher returns what teaches the scorers of a configuration, nil if none of them learns.
func Teacher(c *config.Config) quarantine.Teacher {
	var t teacher
	if r := c.Spam.Rspamd; r.Controller != "" {
		t.pupils = append(t.pupils, pupil{"rspamd", int64(r.MaxSize), Controller(c).Learn})
	}
	if s := c.Spam.SpamAssassin; s.Learn && len(s.Addresses) > 0 {
		t.pupils = append(t.pupils, pupil{"SpamAssassin", int64(s.MaxSize),
			func(ctx context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error {
				return spamd.Learn(ctx, s, as, e, mail)
			}})
	}
	if len(t.pupils) == 0 {
		return nil
	}
	return t
}

// Controller returns the controller of rspamd.
func Controller(c *config.Config) rspamd.Controller {
	r := c.Spam.Rspamd
	return rspamd.Controller{Address: r.Controller, CAFile: r.CAFile, Password: r.ControllerPasswordFile.Read, Timeout: r.Timeout.Go()}
}

// Teach implements quarantine.Teacher. A scorer that would not be asked about so large a message does not
// learn from it.
func (t teacher) Teach(ctx context.Context, as scorer.Lesson, e scan.Envelope, mail scan.Content) error {
	var errs []error
	for _, p := range t.pupils {
		if mail.Size() > p.largest {
			continue
		}
		if err := p.learn(ctx, as, e, mail); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}

// TeachText teaches scorers what a message is that no quarantine has.
func TeachText(ctx context.Context, t quarantine.Teacher, as quarantine.Lesson, text []byte) error {
	return t.Teach(ctx, as, scan.Envelope{}, bytes.NewReader(text))
}

// Largest implements quarantine.Teacher.
func (t teacher) Largest() int64 {
	var most int64
	for _, p := range t.pupils {
		most = max(most, p.largest)
	}
	return most
}
