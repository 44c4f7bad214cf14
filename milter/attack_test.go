package milter

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// attacks are what no MTA sends; many of them end a process that hands them to
// the library.
var attacks = map[string]string{
	"zero length":                  "\x00\x00\x00\x00",
	"zero length after start":      bytesOf(cmdNegotiate, offerOf(6, allActions, allProtocol)) + "\x00\x00\x00\x00",
	"512 MB":                       "\x20\x00\x00\x00O",
	"4 GB":                         "\xff\xff\xff\xffO",
	"huge body":                    start6 + bytesOf(cmdConnect, connectData("192.0.2.1")) + "\x10\x00\x00\x00B",
	"huge header":                  start6 + "\x00\x20\x00\x00L",
	"short offer":                  bytesOf(cmdNegotiate, "\x00\x00\x00\x06"),
	"version 1":                    bytesOf(cmdNegotiate, offerOf(1, allActions, 0)),
	"no negotiation":               bytesOf(cmdConnect, connectData("192.0.2.1")),
	"second negotiation":           start6 + start6,
	"unknown command":              start6 + bytesOf('?', "x"),
	"connect, no NUL":              start6 + bytesOf(cmdConnect, "host"),
	"connect, empty":               start6 + bytesOf(cmdConnect, ""),
	"connect, no family":           start6 + bytesOf(cmdConnect, "host\x00"),
	"connect, unknown family":      start6 + bytesOf(cmdConnect, "host\x00X\x00\x19x\x00"),
	"connect, no address":          start6 + bytesOf(cmdConnect, "host\x004\x00\x19"),
	"connect, address without end": start6 + bytesOf(cmdConnect, "host\x004\x00\x19192.0.2.1"),
	"connect, bad IPv4":            start6 + bytesOf(cmdConnect, connectData("999.0.2.1")),
	"connect, IPv6 as IPv4":        start6 + bytesOf(cmdConnect, connectData("2001:db8::1")),
	"connect, bad IPv6":            start6 + bytesOf(cmdConnect, "host\x006\x00\x19[]\x00"),
	"helo, no NUL":                 start6 + bytesOf(cmdHelo, "host"),
	"mail, no NUL":                 start6 + bytesOf(cmdMail, "<a@b>"),
	"mail, empty":                  start6 + bytesOf(cmdMail, ""),
	"rcpt, no NUL":                 start6 + bytesOf(cmdRcpt, "<a@b>"),
	"rcpt, longer than any":        start6 + bytesOf(cmdRcpt, strings.Repeat("a", 1<<15)+"\x00"),
	"unknown SMTP command, no NUL": start6 + bytesOf(cmdUnknown, ""),
	"header, no NUL":               start6 + bytesOf(cmdHeader, "Subject"),
	"header, no value":             start6 + bytesOf(cmdHeader, "Subject\x00"),
	"header, three strings":        start6 + bytesOf(cmdHeader, "Subject\x00a\x00b\x00"),
	"header, no last NUL":          start6 + bytesOf(cmdHeader, "Subject\x00a\x00b"),
	"macros for nothing":           start6 + bytesOf(cmdMacros, ""),
	"macros for themselves":        start6 + bytesOf(cmdMacros, "Dx\x00y\x00"),
	"macros, no NUL":               start6 + bytesOf(cmdMacros, "Cx"),
	"macros, oversized":            start6 + bytesOf(cmdMacros, "Cx\x00"+strings.Repeat("y", 1<<17)+"\x00"),
	"end with a body":              start6 + bytesOf(cmdEnd, "body"),
	"command after QUIT":           start6 + bytesOf(cmdQuit, "") + bytesOf(cmdMail, "<a@b>\x00"),
}

var start6 = bytesOf(cmdNegotiate, offerOf(6, allActions, allProtocol))

func TestAttacksCloseTheirOwnConnectionOnly(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	bystander := f.raw(t)
	bystander.negotiate(6, allActions, allProtocol)
	for name, bytes := range attacks {
		t.Run(name, func(t *testing.T) {
			r := f.raw(t)
			r.put(bytes)
			for _, reply := range r.closed() {
				if reply.code != cmdNegotiate {
					t.Errorf("the server said %v", reply)
				}
			}
		})
	}
	if a := bystander.message(); a.code != 'a' {
		t.Errorf("a connection beside was told %v", a)
	}
	if n := len(j.messages()); n != 1 {
		t.Errorf("%d messages were judged", n)
	}
}

// TestCutShort ends every frame of a session at every byte.
func TestCutShort(t *testing.T) {
	f := start(t, newFake(), Options{})
	whole := start6 + strings.Join(wire(), "")
	for n := range len(whole) {
		r := f.raw(t)
		r.put(whole[:n])
		r.closeWrite()
		for _, reply := range r.closed() {
			if reply.code == 'a' {
				t.Fatalf("accepted after %d of %d bytes", n, len(whole))
			}
		}
	}
}

func TestHugeLengthsAllocateNothing(t *testing.T) {
	f := start(t, newFake(), Options{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var open []*rawClient
	for range 50 {
		r := f.raw(t)
		r.put(start6 + "\x00\x10\x00\x00L")
		r.reply()
		open = append(open, r)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 20<<20 {
		t.Errorf("50 promises of a megabyte allocated %d bytes", grown)
	}
	for _, r := range open {
		r.Close()
	}
}

// TestAnyOrder sends every event after every beginning of a session, with and
// without an abort between. Nothing but a whole message is ever accepted.
func TestAnyOrder(t *testing.T) {
	f := start(t, newFake(), Options{})
	events := wire()
	end, rcpt := len(events)-1, 4
	for _, between := range []string{"", bytesOf(cmdAbort, ""), bytesOf(cmdAbort, "") + bytesOf(cmdAbort, "")} {
		for i := range events {
			for k := range events {
				r := f.raw(t)
				r.negotiate(6, allActions, allProtocol)
				r.put(strings.Join(events[:i], "") + between + events[k] + bytesOf(cmdQuit, ""))
				whole := k == end && i > rcpt && between == ""
				if accepted := slices.ContainsFunc(r.closed(), func(a frame) bool { return a.code == 'a' }); accepted != whole {
					t.Errorf("%d events, %q, event %d: accepted %v", i, between, k, accepted)
				}
				r.Close()
			}
		}
	}
}

func TestBodyBeforeEndOfHeader(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	events := wire()
	r.put(strings.Join(append(events[:7:7], events[8:]...), ""))
	if a := r.answer(); a.code != 'a' {
		t.Fatalf("%v", a)
	}
	if got := string(j.last(t).raw); got != "Subject: x\r\n\r\ntext\r\n" {
		t.Errorf("raw is %q", got)
	}
}

func TestEmptyBodyWithoutBodyEvent(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	events := wire()
	r.put(strings.Join(append(events[:8:8], events[9]), ""))
	if a := r.answer(); a.code != 'a' {
		t.Fatalf("%v", a)
	}
	if got := string(j.last(t).raw); got != "Subject: x\r\n\r\n" {
		t.Errorf("raw is %q", got)
	}
}

// What comes too late makes a message one that nobody judges, whoever is asked to answer.
func TestEventsOutOfOrderAreNoMessage(t *testing.T) {
	events := wire()
	rcpt, data, header, endHeader, body, end := events[4], events[5], events[6], events[7], events[8], events[9]
	before := strings.Join(events[:5], "")
	for name, late := range map[string]string{
		"header after body":          data + header + endHeader + body + header,
		"header after end of header": data + header + endHeader + header,
		"recipient after header":     header + rcpt,
		"recipient after body":       header + endHeader + body + rcpt,
		"DATA after header":          header + data,
		"DATA after body":            data + header + endHeader + body + data,
	} {
		for _, protocol := range []uint32{allProtocol, 0} {
			j := newFake()
			f := start(t, j, Options{})
			r := f.raw(t)
			r.negotiate(6, allActions, protocol)
			r.put(before + late + end + bytesOf(cmdQuit, ""))
			all := r.closed()
			if a := all[len(all)-1]; a.code != 'y' || !strings.HasPrefix(a.data, "451") {
				t.Errorf("%s, protocol %x: %v", name, protocol, a)
			}
			if !f.logged("the MTA broke the order of events") || len(j.messages()) != 0 {
				t.Errorf("%s, protocol %x: it was judged, or not told", name, protocol)
			}
		}
	}
}

func TestNoRecipient(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	events := wire()
	r.put(strings.Join(append(events[:4:4], events[5:]...), ""))
	if a := r.reply(); a.code != 'y' || len(j.messages()) != 0 {
		t.Errorf("%v", a)
	}
}

func TestHundredThousandRecipients(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{MaxRecipients: 1000})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	events := wire()
	r.put(strings.Join(events[:4], ""))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range 100_000 {
			r.send(cmdRcpt, fmt.Sprintf("<user%d@example.com>\x00", i))
		}
		r.put(strings.Join(events[5:], ""))
	}()
	for i := range 100_000 {
		if a := r.reply(); (a.code == 'y' && strings.HasPrefix(a.data, "452 4.5.3")) != (i >= 1000) {
			t.Fatalf("recipient %d: %v", i, a)
		}
	}
	<-sent
	if a := r.reply(); a.code != 'a' || len(j.last(t).Recipients) != 1000 {
		t.Errorf("%v", a)
	}
	if n := len(j.begun); n > 1010 {
		t.Errorf("%d checks were begun", n)
	}
}

// TestOldMTAs negotiates with what old versions offer, and less.
func TestOldMTAs(t *testing.T) {
	offers := []struct{ version, actions, protocol uint32 }{
		{2, 0x3f, 0x7f}, {3, 0x3f, 0x1ff}, {4, 0x3f, 0x3ff}, {6, allActions, allProtocol},
		{6, allActions, allProtocol &^ (1 << 10)}, {6, 0, 0}, {7, 0xffffffff, 0xffffffff},
	}
	for _, o := range offers {
		j := newFake()
		f := start(t, j, Options{})
		r := f.raw(t)
		got := r.negotiate(o.version, o.actions, o.protocol)
		terms := got.terms()
		if terms[0] != min(o.version, 6) || terms[1]&^o.actions != 0 || terms[2]&^o.protocol != 0 {
			t.Errorf("offered %+v, the server wants %x", o, terms)
		}
		if asked := len(got.data) > 12; asked != (o.actions&0x100 != 0) {
			t.Errorf("offered %+v, macros asked for: %v", o, asked)
		}
		r.put(strings.Join(wire(), ""))
		for a := r.reply(); a.code != 'a'; a = r.reply() {
			if a.code != 'c' {
				t.Fatalf("offered %+v: %v", o, a)
			}
		}
		if !strings.HasPrefix(string(j.last(t).raw), "Subject:") {
			t.Errorf("offered %+v: %q", o, j.last(t).raw)
		}
	}
}

func TestVanishInMidBody(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.put(strings.Join(wire()[:8], "") + bytesOf(cmdBody, strings.Repeat("x", 60000)) + "\x00\x00\xff\xffBpart")
	r.Close()
	f.stop() // fails if the bytes are not given back
	if len(j.messages()) != 0 {
		t.Error("half a message was judged")
	}
}

func TestHangUpCancelsTheMessage(t *testing.T) {
	judged, cancelled := make(chan struct{}), make(chan struct{})
	j := newFake()
	j.rule = func(ctx context.Context, _ scan.Received) policy.Ruling {
		close(judged)
		<-ctx.Done()
		close(cancelled)
		return policy.Ruling{}
	}
	f := start(t, j, Options{})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.put(strings.Join(wire(), ""))
	<-judged
	r.Close()
	select {
	case <-cancelled:
	case <-time.After(patience):
		t.Fatal("the context does not end when the MTA hangs up")
	}
	f.stop()
	if j.released != 1 || !f.logged("message not answered") {
		t.Errorf("released %d times, or not told", j.released)
	}
}

func TestProgress(t *testing.T) {
	for version, wants := range map[uint32]bool{6: true, 4: false} {
		enough := make(chan struct{})
		j := newFake()
		j.rule = func(context.Context, scan.Received) policy.Ruling {
			<-enough
			return policy.Ruling{Answer: policy.Discard}
		}
		f := start(t, j, Options{ProgressEvery: time.Millisecond})
		r := f.raw(t)
		r.negotiate(version, allActions, allProtocol)
		r.put(strings.Join(wire(), ""))
		r.reply() // to the recipient
		if wants {
			for range 5 {
				if a := r.reply(); a.code != 'p' {
					t.Fatalf("version %d: %v", version, a)
				}
			}
		}
		close(enough)
		a := r.reply()
		for wants && a.code == 'p' {
			a = r.reply()
		}
		if a.code != 'd' {
			t.Errorf("version %d: %v", version, a)
		}
	}
}

// TestProgressEnds: an MTA that waits for what never comes is left to its own
// patience, and hears the answer if it comes after all.
func TestProgressEnds(t *testing.T) {
	enough := make(chan struct{})
	j := newFake()
	j.rule = func(context.Context, scan.Received) policy.Ruling {
		<-enough
		return policy.Ruling{Answer: policy.Discard}
	}
	r := start(t, j, Options{ProgressEvery: 10 * time.Millisecond, AnswerWithin: 100 * time.Millisecond}).raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.put(strings.Join(wire(), ""))
	silence := time.AfterFunc(time.Second, func() { close(enough) })
	defer silence.Stop()
	signs := 0
	a := r.answer()
	for ; a.code == 'p'; a = r.reply() {
		signs++
	}
	if a.code != 'd' || signs > 20 { // a busy host may be late for all of them; TestProgress waits for some
		t.Errorf("%v after %d signs of progress", a, signs)
	}
}

// TestPanicInEachCallback has the judge panic at every point it is asked at.
func TestPanicInEachCallback(t *testing.T) {
	for _, at := range []scan.Stage{scan.StageConnect, scan.StageHelo, scan.StageMail, scan.StageRcpt, scan.StageMessage} {
		j := &panicking{fakeJudge: newFake(), at: at}
		f := start(t, j, Options{})
		r := f.raw(t)
		r.negotiate(6, allActions, allProtocol)
		if a := r.message(); a.code != 'y' || !strings.HasPrefix(a.data, "451 4.3.0") {
			t.Errorf("panic at %v: %v", at, a)
		}
		j.off()
		r.send(cmdAbort, "")
		if a := r.message(); a.code != 'a' {
			t.Errorf("after a panic at %v: %v", at, a)
		}
		if !f.logged("panic") && !f.logged("message not answered") {
			t.Errorf("panic at %v: not told", at)
		}
	}
}

// panicking is a judge that panics at one stage.
type panicking struct {
	*fakeJudge
	at scan.Stage
}

func (p *panicking) off() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = -1
}

func (p *panicking) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	p.maybe(s)
	return p.fakeJudge.Begin(ctx, s, env)
}

func (p *panicking) Message(ctx context.Context, m scan.Received) (policy.Ruling, func()) {
	p.maybe(scan.StageMessage)
	return p.fakeJudge.Message(ctx, m)
}

func (p *panicking) maybe(s scan.Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == s {
		panic("at " + s.String())
	}
}

// TestHalfOpen opens ten thousand connections that never say a word. One that
// does is answered, if it is quick enough for so impatient a server.
func TestHalfOpen(t *testing.T) {
	f := start(t, newFake(), Options{MaxConnections: 100, NegotiationTimeout: time.Millisecond})
	var mtas sync.WaitGroup
	for range 20 {
		mtas.Go(func() {
			for range 500 {
				c, err := net.Dial("unix", f.path())
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, c)
				c.Close()
			}
		})
	}
	mtas.Wait()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		r := f.raw(t)
		r.put(start6 + strings.Join(wire(), "") + bytesOf(cmdQuit, ""))
		if slices.ContainsFunc(r.closed(), func(a frame) bool { return a.code == 'a' }) {
			return
		}
	}
	t.Error("nobody is answered any more")
}

// TestSlowReader has an MTA that asks for a large change and reads nothing.
func TestSlowReader(t *testing.T) {
	j := newFake()
	j.rule = changing(policy.Changes{Body: strings.NewReader(strings.Repeat("x", 8<<20))})
	f := start(t, j, Options{WriteTimeout: 20 * time.Millisecond})
	r := f.raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.put(strings.Join(wire(), ""))
	f.waitFor(t, "ruling cannot be applied; the MTA is asked to try again")
	f.waitFor(t, "connection closed: the MTA did not answer in time")
	if all := r.closed(); len(all) > 0 && all[len(all)-1].code == 'a' {
		t.Error("half a body was followed by an accept")
	}
}

// waitFor waits until a line has been logged.
func (f *fixture) waitFor(t testing.TB, message string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		if f.logged(message) {
			return
		}
	}
	t.Fatalf("%q was not logged; there is %v", message, f.logs.All())
}

// deafListener fails to accept for a while, as a process out of descriptors
// does.
type deafListener struct {
	net.Listener
	left int
}

func (l *deafListener) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptErrorsPass(t *testing.T) {
	f := start(t, newFake(), Options{})
	f.stop()
	s := New(f.options, f.current, f.spool, f.log)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.doors[0].listener = &deafListener{s.doors[0].listener, 3}
	again := run(t, s, f.logs)
	r := again.raw(t)
	r.negotiate(6, allActions, allProtocol)
	if a := r.message(); a.code != 'a' {
		t.Errorf("%v", a)
	}
	if n := again.logs.FilterMessage("cannot accept connections").Len(); n != 3 {
		t.Errorf("%d lines about it in the log", n)
	}
}
