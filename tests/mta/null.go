package mta

import (
	"net"

	"github.com/d--j/go-milter"
)

// ServeNull answers on l as a milter that looks at everything and wants nothing:
// what the protocol costs by itself. It returns when l is closed.
func ServeNull(l net.Listener) error {
	return milter.NewServer(
		milter.WithMilter(func() milter.Milter { return &milter.NoOpMilter{} }),
		milter.WithProtocols(milter.OptNoConnReply|milter.OptNoHeloReply|milter.OptNoMailReply|milter.OptNoRcptReply|
			milter.OptNoDataReply|milter.OptNoHeaderReply|milter.OptNoEOHReply|milter.OptNoBodyReply),
	).Serve(l)
}
