package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/appeal"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people/appeals"
	"github.com/milterscan/milterscan/policy/token"
)

// newDesk returns the desk that gives links to senders.
func (d *Daemon) newDesk() *appeals.Desk {
	return appeals.New(d.linkKey, func(err error) { d.log.Warn("no links are given to senders", zap.Error(err)) })
}

// linkKey returns the key of links, which is made when the first is.
func (d *Daemon) linkKey() ([]byte, error) {
	return token.KeyFile(d.config.Load().Quarantine.LinkKey()).Make()
}

// useDesk has links given as a configuration says.
func (d *Daemon) useDesk(c *config.Config) {
	s := c.People.Appeal
	d.desk.Use(appeals.Settings{URL: c.Console.URL, Client: s.PerClient, Sender: s.PerSender, Recipient: s.PerRecipient, Size: int64(s.Size)})
}

// mountAppeals has the console serve the page that links lead to.
func (d *Daemon) mountAppeals(pages *console.Console) error {
	s, err := appeal.New(appeal.Options{Console: pages, Key: d.linkKey, Now: time.Now,
		Requests: func() appeal.Requests { return d.Stores.People(d.config.Load()) }})
	if err == nil {
		pages.Mount(s)
	}
	return err
}

// countUnasked tells the desk how much of its room is used. Without a quarantine nothing is.
func (d *Daemon) countUnasked(ctx context.Context, c *config.Config) {
	if !c.Appeals() {
		return
	}
	bytes, err := quarantine.UnaskedBytes(ctx, d.Stores.Quarantine(c))
	switch {
	case err == nil:
		d.desk.Waiting(bytes)
	case ctx.Err() == nil:
		d.log.Warn("no links are given to senders", zap.Error(err))
	}
}

// longestRequest is how long requests are remembered where messages are kept for ever.
const longestRequest = 400 * 24 * time.Hour

// forgetRequests removes what was asked about messages that are not kept any more.
func (d *Daemon) forgetRequests(ctx context.Context, c *config.Config, now time.Time) {
	if d.Stores.People(c).There() != nil {
		return
	}
	age := max(c.Quarantine.Keep.Go(), c.People.Appeal.Keep.Go())
	if c.Quarantine.Keep == 0 {
		age = longestRequest
	}
	n, err := d.Stores.People(c).ForgetRequests(ctx, now.Add(-age))
	d.expired("people", n, err)
}
