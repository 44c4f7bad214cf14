package milter

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/spool"
)

func TestMessageArrivesAsSent(t *testing.T) {
	began := time.Now()
	j := newFake()
	f := start(t, j, Options{})
	c := f.client(t, map[string]string{
		"{daemon_name}": "smtpd", "{client_name}": "client.example.net", "i": "4XYZ",
		"{auth_authen}": "user", "{tls_version}": "TLSv1.3",
	})
	hello(t, c)
	m := letter()
	m.args = "BODY=8BITMIME smtputf8"
	if changes, a := send(t, c, m); a.Type != gomilter.ActionAccept || len(changes) != 0 {
		t.Fatalf("%v, %v", changes, a)
	}
	got := j.last(t)
	if !bytes.Equal(got.raw, m.bytes()) {
		t.Errorf("raw is\n%q, want\n%q", got.raw, m.bytes())
	}
	want := scan.Envelope{
		QueueID: "4XYZ", Client: netip.MustParseAddrPort("192.0.2.1:2525"), ClientName: "client.example.net",
		Helo: "mail.example.net", AuthUser: "user", Listener: "smtpd", Sender: "a@example.net",
		Recipients: []string{"b@example.com"}, TLS: true, UTF8: true, Received: got.Received, Times: got.Times,
	}
	order := []time.Time{began, got.Times.Connect, got.Times.Helo, got.Received, got.Times.Rcpt, got.Times.End, time.Now()}
	if !slices.IsSortedFunc(order, time.Time.Compare) {
		t.Errorf("the stages were at %v", order)
	}
	if fmt.Sprint(got.Envelope) != fmt.Sprint(want) {
		t.Errorf("envelope is\n%+v, want\n%+v", got.Envelope, want)
	}
	if got.truncated || got.begun != 4 {
		t.Errorf("truncated %v, begun %d", got.truncated, got.begun)
	}
}

// TestClients is how an MTA tells of the client, with the connection or by
// macro.
func TestClients(t *testing.T) {
	tests := map[string]struct {
		family gomilter.ProtoFamily
		port   uint16
		addr   string
		macros map[string]string
		want   string
	}{
		"IPv4":          {gomilter.FamilyInet, 25, "192.0.2.1", nil, "192.0.2.1:25"},
		"IPv6":          {gomilter.FamilyInet6, 25, "2001:db8::1", nil, "[2001:db8::1]:25"},
		"IPv6, literal": {gomilter.FamilyInet6, 25, "IPv6:2001:db8::1", nil, "[2001:db8::1]:25"},
		"mapped":        {gomilter.FamilyInet6, 25, "::ffff:192.0.2.1", nil, "192.0.2.1:25"},
		"port by macro": {gomilter.FamilyInet, 0, "192.0.2.1", map[string]string{"{client_port}": "99"}, "192.0.2.1:99"},
		"all by macro":  {gomilter.FamilyUnknown, 0, "", map[string]string{"{client_addr}": "192.0.2.9"}, "192.0.2.9:0"},
		"unix socket":   {gomilter.FamilyUnix, 0, "/run/x", nil, "invalid AddrPort"},
		"unknown":       {gomilter.FamilyUnknown, 0, "", nil, "invalid AddrPort"},
	}
	for name, test := range tests {
		j := newFake()
		c := start(t, j, Options{}).client(t, test.macros)
		must(t)(c.Conn("host", test.family, test.port, test.addr))
		must(t)(c.Helo("host"))
		send(t, c, letter())
		if got := j.last(t); got.Client.String() != test.want || got.ClientName != "host" {
			t.Errorf("%s: %v %q", name, got.Client, got.ClientName)
		}
	}
}

func TestWithoutLeadingSpace(t *testing.T) {
	j := newFake()
	j.rule = changing(policy.Changes{Headers: []policy.HeaderChange{{Op: policy.InsertTop, Name: "X-A", Value: "one"}}})
	f := start(t, j, Options{})
	for _, offered := range []bool{true, false} {
		protocol := gomilter.OptHeaderLeadingSpace
		if !offered {
			protocol = gomilter.OptNoUnknown
		}
		c := f.client(t, nil, gomilter.WithProtocols(protocol))
		hello(t, c)
		m := letter()
		m.headers = [][2]string{{"A", "v"}, {"B", " v"}, {"C", "  v"}, {"D", ""}, {"E", "\tv"}}
		changes, _ := send(t, c, m)
		want, value := "A: v\r\nB:  v\r\nC:   v\r\nD:\r\nE: \tv\r\n\r\n", "one"
		if offered {
			want, value = "A:v\r\nB: v\r\nC:  v\r\nD:\r\nE:\tv\r\n\r\n", " one"
		}
		if got := string(j.last(t).raw); got != want+string(m.body) {
			t.Errorf("offered %v: got %q, want %q", offered, got, want)
		}
		if len(changes) != 1 || changes[0].HeaderValue != value {
			t.Errorf("offered %v: added %v", offered, changes)
		}
	}
}

// TestSecondMessageOfASession has the MTA tell of TLS with HELO only, as it
// does, and nothing of the connection a second time.
func TestSecondMessageOfASession(t *testing.T) {
	j := newFake()
	f := start(t, j, Options{})
	c := f.client(t, map[string]string{"{tls_version}": "TLSv1.3", "{client_name}": "c.example", "{daemon_name}": "d"})
	hello(t, c)
	send(t, c, letter())
	if err := c.Abort(nil); err != nil {
		t.Fatal(err)
	}
	second := letter()
	second.from, second.to = "", []string{"x@example.com", `"a b"@example.com`}
	send(t, c, second)
	got := j.last(t)
	if !got.TLS || got.ClientName != "c.example" || got.Listener != "d" || got.Helo != "mail.example.net" {
		t.Errorf("the second message has lost what the connection knew: %+v", got.Envelope)
	}
	if got.Sender != "" || !slices.Equal(got.Recipients, second.to) {
		t.Errorf("sender %q, recipients %q", got.Sender, got.Recipients)
	}
	if !bytes.Equal(got.raw, second.bytes()) {
		t.Errorf("raw is %q", got.raw)
	}
}

func TestMacrosOfHeloSurviveAnAbort(t *testing.T) {
	j := newFake()
	r := start(t, j, Options{}).raw(t)
	r.negotiate(6, allActions, allProtocol)
	events := wire()
	events[1] += bytesOf(cmdMacros, "H{tls_version}\x00TLSv1.2\x00")
	r.put(strings.Join(events, "") + bytesOf(cmdAbort, "") + strings.Join(events[3:], ""))
	r.answer()
	if a := r.answer(); a.code != 'a' || !j.last(t).TLS {
		t.Errorf("%v, TLS %v", a, j.last(t).TLS)
	}
}

func TestNewConnectionForgetsTheOld(t *testing.T) {
	j := newFake()
	r := start(t, j, Options{}).raw(t)
	r.negotiate(6, allActions, allProtocol)
	r.message()
	r.send(cmdQuitNew, "")
	r.put(strings.Join(wire()[3:], ""))
	if a := r.answer(); a.code != 'y' {
		t.Errorf("a message without a connection: %v", a)
	}
	if a := r.message(); a.code != 'a' {
		t.Errorf("a message of the new connection: %v", a)
	}
}

var early = []scan.Stage{scan.StageConnect, scan.StageHelo, scan.StageMail, scan.StageRcpt}

func TestEarlyRefusals(t *testing.T) {
	for _, at := range early {
		t.Run(at.String(), func(t *testing.T) {
			j := newFake()
			j.stages = early
			j.early = func(s scan.Stage, env scan.Envelope) policy.Ruling {
				if s == at {
					return policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 554, Enhanced: "5.7.1", Text: "100% no"}}
				}
				return policy.Ruling{Answer: policy.Hold} // nothing for this stage: go on
			}
			r := start(t, j, Options{}).raw(t)
			r.negotiate(6, allActions, allProtocol)
			for stage, event := range wire()[1 : at+2] {
				r.put(event)
				want := frame{'c', ""}
				if scan.Stage(stage) == at {
					want = frame{'y', "554 5.7.1 100%% no\x00"}
				}
				if a := r.reply(); a != want {
					t.Errorf("%v: %v", scan.Stage(stage), a)
				}
			}
		})
	}
}

func TestRefusedRecipientIsLeftOut(t *testing.T) {
	j := newFake()
	j.stages = []scan.Stage{scan.StageRcpt}
	j.early = func(_ scan.Stage, env scan.Envelope) policy.Ruling {
		if last := env.Recipients[len(env.Recipients)-1]; strings.HasPrefix(last, "bad") {
			return policy.Ruling{Answer: policy.Tempfail}
		}
		return policy.Ruling{}
	}
	c := start(t, j, Options{}).client(t, nil)
	hello(t, c)
	m := letter()
	m.to = []string{"bad1@x", "a@x", "bad2@x", "b@x"}
	send(t, c, m)
	got := j.last(t)
	if !slices.Equal(got.Recipients, []string{"a@x", "b@x"}) || got.begun != 5 {
		t.Errorf("recipients %q, %d checks begun", got.Recipients, got.begun)
	}
}

// TestRefusalStays has an MTA go on after a refusal, heard or unheard.
func TestRefusalStays(t *testing.T) {
	for _, protocol := range []uint32{allProtocol, allProtocol &^ uint32(gomilter.OptNoMailReply)} {
		j := newFake()
		j.stages = []scan.Stage{scan.StageConnect}
		j.early = func(scan.Stage, scan.Envelope) policy.Ruling { return policy.Ruling{Answer: policy.Reject} }
		r := start(t, j, Options{}).raw(t)
		r.negotiate(6, allActions, protocol)
		r.connect("192.0.2.1")
		if a := r.reply(); a != (frame{'y', "550 5.7.1 Message refused\x00"}) {
			t.Fatalf("connect: %v", a)
		}
		r.put(strings.Join(wire()[2:], ""))
		if a := r.reply(); a.code != 'y' {
			t.Errorf("a message after it: %v", a)
		}
		if len(j.messages()) != 0 {
			t.Error("it was judged")
		}
	}
}

// TestTooManyRecipients: those beyond the limit hear so, whether anything else is ever
// refused at RCPT or not, and the message goes on to the others.
func TestTooManyRecipients(t *testing.T) {
	for _, stages := range [][]scan.Stage{{scan.StageRcpt}, nil} {
		j := newFake()
		j.stages = stages
		r := start(t, j, Options{MaxRecipients: 3}).raw(t)
		r.negotiate(6, allActions, allProtocol)
		frames := wire()
		r.put(strings.Join(frames[:4], ""))
		for i := range 10 {
			r.send(cmdRcpt, fmt.Sprintf("<%d@x>\x00", i))
			if a := r.reply(); (a.code == 'y' && strings.HasPrefix(a.data, "452 4.5.3")) != (i >= 3) {
				t.Fatalf("stages %v, recipient %d: %v", stages, i, a)
			}
		}
		r.put(strings.Join(frames[5:], ""))
		if a := r.reply(); a.code != 'a' {
			t.Errorf("stages %v: %v", stages, a)
		}
		if got := j.last(t); len(got.Recipients) != 3 {
			t.Errorf("stages %v: recipients %q", stages, got.Recipients)
		}
	}
}

func TestOversized(t *testing.T) {
	j := newFake()
	c := start(t, j, Options{MaxMessage: 1000}).client(t, nil)
	hello(t, c)
	m := letter()
	m.body = bytes.Repeat([]byte("0123456789"), 20_000)
	send(t, c, m)
	got := j.last(t)
	if want := m.bytes(); !got.truncated || got.size != int64(len(want)) || !bytes.Equal(got.raw, want[:1000]) {
		t.Errorf("truncated %v, size %d of %d, %d bytes stored", got.truncated, got.size, len(want), len(got.raw))
	}
}

func TestHeaderOverItsLimit(t *testing.T) {
	j := newFake()
	c := start(t, j, Options{MaxHeader: 500}).client(t, nil)
	hello(t, c)
	m := letter()
	for range 20 {
		m.headers = append(m.headers, [2]string{"X", strings.Repeat("y", 50)})
	}
	send(t, c, m)
	got := j.last(t)
	if want := m.bytes(); !got.truncated || len(got.raw) > 500 || !bytes.HasPrefix(want, got.raw) || got.size != int64(len(want)) {
		t.Errorf("truncated %v, size %d of %d, %d bytes stored", got.truncated, got.size, len(want), len(got.raw))
	}
}

func TestManyHeaders(t *testing.T) {
	j := newFake()
	c := start(t, j, Options{}).client(t, nil)
	hello(t, c)
	m := letter()
	for i := range 2000 {
		m.headers = append(m.headers, [2]string{"X-" + fmt.Sprint(i), " v"})
	}
	m.headers = append(m.headers, [2]string{"X-Long", " " + strings.Repeat("a long one\n ", 10_000)})
	send(t, c, m)
	if got := j.last(t); got.truncated || !bytes.Equal(got.raw, m.bytes()) {
		t.Error("2,001 header fields do not arrive")
	}
}

// A body in base64 is decoded as it comes, and what it is decoded to goes with the message.
func TestDecodedAsItComes(t *testing.T) {
	j := newFake()
	sp := spool.New(t.TempDir(), 1<<20, 20<<20)
	f := startWith(t, always(j), Options{}, sp)
	c := f.client(t, nil)
	hello(t, c)
	for _, size := range []int{54, 54_000, 3_000_024} {
		m := letter()
		m.headers = append(m.headers, [2]string{"Content-Transfer-Encoding", " base64"})
		m.body = []byte(strings.Repeat(strings.Repeat("WDVPIVAl", 9)+"\r\n", size/54))
		if _, a := send(t, c, m); a.Type != gomilter.ActionAccept {
			t.Fatalf("%d bytes: %v", size, a)
		}
		if got := j.last(t); !bytes.Equal(got.raw, m.bytes()) || got.early != size {
			t.Errorf("%d bytes: %d were decoded", size, got.early)
		}
	}
	if memory, disk := sp.Used(); memory != 0 || disk != 0 {
		t.Errorf("%d bytes of memory and %d of disk are left", memory, disk)
	}
}

// What a body is decoded to gives way to the message it is of.
func TestNoRoomToDecode(t *testing.T) {
	m := letter()
	m.headers = append(m.headers, [2]string{"Content-Transfer-Encoding", " base64"})
	m.body = []byte(strings.Repeat(strings.Repeat("WDVPIVAl", 9)+"\r\n", (500<<10)/74))
	for room := int64(640 << 10); room < 1<<20; room += 64 << 10 {
		j := newFake()
		sp := spool.New(t.TempDir(), room, 0)
		f := startWith(t, always(j), Options{}, sp)
		c := f.client(t, nil)
		hello(t, c)
		if _, a := send(t, c, m); a.Type != gomilter.ActionAccept {
			t.Errorf("in %d bytes: %v", room, a)
		} else if got := j.last(t); !bytes.Equal(got.raw, m.bytes()) || got.early != 0 && got.early != len(m.body)/74*54 {
			t.Errorf("in %d bytes: %d were decoded", room, got.early)
		}
		if memory, disk := sp.Used(); memory != 0 || disk != 0 {
			t.Errorf("%d bytes of memory and %d of disk are left", memory, disk)
		}
	}
}

func TestSpoolFull(t *testing.T) {
	j := newFake()
	f := startWith(t, always(j), Options{}, spool.New(t.TempDir(), 1<<20, 1<<20))
	c := f.client(t, nil)
	hello(t, c)
	m := letter()
	m.body = make([]byte, 3<<20)
	if _, a := send(t, c, m); a.SMTPReply != "451 4.3.1 Mail filter has no room for the message now, try again later" {
		t.Errorf("%v", a)
	}
	if len(j.messages()) != 0 || !f.logged("message cannot be kept") {
		t.Error("it was judged, or not told")
	}
	if _, a := send(t, c, letter()); a.Type != gomilter.ActionAccept {
		t.Errorf("the next message: %v", a)
	}
}

// TestGenerations has the judge change while a message is on its way.
func TestGenerations(t *testing.T) {
	old, young := newFake(), newFake()
	now := atomic.Pointer[fakeJudge]{}
	now.Store(old)
	r := startWith(t, func() Judge { return now.Load() }, Options{}, spool.New("", 1<<20, 0)).raw(t)
	r.negotiate(6, allActions, allProtocol&^uint32(gomilter.OptNoMailReply))
	events := wire()
	r.put(strings.Join(events[:4], ""))
	r.reply()
	now.Store(young)
	r.put(strings.Join(events[4:], ""))
	r.answer()
	r.put(strings.Join(events[3:], ""))
	r.reply() // to MAIL
	r.answer()
	if len(old.messages()) != 1 || len(young.messages()) != 1 {
		t.Errorf("%d messages judged by the old, %d by the new", len(old.messages()), len(young.messages()))
	}
}

func TestPanicAtTheEnd(t *testing.T) {
	j := newFake()
	j.rule = func(context.Context, scan.Received) policy.Ruling { panic("boom") }
	f := start(t, j, Options{})
	c := f.client(t, nil)
	hello(t, c)
	if _, a := send(t, c, letter()); a.SMTPReply != "451 4.3.0 Mail filter cannot take the message now, try again later" {
		t.Errorf("%v", a)
	}
	if !f.logged("message not answered") {
		t.Error("the panic is not in the log")
	}
}
