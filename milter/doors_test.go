package milter

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// listening returns options with addresses, each a socket in dir.
func (f *fixture) listening(dir string, names ...string) Options {
	o := f.options
	o.Listen = nil
	for _, n := range names {
		o.Listen = append(o.Listen, "unix:"+filepath.Join(dir, n))
	}
	return o
}

// at returns a client that has connected to a socket.
func (f *fixture) at(t *testing.T, dir, name string) *rawClient {
	t.Helper()
	other := *f
	other.options = f.listening(dir, name)
	r := other.raw(t)
	r.negotiate(6, allActions, allProtocol)
	return r
}

// noSocket fails if there is anything at a path.
func noSocket(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", path, err)
	}
}

// TestReloadOpensAndCloses goes from one socket to two, and to the second alone:
// the message in flight at the first is answered, its session ends, and nobody can
// connect there any more.
func TestReloadOpensAndCloses(t *testing.T) {
	j, judged, letGo := held()
	f := start(t, j, Options{DrainTimeout: time.Minute})
	dir := filepath.Dir(f.path())
	inFlight := f.at(t, dir, "m")
	if err := f.Reload(f.listening(dir, "m", "n")); err != nil {
		t.Fatal(err)
	}
	second := f.at(t, dir, "n")
	inFlight.put(strings.Join(wire(), ""))
	<-judged
	if err := f.Reload(f.listening(dir, "n")); err != nil {
		t.Fatal(err)
	}
	noSocket(t, filepath.Join(dir, "m"))
	if n := len(f.Addrs()); n != 1 {
		t.Errorf("%d addresses", n)
	}
	close(letGo)
	if a := inFlight.answer(); a.code != 'a' {
		t.Errorf("in flight at the closed socket: %v", a)
	}
	if a := second.message(); a.code != 'a' {
		t.Errorf("at the other: %v", a)
	}
}

// TestClosedDoorIsEmptied has an idle session and a message in flight at a socket
// that is closed, and too little time for either.
func TestClosedDoorIsEmptied(t *testing.T) {
	j, judged, _ := held()
	f := start(t, j, Options{DrainTimeout: 10 * time.Millisecond})
	dir := filepath.Dir(f.path())
	idle, busy := f.at(t, dir, "m"), f.at(t, dir, "m")
	busy.put(strings.Join(wire(), ""))
	<-judged
	if err := f.Reload(f.listening(dir, "n")); err != nil {
		t.Fatal(err)
	}
	idle.closed()
	busy.closed()
	if a := f.at(t, dir, "n"); a == nil {
		t.Error("the new socket is dead")
	}
}

// TestReloadListensAgain removes the file of a socket, and puts another in its
// place: after a reload MTAs can connect again, and those that were connected go
// on.
func TestReloadListensAgain(t *testing.T) {
	f := start(t, newFake(), Options{})
	dir := filepath.Dir(f.path())
	before := f.at(t, dir, "m")
	for _, damage := range []func(){
		func() {},
		func() { os.Remove(f.path()) },
		func() { // another socket that nobody listens on
			os.Remove(f.path())
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: f.path(), Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
		},
	} {
		damage()
		if err := f.Reload(f.options); err != nil {
			t.Fatal(err)
		}
		if a := f.at(t, dir, "m").message(); a.code != 'a' {
			t.Errorf("a new connection: %v", a)
		}
	}
	if a := before.message(); a.code != 'a' {
		t.Errorf("an old connection: %v", a)
	}
	if n := f.logs.FilterMessage("the file of a socket was gone; it is listened on again").Len(); n != 2 {
		t.Errorf("logged %d times", n)
	}
}

// TestReloadThatFails asks for an address that cannot be had: nothing changes.
func TestReloadThatFails(t *testing.T) {
	f := start(t, newFake(), Options{MaxRecipients: 7})
	dir := filepath.Dir(f.path())
	for what, change := range map[string]func(*Options){
		"a directory that is not there": func(o *Options) { o.Listen = append(o.Listen, "unix:"+filepath.Join(dir, "none", "x")) },
		"an owner that is not there":    func(o *Options) { o.SocketOwner = "nobody-of-that-name" },
	} {
		o := f.listening(dir, "m", "n")
		change(&o)
		o.MaxRecipients = 9
		if err := f.Reload(o); err == nil {
			t.Errorf("%s: no error", what)
		}
		noSocket(t, filepath.Join(dir, "n"))
		if n := f.Server.options().MaxRecipients; n != 7 || len(f.Addrs()) != 1 {
			t.Errorf("%s: %d recipients, listening at %v", what, n, f.Addrs())
		}
		if a := f.at(t, dir, "m").message(); a.code != 'a' {
			t.Errorf("%s: %v", what, a)
		}
	}
}

// TestReloadOfLimits changes what a message may be: that in flight keeps what was
// at its MAIL, the next one of the connection has the new limit.
func TestReloadOfLimits(t *testing.T) {
	j, kept := newFake(), make(chan int64, 3)
	j.rule = func(_ context.Context, r scan.Received) policy.Ruling {
		kept <- r.Raw.Size()
		return policy.Ruling{}
	}
	f := start(t, j, Options{MaxMessage: 1000, MaxConnections: 1})
	dir := filepath.Dir(f.path())
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol&^0x7000) // which answers at connect, HELO and MAIL
	events := wire()
	r.put(strings.Join(events[:4], ""))
	o := f.options
	o.MaxMessage, o.MaxConnections, o.SocketMode = 5, 2, 0o600
	r.reply() // to connect
	r.reply() // to HELO
	r.reply() // to MAIL: its limits are settled
	if err := f.Reload(o); err != nil {
		t.Fatal(err)
	}
	r.put(strings.Join(events[4:], ""))
	full := <-kept
	r.answer()
	r.put(strings.Join(slices.Delete(slices.Clone(events), 1, 3), ""))
	if next := <-kept; full <= 5 || next != 5 {
		t.Errorf("kept %d bytes of the message in flight and %d of the next", full, next)
	}
	f.at(t, dir, "m") // a second connection, which did not fit before
	if info, err := os.Stat(f.path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestReloadAfterTheEnd is refused.
func TestReloadAfterTheEnd(t *testing.T) {
	f := start(t, newFake(), Options{})
	f.stop()
	if f.Reload(f.options) == nil {
		t.Error("it is not")
	}
	noSocket(t, f.path())
}
