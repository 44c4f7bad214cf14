package pipeline

import (
	"cmp"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/tell/notify"
	"github.com/milterscan/milterscan/policy/token"
)

// PostEvery is how often the queue of notices is looked at.
const PostEvery = 2 * time.Second

// NewOffice sends what is in a queue, by the terms of the configuration that is
// current then.
func NewOffice(q *notify.Queue, current func() *config.Config, warn func(error)) *notify.Office {
	var of *config.Config
	var terms notify.Terms
	return notify.NewOffice(q, func() (_ notify.Terms, err error) {
		if c := current(); c != of {
			if terms, err = noticeTerms(c); err != nil {
				return terms, err
			}
			of = c
		}
		return terms, nil
	}, warn)
}

// noticeTerms are how a configuration wants notices sent.
func noticeTerms(c *config.Config) (notify.Terms, error) {
	templates, err := notify.NewTemplates(c.Notices.Local())
	from, host := Author(c)
	return notify.Terms{
		Templates: templates,
		Sender:    c.Submission.Via,
		Key:       token.KeyFile(c.Quarantine.Key()).Make,
		From:      from,
		Host:      host,
		Language:  c.Notices.LanguageOf,
		Every:     c.Notices.Every.Go(),
		PerHour:   c.Notices.PerHour,
	}, err
}

// Author returns who writes our own mail, and the host that sends it.
func Author(c *config.Config) (from, host string) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return cmp.Or(c.Notices.From, "postmaster@"+host), host
}
