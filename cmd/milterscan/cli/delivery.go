package cli

import (
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
)

// Addresses is a flag that may be given several times.
type Addresses []string

// String and Set make Addresses a flag.Value.
func (a *Addresses) String() string     { return fmt.Sprint(*a) }
func (a *Addresses) Set(s string) error { *a = append(*a, s); return nil }

// DeliveryFlags registers the flags by which scan and filter are told what an
// MTA would say about the message.
func DeliveryFlags(f *Options) *pipeline.Delivery {
	var d pipeline.Delivery
	f.StringVar(&d.From, "from", "", "envelope sender `address`")
	f.Var((*Addresses)(&d.To), "to", "envelope recipient `address`; may be given several times")
	f.StringVar(&d.Client, "client", "", "`IP` address of the client")
	f.StringVar(&d.Helo, "helo", "", "`name` the client gave in HELO")
	f.StringVar(&d.Auth, "auth", "", "`user` the client authenticated as")
	return &d
}
