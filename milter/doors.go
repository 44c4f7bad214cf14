package milter

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"
)

// door is an address that is listened on. Its listener may be replaced, as when
// the file of a socket is gone; its messages stay what they are.
type door struct {
	address   string
	listener  net.Listener
	inherited bool
	flights   *flights // the messages that came in here
	sessions  *flights // the connections
}

func newDoor(address string, l net.Listener, inherited bool) *door {
	return &door{address, l, inherited, newFlights(), newFlights()}
}

// inherit takes over the sockets that another process, such as systemd, has opened.
func (s *Server) inherit(listeners []net.Listener) {
	for _, l := range listeners {
		address := l.Addr().Network() + ":" + l.Addr().String()
		s.doors = append(s.doors, newDoor(address, l, true))
	}
}

// open opens the addresses that the server does not listen on yet, or none. A
// socket whose file is gone is opened again, and returned with the door it
// belongs to.
func (s *Server) open(o Options) (opened []*door, again map[*door]net.Listener, err error) {
	again = map[*door]net.Listener{}
	for _, address := range o.Listen {
		d := s.doorAt(address)
		if d != nil && !gone(d.listener) {
			continue
		}
		l, err := o.listen(address)
		if err != nil {
			closeAll(opened)
			for _, l := range again {
				l.Close()
			}
			return nil, nil, err
		}
		if d != nil {
			again[d] = l
			continue
		}
		opened = append(opened, newDoor(address, l, false))
	}
	return opened, again, nil
}

func (s *Server) doorAt(address string) *door {
	i := slices.IndexFunc(s.doors, func(d *door) bool { return d.address == address })
	if i < 0 {
		return nil
	}
	return s.doors[i]
}

// gone reports whether the file of a unix socket of ours is not there any more,
// or is that of another socket: no MTA can connect.
func gone(l net.Listener) bool {
	u, ours := l.(*socket)
	if !ours {
		return false
	}
	now, err := os.Lstat(u.path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, u.made)
}

func closeAll(doors []*door) {
	for _, d := range doors {
		d.listener.Close()
	}
}

// Reload takes new options, after Listen. Addresses that are new are
// opened, and sockets whose file is gone; those that are not wanted any more are
// closed: sessions there have Options.DrainTimeout to end, then their messages in
// flight have the same, and new ones are told 421. Sockets that were inherited stay. Limits on messages are for
// the next message of a connection, times for the next connection. An error
// leaves everything as it was.
func (s *Server) Reload(o Options) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.ended {
		return errors.New("milter: shutting down")
	}
	o = o.withDefaults()
	opened, again, err := s.open(o)
	if err != nil {
		return err
	}
	if err := s.dress(o); err != nil {
		closeAll(opened)
		return err
	}
	s.set.Store(&o)
	s.slots.resize(o.MaxConnections)
	for d, l := range again {
		s.log.Warn("the file of a socket was gone; it is listened on again", zap.String("address", d.address))
		d.listener.Close()
		d.listener = l
		s.attend(d, l)
	}
	for _, d := range opened {
		s.log.Info("listening", zap.String("address", d.address))
		s.attend(d, d.listener)
	}
	s.doors = append(s.doors, opened...)
	s.retire(o)
	return nil
}

// dress gives the unix sockets that stay their owner and mode.
func (s *Server) dress(o Options) error {
	for _, d := range s.doors {
		u, ours := d.listener.(*socket)
		if !ours || gone(u) || !slices.Contains(o.Listen, d.address) {
			continue
		}
		if err := o.own(u.path); err != nil {
			return err
		}
	}
	return nil
}

// attend accepts connections at a door, once Serve is running.
func (s *Server) attend(d *door, l net.Listener) {
	work := s.work
	if work == nil {
		return
	}
	s.loops.Go(func() { s.accept(work, d, l) })
}

// retire closes the doors that are not wanted any more.
func (s *Server) retire(o Options) {
	work := s.work
	s.doors = slices.DeleteFunc(s.doors, func(d *door) bool {
		if d.inherited || slices.Contains(o.Listen, d.address) {
			return false
		}
		s.log.Info("not listening any more", zap.String("address", d.address))
		d.listener.Close()
		if work == nil {
			return true
		}
		s.retired = append(s.retired, d)
		s.loops.Go(func() { s.empty(work, d, o.DrainTimeout) })
		return true
	})
}

// empty lets the sessions that came in at a closed door go on for a while, then
// those of their messages that are in flight, and then ends them.
func (s *Server) empty(ctx context.Context, d *door, patience time.Duration) {
	waitFor(ctx, d.sessions.close(), patience)
	waitFor(ctx, d.flights.close(), patience)
	s.abandon(func(c *conn) bool { return c.door == d })
	s.changing.Lock()
	defer s.changing.Unlock()
	s.retired = slices.DeleteFunc(s.retired, func(other *door) bool { return other == d })
}

// waitFor waits until c is closed, at most for a time, and no longer than ctx.
func waitFor(ctx context.Context, c <-chan struct{}, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	select {
	case <-c:
	case <-ctx.Done():
	}
}
