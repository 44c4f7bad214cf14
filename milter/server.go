package milter

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/spool"
)

// lastGrace is how long answers may take to be sent once the time for draining
// is over and the judges have been told.
const lastGrace = 2 * time.Second

// Server answers MTAs on any number of addresses.
type Server struct {
	options Options
	current func() Judge
	spool   *spool.Spool
	log     *zap.Logger

	listeners []net.Listener
	slots     chan struct{} // one for each connection that may be open
	flights   *flights

	mu       sync.Mutex
	conns    map[*conn]struct{}
	sessions sync.WaitGroup
}

// New returns a server that is not listening yet. current returns the judge of
// now; it is asked at each connection and each message. Messages are kept in
// sp while they arrive.
func New(o Options, current func() Judge, sp *spool.Spool, log *zap.Logger) *Server {
	o = o.withDefaults()
	return &Server{
		options: o,
		current: current,
		spool:   sp,
		log:     log,
		slots:   make(chan struct{}, o.MaxConnections),
		flights: newFlights(),
		conns:   make(map[*conn]struct{}),
	}
}

// Listen opens all addresses that were not inherited, or none. A unix socket left
// behind by a process that is gone is replaced; one that answers is an error.
func (s *Server) Listen() error {
	s.listeners = slices.Clone(s.options.Inherited)
	if len(s.options.Listen)+len(s.listeners) == 0 {
		return errors.New("milter: no address to listen on")
	}
	for _, address := range s.options.Listen {
		if s.options.inherits(address) {
			continue
		}
		l, err := s.options.listen(address)
		if err != nil {
			s.closeListeners()
			return err
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

// Addrs are the addresses listened on: those inherited, then those configured.
func (s *Server) Addrs() []net.Addr {
	var all []net.Addr
	for _, l := range s.listeners {
		all = append(all, l.Addr())
	}
	return all
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		l.Close()
	}
}

// Serve answers until ctx is done. Then new messages are refused with 421, and
// those in flight have Options.DrainTimeout to finish. When it returns, all
// connections are closed and nothing of the server is running any more. It is
// called once, after Listen.
func (s *Server) Serve(ctx context.Context) error {
	if len(s.listeners) == 0 {
		return errors.New("milter: not listening")
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var loops sync.WaitGroup
	for _, l := range s.listeners {
		loops.Go(func() { s.accept(work, l) })
	}
	<-ctx.Done()
	s.drain(cancel)
	s.closeListeners()
	loops.Wait()
	s.abandonAll()
	s.sessions.Wait()
	return nil
}

// drain waits for the messages in flight; those that take too long have their
// context ended by cancel, and a moment to be answered with.
func (s *Server) drain(cancel context.CancelFunc) {
	defer cancel()
	landed := s.flights.close()
	if wait(landed, s.options.DrainTimeout) {
		return
	}
	s.log.Warn("shutting down with messages in flight; the MTA will try them again", zap.Duration("waited", s.options.DrainTimeout))
	cancel()
	wait(landed, lastGrace)
}

// wait reports whether c was closed within d.
func wait(c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

// accept takes connections until the listener is closed or ctx is done. An error such as
// having no descriptor left is waited out: it passes, and the next one must be
// answered.
func (s *Server) accept(ctx context.Context, l net.Listener) {
	var pause time.Duration
	for {
		raw, err := l.Accept()
		if err == nil {
			pause = 0
			s.admit(ctx, raw)
			continue
		}
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.log.Error("cannot accept connections", zap.Error(err), zap.Stringer("address", l.Addr()), zap.Duration("retry", pause))
		wait(ctx.Done(), pause)
	}
}

// admit starts a session once there is room for one.
func (s *Server) admit(ctx context.Context, raw net.Conn) {
	select {
	case s.slots <- struct{}{}:
	default:
		s.log.Warn("all connections are in use; more must wait", zap.Int("connections", s.options.MaxConnections))
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			raw.Close()
			return
		}
	}
	s.start(ctx, raw)
}

// start gives a connection its session and keeps account of it.
func (s *Server) start(ctx context.Context, raw net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	s.sessions.Add(1)
	var c *conn
	c = newConn(raw, s.options, func(cause error) {
		cancel()
		s.forget(c)
		<-s.slots
		s.tell(cause)
		s.sessions.Done()
	})
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go s.converse(ctx, cancel, c)
}

// converse reads what the MTA can do and hands the connection to a library
// server of its own: only so is it known which session has which connection.
func (s *Server) converse(ctx context.Context, cancel context.CancelFunc, c *conn) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic at negotiation", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			c.Close()
		}
	}()
	offered, err := c.offer()
	if err != nil {
		c.fail(err)
		c.Close()
		return
	}
	terms := offered.terms(s.refuses)
	session := callbacks{&session{server: s, conn: c, log: s.log, ctx: ctx, cancel: cancel}}
	if terms.protocol&gomilter.OptNoBodyReply != 0 {
		c.body = session
	}
	library := gomilter.NewServer(append(terms.library(), gomilter.WithMilter(func() gomilter.Milter { return session }))...)
	library.Serve(&once{conn: c})
}

// refuses reports whether an MTA that connects now may be refused at a stage.
func (s *Server) refuses(stage scan.Stage) bool {
	return s.flights.closed() || s.current().Refuses(stage)
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) abandonAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.abandon()
	}
}

// tell logs why a connection ended, if not in the usual way.
func (s *Server) tell(cause error) {
	var frame *frameError
	switch {
	case cause == nil, errors.Is(cause, io.EOF), errors.Is(cause, net.ErrClosed):
	case errors.As(cause, &frame):
		s.log.Warn("connection closed: the MTA broke the protocol", zap.Error(cause))
	case errors.Is(cause, os.ErrDeadlineExceeded):
		s.log.Warn("connection closed: the MTA did not answer in time")
	default:
		s.log.Info("connection lost", zap.Error(cause))
	}
}

// once is a listener for one connection.
type once struct{ conn net.Conn }

// Accept returns the connection, and net.ErrClosed ever after.
func (o *once) Accept() (net.Conn, error) {
	if o.conn == nil {
		return nil, net.ErrClosed
	}
	c := o.conn
	o.conn = nil
	return c, nil
}

// Close does nothing: the connection belongs to its session.
func (o *once) Close() error { return nil }

// Addr is an address without meaning.
func (o *once) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }
