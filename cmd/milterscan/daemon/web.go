package daemon

import (
	"context"
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
	"github.com/milterscan/milterscan/policy/tell/metrics"
	"github.com/milterscan/milterscan/scan/contents/virus"
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
	section string             // "metrics"
	ended   func(...zap.Field) // says that a listener has failed
	handler http.Handler
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
	return &web{section: "metrics", handler: mux, read: webPatience, write: webTime, log: d.log,
		ended:   func(f ...zap.Field) { d.log.Error("counts are not served any more", f...) },
		servers: map[config.Address]*webServer{}}
}

// listenAll has all servers listen where a configuration says, or leaves everything as
// it was.
func (d *Daemon) listenAll(c *config.Config) error {
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
	opened := map[config.Address]net.Listener{}
	for _, a := range addresses {
		if w.servers[a] != nil || opened[a] != nil {
			continue
		}
		l, err := milter.ListenOn(string(a), webMode, "")
		if err != nil {
			for _, l := range opened {
				l.Close()
			}
			return fmt.Errorf("%s.listen: %w", w.section, err)
		}
		opened[a] = l
	}
	for a, s := range w.servers {
		if !slices.Contains(addresses, a) {
			s.Close()
			delete(w.servers, a)
		}
	}
	for a, l := range opened {
		w.serve(a, l)
	}
	return nil
}

// serve answers at an address until its server is closed.
func (w *web) serve(a config.Address, l net.Listener) {
	s := &webServer{Server: http.Server{Handler: w.handler, ReadHeaderTimeout: webPatience, ReadTimeout: w.read, WriteTimeout: w.write,
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

// answerReady answers whether mail can be judged: the daemon listens, the spool
// takes messages, and every engine that mail waits for answers.
func (d *Daemon) answerReady(w http.ResponseWriter, r *http.Request) {
	troubles := d.ready.ask(r.Context(), d)
	if len(troubles) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, t := range troubles {
		fmt.Fprintln(w, t)
	}
}

// readiness keeps the answer to "can mail be judged" for a moment, so that asking
// often costs the engines little.
type readiness struct {
	mu       sync.Mutex
	at       time.Time
	troubles []string
}

// Times of the question whether mail can be judged.
const (
	readyFor  = 5 * time.Second // an answer holds
	readyTime = 3 * time.Second // the engines may take
)

// ask returns the reasons why mail is not judged, none if it is.
func (r *readiness) ask(ctx context.Context, d *Daemon) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) < readyFor {
		return r.troubles
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	r.troubles = d.troubles(ctx)
	r.at = time.Now()
	return r.troubles
}

// troubles asks the server, the spool and the engines, and returns the reasons why mail
// cannot be judged.
func (d *Daemon) troubles(ctx context.Context) (list []string) {
	if len(d.server.Addrs()) == 0 {
		list = append(list, "no address is listened on")
	}
	if err := d.Spool.Check(); err != nil {
		list = append(list, "messages cannot be spooled: "+err.Error())
	}
	for _, c := range d.config.Load().Virus {
		if !c.Asks() || c.OnFailure == "deliver" {
			continue
		}
		e, err := virus.Open(c)
		if err == nil {
			_, err = e.Health(ctx)
		}
		if err != nil {
			list = append(list, c.Name+": "+err.Error())
		}
	}
	return list
}

// counts adds what other parts of the daemon know to the metrics.
func (d *Daemon) counts() *metrics.Metrics {
	m := metrics.New(d.version)
	m.Gauge("spool_memory_bytes", "Bytes of messages in memory.", nil, func() float64 { memory, _ := d.Spool.Used(); return float64(memory) })
	m.Gauge("spool_disk_bytes", "Bytes of messages in files of the spool.", nil, func() float64 { _, disk := d.Spool.Used(); return float64(disk) })
	m.Gauge("generation", "Number of the configuration in force; 1 is the first.", nil, func() float64 {
		return float64(d.current.Load().Generation())
	})
	m.Gauge("troubles", "Checks, engines and stores that do not answer now.", nil, func() float64 { return float64(d.health.count()) })
	m.Total("history_records_lost_total", "Records that the history could not keep.", nil, func() float64 { return float64(d.recorder.Lost()) })
	return m
}
