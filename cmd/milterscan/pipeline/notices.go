package pipeline

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/notify"
	"github.com/milterscan/milterscan/policy/token"
)

// PostEvery is how often the queue of notices is looked at.
const PostEvery = 2 * time.Second

// Post sends the notices in the queues of a recorder, by the terms of the configuration
// that is current then. One goroutine uses it.
type Post struct {
	recorder *Recorder
	current  func() *config.Config
	language func(to string) string
	mailers  map[*notify.Queue]*notify.Mailer
}

// NewPost returns the post of a recorder. language knows that of a reader, and says "" where it does not; the
// configuration has one for these.
func NewPost(r *Recorder, current func() *config.Config, language func(to string) string) *Post {
	return &Post{r, current, language, map[*notify.Queue]*notify.Mailer{}}
}

// Run sends the notices that are due at every tick, until ctx is done.
func (p *Post) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick:
			p.Round(ctx, now)
		}
	}
}

// Round sends the notices that are due now.
func (p *Post) Round(ctx context.Context, now time.Time) {
	queues := p.recorder.Queues()
	maps.DeleteFunc(p.mailers, func(q *notify.Queue, _ *notify.Mailer) bool { return !slices.Contains(queues, q) })
	for _, q := range queues {
		if p.mailers[q] == nil {
			p.mailers[q] = newMailer(q, p.current, p.language, p.recorder.warn)
		}
		p.mailers[q].Round(ctx, now)
	}
}

// newMailer returns the mailer of a queue.
func newMailer(q *notify.Queue, current func() *config.Config, language func(string) string, warn func(error)) *notify.Mailer {
	var of *config.Config
	var terms notify.Terms
	return notify.NewMailer(q, func() (_ notify.Terms, err error) {
		if c := current(); c != of {
			if terms, err = noticeTerms(c, language); err != nil {
				return terms, err
			}
			of = c
		}
		return terms, nil
	}, warn)
}

// noticeTerms returns the terms by which a configuration has notices sent.
func noticeTerms(c *config.Config, language func(string) string) (notify.Terms, error) {
	templates, err := notify.NewTemplates(c.Notices.Local())
	if err != nil {
		return notify.Terms{}, err
	}
	written := templates.Languages()
	from, host := Author(c)
	return notify.Terms{
		Templates: templates,
		Sender:    c.Submission.Via,
		Key:       token.KeyFile(c.Quarantine.Key()).Make,
		From:      from,
		Host:      host,
		Language: func(to string) string {
			if l := language(to); slices.Contains(written, l) {
				return l
			}
			return c.Notices.LanguageOf(to)
		},
		Every:   c.Notices.Every.Go(),
		PerHour: c.Notices.PerHour,
	}, nil
}

// Author returns the sender of notices and forwarded mail, and the host that sends it.
func Author(c *config.Config) (from, host string) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return cmp.Or(c.Notices.From, "postmaster@"+host), host
}

// Releaser lets messages out of a quarantine in the name of a person, by the terms of a configuration.
func Releaser(c *config.Config, kept quarantine.Store, by string) quarantine.Releaser {
	from, host := Author(c)
	return quarantine.Releaser{Store: kept, Sender: c.Submission.Via, Key: token.KeyFile(c.Quarantine.Key()).Make, Now: time.Now,
		By: by, From: from, Host: host, Teacher: Teacher(c), LearnReleased: c.Spam.LearnReleased}
}
