package main

import (
	"flag"
	"fmt"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// envelopeFlags are the flags by which scan and filter are told what an MTA
// would say about the message.
type envelopeFlags struct {
	from, client, helo, auth string
	to                       recipients
}

// recipients is a flag that may be given several times.
type recipients []string

// String and Set make recipients a flag.Value.
func (r *recipients) String() string     { return fmt.Sprint(*r) }
func (r *recipients) Set(s string) error { *r = append(*r, s); return nil }

func (e *envelopeFlags) register(f *flag.FlagSet) {
	f.StringVar(&e.from, "from", "", "envelope sender `address`")
	f.Var(&e.to, "to", "envelope recipient `address`; may be given several times")
	f.StringVar(&e.client, "client", "", "`IP` address of the client")
	f.StringVar(&e.helo, "helo", "", "`name` the client gave in HELO")
	f.StringVar(&e.auth, "auth", "", "`user` the client authenticated as")
}

// envelope is what the flags say. Without --to there is one recipient without
// an address.
func (e *envelopeFlags) envelope() (scan.Envelope, error) {
	env := scan.Envelope{
		Helo:       e.helo,
		AuthUser:   e.auth,
		Sender:     trimAngles(e.from),
		Recipients: []string{""},
		Received:   time.Now(),
	}
	if len(e.to) > 0 {
		env.Recipients = nil
		for _, to := range e.to {
			env.Recipients = append(env.Recipients, trimAngles(to))
		}
	}
	if e.client != "" {
		ip, err := netip.ParseAddr(e.client)
		if err != nil {
			return env, fmt.Errorf("--client %q is not an IP address", e.client)
		}
		env.Client = netip.AddrPortFrom(ip.Unmap(), 0)
	}
	return env, nil
}

// trimAngles takes the angle brackets off an address in a path.
func trimAngles(s string) string {
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}
