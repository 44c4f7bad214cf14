package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/api"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/help"
	"github.com/milterscan/milterscan/cmd/milterscan/console/link"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// Times for people with browsers, who may be on slow lines and bring mails to judge.
const (
	consoleRead  = 2 * time.Minute
	consoleWrite = 3 * time.Minute
)

// newConsole returns the server of pages that is not listening yet. The pages are made when it listens: their
// templates, in all languages, take more memory than everything that mail needs.
func (d *Daemon) newConsole() (*web, error) {
	var pages *console.Console
	var err error
	made := func() *console.Console { return pages }
	d.pages = console.NewStores(d.config.Load, func(err error) { d.Stores.Warn(err) })
	d.pages.Share(d.Stores)
	if d.people, err = newPeople(d.first.Console, d.Stores.Tables(), d.log, d.newOwners(), made, d.once); err != nil {
		return nil, err
	}
	d.examiner = d.newExaminer()
	d.bench = replay.NewBench(d.path,
		func(err error) { d.log.Warn("the trial of a configuration has failed", zap.Error(err)) })
	return &web{
		section: "console",
		ended:   func(f ...zap.Field) { d.log.Error("the console is not served any more", f...) },
		handler: sync.OnceValues(func() (_ http.Handler, err error) {
			pages, err = d.newPages(made)
			return d.people.Load(pages), err
		}),
		read:    consoleRead,
		write:   consoleWrite,
		secure:  func(l net.Listener) net.Listener { return &secured{Listener: l, config: d.config.Load} },
		log:     d.log,
		servers: map[config.Address]*webServer{},
	}, nil
}

// newPages makes all pages. Links lead to those of the console, once it is made.
func (d *Daemon) newPages(made func() *console.Console) (*console.Console, error) {
	links, err := link.New(link.Options{Host: linkHost{host{d.pages, d}}, Audit: d.people.Audit, Now: time.Now, Pages: made})
	if err != nil {
		return nil, err
	}
	pages, err := console.New(console.Options{People: d.people, Host: host{d.pages, d}, Log: d.log,
		Now: time.Now, Bench: d.bench, Surface: []console.Surface{d.people.surface(), links.Surface(d.people.Who)}})
	if err != nil {
		return nil, err
	}
	who := d.newFolk(pages)
	pages.Mount(api.New(pages, bearers{d.people.accounts, d.people.owners}, who))
	return pages, errors.Join(folk.Mount(who, d.people.Who), help.Mount(pages, d.people), d.mountAppeals(pages), d.mountMine(pages))
}

// once notes that something is used that is good once, and reports whether it is the first time.
func (d *Daemon) once(ctx context.Context, name string, expires time.Time) (bool, error) {
	return d.Stores.People(d.config.Load()).UseOnce(ctx, name, expires)
}

// host is the daemon as pages see it.
type host struct {
	*console.Stores
	d *Daemon
}

// noteTime is how long the file of the console may take to note a reload.
const noteTime = 10 * time.Second

// noteReload writes down what a reload has changed, where there is a console to show it.
func (d *Daemon) noteReload(ctx context.Context, generation uint64, c *config.Config, refused error) {
	if len(c.Console.Listen) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	if err := d.pages.NoteReload(ctx, generation, c, refused); err != nil {
		d.log.Warn("the reload is not written down for the console", zap.Error(err))
	}
}

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
	return tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.current, GetConfigForClient: s.settings}), nil
}

// settings asks clients for certificates where the configuration names who may have
// made them. One that shows none may log in by other ways.
func (s *secured) settings(*tls.ClientHelloInfo) (*tls.Config, error) {
	file := s.config().Console.ClientCA
	if file == "" {
		return nil, nil
	}
	clients, err := units.Authorities(file)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.current, ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs: clients, NextProtos: []string{"http/1.1"}}, nil
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
