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
	"sync/atomic"
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
	set     atomic.Pointer[Options]
	current func() Judge
	spool   *spool.Spool
	log     *zap.Logger
	slots   *slots
	agreed  atomic.Pointer[agreement] // with the last MTA

	changing sync.Mutex // held while doors change
	doors    []*door
	retired  []*door         // closed, with sessions in them
	work     context.Context // of all sessions; nil unless serving
	ended    bool

	loops    sync.WaitGroup // that accept, and that wait for messages in flight
	mu       sync.Mutex
	conns    map[*conn]struct{}
	sessions sync.WaitGroup

	accepted, unplaced atomic.Int64 // connections
}

// New returns a server that is not listening yet. current returns the judge of
// now; it is asked at each connection and each message. Messages are kept in
// sp while they arrive.
func New(o Options, current func() Judge, sp *spool.Spool, log *zap.Logger) *Server {
	o = o.withDefaults()
	s := &Server{
		current: current,
		spool:   sp,
		log:     log,
		slots:   newSlots(o.MaxConnections),
		conns:   make(map[*conn]struct{}),
	}
	s.set.Store(&o)
	return s
}

// options returns those of now.
func (s *Server) options() Options { return *s.set.Load() }

// Listen opens all addresses that were not inherited, or none. A unix socket left
// after by a process that is gone is replaced; one that answers is an error.
func (s *Server) Listen() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	o := s.options()
	s.inherit(o.Inherited)
	if len(o.Listen)+len(s.doors) == 0 {
		return errors.New("milter: no address to listen on")
	}
	opened, _, err := s.open(o)
	if err != nil {
		closeAll(s.doors)
		return err
	}
	s.doors = append(s.doors, opened...)
	return nil
}

// Addrs returns the addresses listened on: those inherited, then those configured.
func (s *Server) Addrs() []net.Addr {
	s.changing.Lock()
	defer s.changing.Unlock()
	var all []net.Addr
	for _, d := range s.doors {
		all = append(all, d.listener.Addr())
	}
	return all
}

// Serve answers until ctx is done. Then new messages are refused with 421, and
// those in flight have Options.DrainTimeout to finish. When it returns, all
// connections are closed and nothing of the server is running any more. It is
// called once, after Listen.
func (s *Server) Serve(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := s.begin(work); err != nil {
		return err
	}
	<-ctx.Done()
	doors := s.end()
	s.drain(doors, cancel)
	closeAll(doors)
	s.loops.Wait()
	s.abandon(func(*conn) bool { return true })
	s.sessions.Wait()
	return nil
}

// begin opens the doors.
func (s *Server) begin(work context.Context) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if len(s.doors) == 0 {
		return errors.New("milter: not listening")
	}
	s.work = work
	for _, d := range s.doors {
		s.attend(d, d.listener)
	}
	return nil
}

// end lets no more doors be opened, and returns those there are, and those that
// have been closed and still have sessions.
func (s *Server) end() []*door {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.work, s.ended = nil, true
	return slices.Concat(s.doors, s.retired)
}

// drain waits for the messages in flight; those that take too long have their
// context ended by cancel, and a moment to be answered with.
func (s *Server) drain(doors []*door, cancel context.CancelFunc) {
	defer cancel()
	patience := s.options().DrainTimeout
	if s.landed(doors, patience) {
		return
	}
	s.log.Warn("shutting down with messages in flight; the MTA will try them again", zap.Duration("waited", patience))
	cancel()
	s.landed(doors, lastGrace)
}

// landed lets no more messages begin, and reports whether those in flight at all
// doors end within d.
func (s *Server) landed(doors []*door, d time.Duration) bool {
	until := time.Now().Add(d)
	for _, door := range doors {
		door.flights.close()
	}
	for _, door := range doors {
		if !wait(door.flights.close(), time.Until(until)) {
			return false
		}
	}
	return true
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
func (s *Server) accept(ctx context.Context, d *door, l net.Listener) {
	var pause time.Duration
	for {
		raw, err := l.Accept()
		if err == nil {
			pause = 0
			s.admit(ctx, d, raw)
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

// admit starts a session once there is room for one. Meanwhile others may come in.
func (s *Server) admit(ctx context.Context, d *door, raw net.Conn) {
	s.accepted.Add(1)
	peer := peerOf(raw)
	if s.slots.takeFree(peer) {
		s.start(ctx, d, raw, peer)
		return
	}
	s.loops.Go(func() {
		if !s.slots.take(ctx, peer, s.crowded) {
			s.unplaced.Add(1)
			raw.Close()
			return
		}
		s.start(ctx, d, raw, peer)
	})
}

// crowded tells that connections wait, once for all that do.
func (s *Server) crowded(first bool) {
	if first {
		s.log.Warn("all connections are in use; more must wait", zap.Int("connections", s.options().MaxConnections))
	}
}

// start gives a connection its session and keeps account of it.
func (s *Server) start(ctx context.Context, d *door, raw net.Conn, peer string) {
	ctx, cancel := context.WithCancel(ctx)
	if !d.sessions.takeOff() { // the door was closed after it
		raw.Close()
		s.slots.giveUnused(peer)
		cancel()
		return
	}
	s.sessions.Add(1)
	var c *conn
	c = newConn(raw, s.options(), func(cause error) {
		cancel()
		s.forget(c)
		s.slots.give(c)
		d.sessions.land()
		s.tell(c, cause)
		s.sessions.Done()
	})
	c.door, c.peer = d, peer
	s.slots.occupy(c)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go s.converse(ctx, cancel, c)
}

// converse reads what the MTA can do and hands the connection to a library
// server used for it alone: only so is it known which session has which connection.
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
	terms := offered.terms(func(stage scan.Stage) bool { return s.refuses(c.door, stage) })
	session := callbacks{&session{server: s, conn: c, log: s.log, ctx: ctx, cancel: cancel, agreed: terms.protocol}}
	c.content = session
	library := gomilter.NewServer(append(s.library(terms), gomilter.WithMilter(func() gomilter.Milter { return session }))...)
	library.Serve(&once{conn: c})
}

// refuses reports whether an MTA that connects now may be refused at a stage.
func (s *Server) refuses(d *door, stage scan.Stage) bool {
	return d.flights.closed() || s.current().Refuses(stage)
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// abandon breaks connections off.
func (s *Server) abandon(which func(*conn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if which(c) {
			c.abandon()
		}
	}
}

// tell logs why a connection ended, if not in the usual way.
func (s *Server) tell(c *conn, cause error) {
	var frame *frameError
	switch {
	case c.phase.Load().kind == gaveWay:
		s.log.Warn("connection closed: it did nothing while others waited for a place", zap.String("peer", c.peer))
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

// Addr returns an address without meaning.
func (o *once) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }
