// Package replay judges mail again that was judged before, under another configuration or with the
// signatures of today, and tells what would become of it instead. It changes nothing.
package replay

import (
	"context"
	"errors"
	"io"
	"net/netip"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Mail is one mail at rest.
type Mail struct {
	Name     string         // its id if it was kept, else its file; in an mbox with "#" and its number
	Record   *policy.Record // what was recorded when it came; nil where that is not known
	Envelope scan.Envelope
	Open     func(context.Context) (io.ReadCloser, error)
}

// Unreadable is the error for a mail that cannot be read, after which the others are.
type Unreadable struct {
	Name string
	Err  error
}

// Error names the mail.
func (u *Unreadable) Error() string { return u.Name + ": " + u.Err.Error() }

// Unwrap returns why it cannot be read.
func (u *Unreadable) Unwrap() error { return u.Err }

// kept returns a mail of the quarantine, with the envelope that was recorded.
func kept(ctx context.Context, from quarantine.Store, id string) (Mail, error) {
	e, err := from.Entry(ctx, id)
	if err != nil {
		return Mail{}, &Unreadable{id, err}
	}
	return Mail{
		Name: id, Record: &e.Record, Envelope: recorded(e.Record),
		Open: func(ctx context.Context) (io.ReadCloser, error) { return from.Open(ctx, id) },
	}, nil
}

// recorded returns the envelope that a record tells of.
func recorded(r policy.Record) scan.Envelope {
	env := scan.Envelope{
		QueueID: r.QueueID, ClientName: r.ClientName, Helo: r.Helo, AuthUser: r.User, TLS: r.TLS,
		Sender: r.Sender, Recipients: r.Addresses(), Received: r.Time,
	}
	if ip, err := netip.ParseAddr(r.Client); err == nil {
		env.Client = netip.AddrPortFrom(ip, 0)
	}
	if len(env.Recipients) == 0 {
		env.Recipients = []string{""}
	}
	return env
}

// errNoRecord is why a mail in a file is not compared with what became of it.
var errNoRecord = errors.New("what became of it is not known, as it is no kept message; name another configuration by --with")
