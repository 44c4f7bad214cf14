// Package survey looks at a host before milterscan has a configuration there: which MTA takes
// mail, and for which domains; which engines and scorers answer; what the resolvers hear from DNS
// lists; how much room there is. It changes nothing, and tells what it could not find out.
package survey

import (
	"context"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/units"
)

// Places says where to look.
type Places struct {
	MTA   string // its name; "" for those that are here
	At    setup.Place
	Clamd []string // files that may be clamd.conf; the first that is there counts
	Names string   // resolv.conf
	List  string   // the zone of the DNS list that is asked for its test entry
	Spamd []string // where spamd may listen
	// Rspamd is where a worker of rspamd that judges mail may listen.
	Rspamd []string
	State  string // the directory below which milterscan keeps mail
	Spool  string // the directory for mail in flight
}

// Usual returns the usual places.
func Usual() Places {
	return Places{
		Clamd: []string{"/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf",
			"/usr/local/etc/clamd.conf", "/usr/local/etc/clamav/clamd.conf"},
		Names:  "/etc/resolv.conf",
		List:   "zen.spamhaus.org",
		Spamd:  []string{"tcp:127.0.0.1:783", "tcp:[::1]:783", "unix:/run/spamd.sock"},
		Rspamd: []string{"http://127.0.0.1:11333", "http://[::1]:11333"},
		State:  "/var/lib/milterscan",
		Spool:  "",
	}
}

// Host is what Look has seen.
type Host struct {
	MTAs      []MTA
	Clamd     *Clamd // nil if there is none
	Resolvers []Resolver
	Scorers   []Scorer
	Room      Room
}

// patience bounds the time of Look.
const patience = time.Minute

// Look looks at everything at the same time. Its error says why the named MTA, or the only one,
// cannot be read.
func (p Places) Look(ctx context.Context) (*Host, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h := &Host{Room: p.room()}
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { h.MTAs, err = p.mtas(ctx) })
	wg.Go(func() { h.Clamd = p.clamd(ctx) })
	wg.Go(func() { h.Resolvers = p.resolvers(ctx, dnsClient) })
	wg.Go(func() { h.Scorers = p.scorers(ctx) })
	wg.Wait()
	return h, err
}

// dnsClient returns a resolver that asks one server.
func dnsClient(s dns.Server) dns.Resolver {
	c := dns.DefaultConfig()
	c.Servers = []dns.Server{s}
	return dns.NewClient(c)
}

// Room is the free memory and disk; 0 if that is not known.
type Room struct {
	Memory, State, Spool units.Size
}
