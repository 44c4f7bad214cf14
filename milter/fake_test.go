package milter

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen; reaching it is a
// failure.
const patience = time.Minute

// verdict is what a fake judge does with a message.
type verdict func(context.Context, scan.Received) policy.Ruling

// fakeJudge answers as it is told and remembers what it was asked.
type fakeJudge struct {
	engine *scan.Engine
	stages []scan.Stage                                  // at which it may refuse
	early  func(scan.Stage, scan.Envelope) policy.Ruling // nil: deliver
	rule   verdict                                       // nil: deliver

	mu       sync.Mutex
	begun    []scan.Stage
	seen     []seen
	released int
}

// seen is a message as the judge got it.
type seen struct {
	scan.Envelope
	raw       []byte
	size      int64
	truncated bool
	begun     int
	early     int // bytes of the body that were decoded as they came
}

func newFake() *fakeJudge { return &fakeJudge{engine: scan.NewEngine()} }

func ruling(r policy.Ruling) verdict {
	return func(context.Context, scan.Received) policy.Ruling { return r }
}

func changing(c policy.Changes) verdict { return ruling(policy.Ruling{ID: "id1", Changes: c}) }

func (j *fakeJudge) Generation() uint64 { return 1 }

func (j *fakeJudge) Refuses(s scan.Stage) bool { return slices.Contains(j.stages, s) }

func (j *fakeJudge) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begun = append(j.begun, s)
	return j.engine.Begin(ctx, s, env)
}

func (j *fakeJudge) Early(_ context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling {
	for _, p := range begun {
		p.Wait()
	}
	if j.early == nil {
		return policy.Ruling{}
	}
	return j.early(s, env)
}

func (j *fakeJudge) NewParser() *entity.Parser {
	return entity.NewParser(entity.Limits{Parts: 1000, Depth: 20})
}

func (j *fakeJudge) Message(ctx context.Context, m scan.Received) (policy.Ruling, func()) {
	raw, err := io.ReadAll(scan.Reader(m.Raw))
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	early := 0
	decoded, _ := m.Tree.Root.Decoded()
	if made, ok := decoded.(*spool.Buffer); ok {
		early = int(made.Size())
	}
	j.seen = append(j.seen, seen{m.Envelope, raw, m.Size, m.Truncated(), len(m.Begun), early})
	j.mu.Unlock()
	if j.rule == nil {
		return policy.Ruling{ID: "id1"}, j.release(m)
	}
	return j.rule(ctx, m), j.release(m)
}

func (j *fakeJudge) release(m scan.Received) func() {
	return func() {
		m.Raw.Close()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.released++
	}
}

// messages are those seen so far.
func (j *fakeJudge) messages() []seen {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.seen)
}

// last is the message seen last.
func (j *fakeJudge) last(t *testing.T) seen {
	t.Helper()
	all := j.messages()
	if len(all) == 0 {
		t.Fatal("no message reached the judge")
	}
	return all[len(all)-1]
}

// fixture is a server that is running, and its log.
type fixture struct {
	*Server
	options Options
	logs    *observer.ObservedLogs
	stop    func() // as SIGTERM does; returns when Serve has
}

// start runs a server on a unix socket until the test is over. The test fails if
// bytes of messages are still kept then.
func start(t testing.TB, j Judge, o Options) *fixture {
	t.Helper()
	return startWith(t, always(j), o, spool.New(t.TempDir(), 64<<20, 64<<20))
}

// always is a judge that is never replaced.
func always(j Judge) func() Judge { return func() Judge { return j } }

func startWith(t testing.TB, current func() Judge, o Options, sp *spool.Spool) *fixture {
	t.Helper()
	o.Listen = []string{"unix:" + filepath.Join(t.TempDir(), "m")}
	or(&o.DrainTimeout, 100*time.Millisecond)
	core, logs := observer.New(zapcore.InfoLevel)
	s := New(o, current, sp, zap.New(core))
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	return run(t, s, logs)
}

// run runs a server that listens.
func run(t testing.TB, s *Server, logs *observer.ObservedLogs) *fixture {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("Serve does not return")
		}
		if memory, disk := s.spool.Used(); memory != 0 || disk != 0 {
			t.Errorf("%d bytes of memory and %d of disk were not given back", memory, disk)
		}
	})
	t.Cleanup(stop)
	return &fixture{s, s.options(), logs, stop}
}

// path is the socket as clients reach it.
func (f *fixture) path() string { return f.options.Listen[0][len("unix:"):] }

// logged reports whether a line with that message was logged.
func (f *fixture) logged(message string) bool { return f.logs.FilterMessage(message).Len() > 0 }

// client is the library's MTA side.
func (f *fixture) client(t testing.TB, macros map[string]string, options ...gomilter.Option) *gomilter.ClientSession {
	t.Helper()
	bag := gomilter.NewMacroBag()
	for name, value := range macros {
		bag.Set(name, value)
	}
	options = append([]gomilter.Option{gomilter.WithReadTimeout(patience)}, options...)
	c, err := gomilter.NewClient("unix", f.path(), options...).Session(bag)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// must fails the test if the MTA's side of a step fails, and returns what the
// filter said.
func must(t testing.TB) func(a *gomilter.Action, err error) *gomilter.Action {
	return func(a *gomilter.Action, err error) *gomilter.Action {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

// mail is a message as a test sends it.
type mail struct {
	from, args string
	to         []string
	headers    [][2]string
	body       []byte
}

// letter is an everyday message.
func letter() mail {
	return mail{
		from:    "a@example.net",
		to:      []string{"b@example.com"},
		headers: [][2]string{{"From", " a@example.net"}, {"Subject", " hello"}},
		body:    []byte("Hello,\r\nworld.\r\n"),
	}
}

// bytes is the message as the judge is to see it.
func (m mail) bytes() []byte {
	var b bytes.Buffer
	for _, h := range m.headers {
		b.WriteString(h[0] + ":")
		b.Write(bytes.ReplaceAll([]byte(h[1]), []byte("\n"), []byte("\r\n")))
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return b.Bytes()
}

// hello opens an SMTP session.
func hello(t testing.TB, c *gomilter.ClientSession) {
	t.Helper()
	must(t)(c.Conn("mail.example.net", gomilter.FamilyInet, 2525, "192.0.2.1"))
	must(t)(c.Helo("mail.example.net"))
}

// send sends a whole message and returns changes and answer.
func send(t testing.TB, c *gomilter.ClientSession, m mail) ([]gomilter.ModifyAction, *gomilter.Action) {
	t.Helper()
	must(t)(c.Mail(m.from, m.args))
	for _, to := range m.to {
		must(t)(c.Rcpt(to, ""))
	}
	must(t)(c.DataStart())
	for _, h := range m.headers {
		must(t)(c.HeaderField(h[0], h[1], nil))
	}
	must(t)(c.HeaderEnd())
	for rest := m.body; ; {
		n := min(len(rest), 65535)
		must(t)(c.BodyChunk(rest[:n]))
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
	}
	changes, action, err := c.End()
	if err != nil {
		t.Fatal(err)
	}
	return changes, action
}
