package main

import (
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/notify"
	"github.com/milterscan/milterscan/policy/pass"
)

// postEvery is how often the queue of notices is looked at.
const postEvery = 2 * time.Second

// announce puts letters into the queue before the message is answered, so that
// none is lost with the daemon. If that fails the log is all there is.
func (d *daemon) announce(letters []notify.Letter) {
	if err := d.notices.Add(letters); err != nil {
		d.log.Warn("somebody is not told", zap.String("id", letters[0].Event.ID), zap.Error(err))
	}
}

// office sends what is in the queue by the terms of the current configuration.
func (d *daemon) office() *notify.Office {
	var of *config.Config
	var terms notify.Terms
	current := func() (_ notify.Terms, err error) {
		if c := d.config.Load(); c != of {
			if terms, err = noticeTerms(c); err != nil {
				return terms, err
			}
			of = c
		}
		return terms, nil
	}
	return notify.NewOffice(d.notices, current, func(err error) { d.log.Warn("notice not sent", zap.Error(err)) })
}

// noticeTerms are how a configuration wants notices sent.
func noticeTerms(c *config.Config) (notify.Terms, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	templates, err := notify.NewTemplates(c.Notices.Local())
	from := c.Notices.From
	if from == "" {
		from = "postmaster@" + host
	}
	return notify.Terms{
		Templates: templates,
		Sender:    c.Submission.Via,
		Key:       pass.KeyFile(c.Quarantine.Key()).Make,
		From:      from,
		Host:      host,
		Language:  c.Notices.LanguageOf,
		Every:     c.Notices.Every.Go(),
		PerHour:   c.Notices.PerHour,
	}, err
}
