package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy/config"
)

// Times for those who fetch counts. They are few, and mail waits for none of them.
const (
	webPatience = 10 * time.Second // to send a question
	webTime     = 30 * time.Second // to take the answer
)

// webMode is the mode of unix sockets: the program that asks there is in the group.
const webMode = 0o660

// mostAsking is how many connections one address has at the same time; further ones
// wait.
const mostAsking = 100

// web serves one section of the configuration over HTTP.
type web struct {
	section string                          // "metrics"
	ended   func(...zap.Field)              // says that a listener has failed
	handler func() (http.Handler, error)    // makes what answers, or returns what was made
	read    time.Duration                   // for a whole question
	write   time.Duration                   // for a whole answer
	secure  func(net.Listener) net.Listener // puts TLS around connections; nil for none
	log     *zap.Logger
	servers map[config.Address]*webServer
	serving sync.WaitGroup
}

// webServer answers at one address.
type webServer struct {
	http.Server
	ended atomic.Bool // of itself, which must not be
}

// newWeb returns a server of the daemon's counts that is not listening yet.
func (d *Daemon) newWeb() *web {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", d.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.answerReady)
	return &web{section: "metrics", handler: func() (http.Handler, error) { return mux, nil }, read: webPatience, write: webTime, log: d.log,
		ended:   func(f ...zap.Field) { d.log.Error("counts are not served any more", f...) },
		servers: map[config.Address]*webServer{}}
}

// listenAll has all servers listen where a configuration says, or leaves everything as
// it was.
func (d *Daemon) listenAll(c *config.Config) error {
	if err := d.people.use(c.Console); err != nil {
		return err
	}
	if err := d.web.use(c.Metrics.Listen); err != nil {
		return err
	}
	return d.console.use(c.Console.Listen)
}

// use listens at some addresses, and no longer at those it listened at before. If one
// cannot be opened, nothing changes.
func (w *web) use(addresses []config.Address) error {
	for a, s := range w.servers {
		if s.ended.Load() {
			delete(w.servers, a)
		}
	}
	opened, err := w.open(addresses)
	var answers http.Handler
	if err == nil && len(opened) > 0 {
		answers, err = w.handler()
	}
	if err != nil {
		for _, l := range opened {
			l.Close()
		}
		return fmt.Errorf("%s.listen: %w", w.section, err)
	}
	for a, s := range w.servers {
		if !slices.Contains(addresses, a) {
			s.Close()
			delete(w.servers, a)
		}
	}
	for a, l := range opened {
		w.serve(a, l, answers)
	}
	return nil
}

// open opens those of the addresses that are not open yet. With an error it returns those opened before.
func (w *web) open(addresses []config.Address) (map[config.Address]net.Listener, error) {
	opened := map[config.Address]net.Listener{}
	for _, a := range addresses {
		if w.servers[a] != nil || opened[a] != nil {
			continue
		}
		l, err := milter.ListenOn(string(a), webMode, "")
		if err != nil {
			return opened, err
		}
		opened[a] = l
	}
	return opened, nil
}

// serve has a handler answer at an address until its server is closed.
func (w *web) serve(a config.Address, l net.Listener, h http.Handler) {
	s := &webServer{Server: http.Server{Handler: h, ReadHeaderTimeout: webPatience, ReadTimeout: w.read, WriteTimeout: w.write,
		IdleTimeout: webTime, MaxHeaderBytes: 16 << 10, ErrorLog: zap.NewStdLog(w.log)}}
	w.servers[a] = s
	l = netutil.LimitListener(l, mostAsking)
	if w.secure != nil {
		l = w.secure(l)
	}
	w.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.ended.Store(true)
			w.ended(zap.String("address", string(a)), zap.Error(err))
		}
	})
}

// close ends all servers.
func (w *web) close() {
	for _, s := range w.servers {
		s.Close()
	}
	w.serving.Wait()
}
