package milter

import (
	"net"
	"os"
	"time"
)

// Options say where a server listens and what one MTA may cost. A zero field
// takes its default.
type Options struct {
	// Listen are the addresses, "unix:/path" or "tcp:host:port". Milter has no
	// encryption and no authentication: any client that can connect is believed.
	Listen []string
	// Inherited are sockets that another process has opened, such as systemd. The
	// server listens on them as well as on Listen, and instead of an address there
	// that is theirs. They become the server's.
	Inherited []net.Listener
	// SocketMode and SocketOwner ("user", "user:group" or ":group", names or
	// numbers) are given to unix sockets. Default: 0660, the user who runs the server.
	SocketMode  os.FileMode
	SocketOwner string

	MaxConnections int   // open at once; as many more wait. MTAs share them, see slots. Default 1000
	MaxRecipients  int   // of one message; each further one is told 452 4.5.3. Default 10000
	MaxMessage     int64 // bytes stored of one message; see scan.Received.Truncated. Default 100 MiB
	MaxHeader      int64 // bytes stored of its header. Default 1 MiB

	NegotiationTimeout time.Duration // from connection to the first command. Default 10s
	ReadTimeout        time.Duration // between two commands; more than the MTA's longest wait for a client. Default 2h
	WriteTimeout       time.Duration // for the MTA to take a reply. Default 30s
	ProgressEvery      time.Duration // how often the MTA is told that work goes on; less than its shortest timeout, Sendmail's 10s. Default 5s
	AnswerWithin       time.Duration // how long it is told so; more than a message may take. Default 10m
	DrainTimeout       time.Duration // for messages in flight at shutdown. Default 30s
}

// withDefaults fills in the zero fields.
func (o Options) withDefaults() Options {
	or(&o.SocketMode, 0o660)
	or(&o.MaxConnections, 1000)
	or(&o.MaxRecipients, 10000)
	or(&o.MaxMessage, 100<<20)
	or(&o.MaxHeader, 1<<20)
	or(&o.NegotiationTimeout, 10*time.Second)
	or(&o.ReadTimeout, 2*time.Hour)
	or(&o.WriteTimeout, 30*time.Second)
	or(&o.ProgressEvery, 5*time.Second)
	or(&o.AnswerWithin, 10*time.Minute)
	or(&o.DrainTimeout, 30*time.Second)
	return o
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
