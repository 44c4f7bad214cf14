package milter

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/spool"
)

func server(o Options) *Server {
	return New(o, always(newFake()), spool.New("", 1<<20, 0), zap.NewNop())
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	o := Options{Listen: []string{"unix:" + filepath.Join(dir, "a"), "tcp:127.0.0.1:0", "tcp:[::1]:0"}, SocketMode: 0o600}
	s := server(o)
	if err := s.Listen(); err != nil {
		if strings.Contains(err.Error(), "::1") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(dir, "a"))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	for i, addr := range s.Addrs() {
		where := addr.String()
		if i == 0 {
			where = filepath.Join(dir, "a")
		}
		c, err := net.Dial(addr.Network(), where)
		if err != nil {
			t.Fatal(err)
		}
		r := &rawClient{c, t}
		r.negotiate(6, allActions, allProtocol)
		if a := r.message(); a.code != 'a' {
			t.Errorf("%v: %v", addr, a)
		}
		c.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	live := filepath.Join(dir, "live")
	l, err := net.Listen("unix", live)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tests := map[string]struct{ address, want string }{
		"a file":        {"unix:" + file, "is not a socket"},
		"a live socket": {"unix:" + live, "another process is listening"},
		"no path":       {"unix:", "write unix:/path or tcp:host:port"},
		"no network":    {"/run/x", "write unix:/path or tcp:host:port"},
		"bad port":      {"tcp:127.0.0.1:99999", "invalid port"},
		"no directory":  {"unix:/nonexistent/x", "no such file"},
	}
	for name, test := range tests {
		s := server(Options{Listen: []string{"unix:" + filepath.Join(dir, "first"), test.address}})
		if err := s.Listen(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "first")); err == nil {
			t.Errorf("%s: the first socket stays though the second cannot be", name)
		}
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Error("the file is gone")
	}
	if err := server(Options{}).Listen(); err == nil {
		t.Error("listening nowhere is no error")
	}
	if err := server(Options{}).Serve(context.Background()); err == nil {
		t.Error("serving without listening is no error")
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	s := server(Options{Listen: []string{"unix:" + path}})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	// A successor that has put its own socket there keeps it.
	os.Remove(path)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closeAll(s.doors)
	if _, err := os.Lstat(path); err != nil {
		t.Error("the successor's socket was taken away")
	}
}

func TestSocketOwner(t *testing.T) {
	for s, want := range map[string][2]int{"0": {0, -1}, "0:0": {0, 0}, ":0": {-1, 0}, "root": {0, -1}, "root:root": {0, 0}} {
		if uid, gid, err := owner(s); err != nil || uid != want[0] || gid != want[1] {
			t.Errorf("%q: %d, %d, %v", s, uid, gid, err)
		}
	}
	for _, s := range []string{"no-such-user", ":no-such-group", "-1"} {
		if _, _, err := owner(s); err == nil {
			t.Errorf("%q is an owner", s)
		}
	}
	s := server(Options{Listen: []string{"unix:" + filepath.Join(t.TempDir(), "m")}, SocketOwner: "no-such-user"})
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "no-such-user") {
		t.Errorf("%v", err)
	}
}

// held is a judge whose messages wait to be let go.
func held() (j *fakeJudge, judged chan struct{}, letGo chan struct{}) {
	j, judged, letGo = newFake(), make(chan struct{}, 1), make(chan struct{})
	j.rule = func(ctx context.Context, _ scan.Received) policy.Ruling {
		judged <- struct{}{}
		select {
		case <-letGo:
			return policy.Ruling{}
		case <-ctx.Done():
			return policy.Ruling{Answer: policy.Tempfail}
		}
	}
	return j, judged, letGo
}

// TestShutdown has, when the signal comes, a message at its end, one in mid-body,
// an
// envelope without content, and a session between messages.
func TestShutdown(t *testing.T) {
	j, judged, letGo := held()
	f := start(t, j, Options{DrainTimeout: time.Minute})
	open := func() *rawClient {
		r := f.raw(t)
		r.negotiate(6, allActions, allProtocol&^0x7000)
		return r
	}
	events := wire()
	atEnd, inBody, inEnvelope, idle := open(), open(), open(), open()
	inBody.put(strings.Join(events[:8], ""))
	for range 4 {
		inBody.reply()
	}
	inEnvelope.put(strings.Join(events[:5], ""))
	for range 4 {
		inEnvelope.reply()
	}
	idle.put(strings.Join(events[:3], ""))
	idle.reply()
	idle.reply()
	atEnd.put(strings.Join(events, ""))
	<-judged
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f.stop()
	}()
	for !f.doors[0].flights.closed() {
		runtime.Gosched()
	}
	idle.put(events[3])
	if a := idle.reply(); a.code != 'y' || !strings.HasPrefix(a.data, "421 4.3.2") {
		t.Errorf("MAIL of an idle session: %v", a)
	}
	inEnvelope.put(strings.Join(events[5:], ""))
	if a := inEnvelope.reply(); a.code != 'y' || !strings.HasPrefix(a.data, "421 4.3.2") {
		t.Errorf("content that begins now: %v", a)
	}
	late := f.raw(t)
	late.negotiate(6, allActions, allProtocol)
	late.put(events[1])
	if a := late.reply(); a.code != 'y' || !strings.HasPrefix(a.data, "421 4.3.2") {
		t.Errorf("a new connection: %v", a)
	}
	close(letGo)
	for range 4 {
		atEnd.reply()
	}
	if a := atEnd.reply(); a.code != 'a' {
		t.Errorf("the message at its end: %v", a)
	}
	inBody.put(strings.Join(events[8:], ""))
	if a := inBody.reply(); a.code != 'a' {
		t.Errorf("the message in mid-body: %v", a)
	}
	<-stopped
	if all := idle.closed(); len(all) > 0 {
		t.Errorf("the idle session was told %v", all)
	}
}

// TestShutdownInTime has a message that takes longer than there is time: it is
// told so, and the MTA keeps it.
func TestShutdownInTime(t *testing.T) {
	j, judged, _ := held()
	f := start(t, j, Options{DrainTimeout: 10 * time.Millisecond})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.put(strings.Join(wire(), ""))
	<-judged
	f.stop()
	if a := r.answer(); a.code != 'y' || !strings.HasPrefix(a.data, "451") {
		t.Errorf("%v", a)
	}
	if !f.logged("shutting down with messages in flight; the MTA will try them again") {
		t.Error("not told")
	}
}

// TestShutdownWaitsForNoEnvelope has nothing but an envelope when the signal
// comes.
func TestShutdownWaitsForNoEnvelope(t *testing.T) {
	f := start(t, newFake(), Options{DrainTimeout: time.Hour})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol&^0x7000)
	r.put(strings.Join(wire()[:6], ""))
	for range 4 {
		r.reply()
	}
	f.stop()
	r.closed()
}

func TestConnectionLimit(t *testing.T) {
	f := start(t, newFake(), Options{MaxConnections: 2})
	first, second := f.raw(t), f.raw(t)
	first.negotiate(6, allActions, allProtocol)
	second.negotiate(6, allActions, allProtocol)
	third := f.raw(t)
	third.send(cmdNegotiate, offerOf(6, allActions, allProtocol))
	f.waitFor(t, "all connections are in use; more must wait")
	first.Close()
	if a := third.reply(); a.code != cmdNegotiate {
		t.Errorf("%v", a)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	f := start(t, newFake(), Options{NegotiationTimeout: time.Millisecond, ReadTimeout: time.Millisecond})
	f.raw(t).closed()
	f.waitFor(t, "connection closed: the MTA did not answer in time")
}

// TestTrickle: who sends a byte now and then does not hold a connection for longer.
func TestTrickle(t *testing.T) {
	f := start(t, newFake(), Options{NegotiationTimeout: 200 * time.Millisecond})
	r := f.raw(t)
	begun := time.Now()
	go func() {
		for _, b := range offerOf(6, allActions, allProtocol) {
			if _, err := r.Write([]byte{byte(b)}); err != nil {
				return
			}
			time.Sleep(150 * time.Millisecond)
		}
	}()
	r.closed()
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("closed after %v", took)
	}
}

// TestDeadlines: a frame that has begun has a time in all, and the next has its own.
func TestDeadlines(t *testing.T) {
	now := time.Now()
	o := Options{}.withDefaults()
	c := &conn{options: o, opened: now, in: make([]byte, inputSize)}
	expect := func(what string, want time.Time) {
		t.Helper()
		if got := c.deadline(now); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", what, got.Sub(now), want.Sub(now))
		}
	}
	expect("nothing said", now.Add(o.NegotiationTimeout))
	c.negotiated, c.end = true, 5
	expect("the first frame has begun", now.Add(o.NegotiationTimeout))
	c.greeted, c.end = true, 0
	expect("between frames", now.Add(o.ReadTimeout))
	c.end = 3
	end := now.Add(frameTimeout)
	expect("a frame has begun", end)
	now = now.Add(frameTimeout / 2)
	expect("half a minute later", end)
	c.frameEnd, c.end = time.Time{}, 0 // as next does
	expect("after it", now.Add(o.ReadTimeout))
}
