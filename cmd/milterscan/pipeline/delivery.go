package pipeline

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Delivery is what an MTA would say about a message that comes from a file.
type Delivery struct {
	From, Client, Helo, Auth string
	To                       []string
}

// Envelope returns the envelope of the delivery. Without recipients there is
// one without an address.
func (d *Delivery) Envelope() (scan.Envelope, error) {
	env := scan.Envelope{
		Helo:       d.Helo,
		AuthUser:   d.Auth,
		Sender:     trimAngles(d.From),
		Recipients: []string{""},
		Received:   time.Now(),
	}
	if len(d.To) > 0 {
		env.Recipients = nil
		for _, to := range d.To {
			env.Recipients = append(env.Recipients, trimAngles(to))
		}
	}
	if d.Client != "" {
		ip, err := netip.ParseAddr(d.Client)
		if err != nil {
			return env, fmt.Errorf("client %q is not an IP address", d.Client)
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
