package daemon

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/config"
)

// Times for people with browsers, who may be on slow lines and bring mails to judge.
const (
	consoleRead  = 2 * time.Minute
	consoleWrite = 3 * time.Minute
)

// newConsole returns the server of pages that is not listening yet.
func (d *Daemon) newConsole() (*web, error) {
	pages, err := console.New(console.Options{People: strangers{}, Host: host{d}, Log: d.log, Now: time.Now})
	if err != nil {
		return nil, err
	}
	return &web{
		section: "console",
		ended:   func(f ...zap.Field) { d.log.Error("the console is not served any more", f...) },
		handler: pages,
		read:    consoleRead,
		write:   consoleWrite,
		secure:  func(l net.Listener) net.Listener { return &secured{Listener: l, config: d.config.Load} },
		log:     d.log,
		servers: map[config.Address]*webServer{},
	}, nil
}

// host is the daemon as pages see it.
type host struct{ d *Daemon }

// Config returns the configuration in force.
func (h host) Config() *config.Config { return h.d.config.Load() }

// strangers are all who ask where nobody can log in.
type strangers struct{}

// Who knows nobody.
func (strangers) Who(*http.Request) (login.Person, error) { return login.Person{}, console.ErrNobody }

// Audit has nothing to write.
func (strangers) Audit(*http.Request, login.Person, login.Right, string, string) error { return nil }

// secured puts TLS around connections while the configuration names a certificate.
type secured struct {
	net.Listener
	config func() *config.Config

	mu          sync.Mutex
	files       [2]string
	read        time.Time // when the certificate was last changed
	certificate *tls.Certificate
}

// Accept returns the next connection. A certificate that cannot be read ends the
// handshake, not the server.
func (s *secured) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil || s.config().Console.Certificate == "" {
		return conn, err
	}
	return tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.current}), nil
}

// current returns the certificate that is in the files now: it is renewed without
// a reload.
func (s *secured) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.config().Console
	info, err := os.Stat(c.Certificate)
	if err != nil {
		return nil, err
	}
	files := [2]string{c.Certificate, c.Key}
	if s.certificate != nil && s.files == files && info.ModTime().Equal(s.read) {
		return s.certificate, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, err
	}
	s.certificate, s.files, s.read = &pair, files, info.ModTime()
	return s.certificate, nil
}
