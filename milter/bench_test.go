package milter

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	gomilter "github.com/d--j/go-milter"
	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/spool"
)

// passing is a judge that lets everything pass.
type passing struct{ *fakeJudge }

func (passing) Message(_ context.Context, m scan.Received) (policy.Ruling, func()) {
	return policy.Ruling{}, func() { m.Raw.Close() }
}

func (p passing) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	return p.engine.Begin(ctx, s, env)
}

// BenchmarkMessage is the cost of one message of a connection of its own, client
// included, beside a milter on the bare library that does nothing.
func BenchmarkMessage(b *testing.B) {
	sizes := map[string]int{"small": 5 << 10, "large": 10 << 20}
	servers := map[string]func(testing.TB) string{"noop": noop, "ours": ours}
	for size, n := range sizes {
		for name, server := range servers {
			b.Run(size+"/"+name, func(b *testing.B) {
				path := server(b)
				m := letter()
				m.body = bytes.Repeat([]byte("line of text, line of text, line of text\r\n"), n/42)
				for range 8 {
					m.headers = append(m.headers, [2]string{"X-Header", " some value of usual length"})
				}
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					f := fixture{options: Options{Listen: []string{"unix:" + path}}}
					c := f.client(quiet{b}, nil)
					hello(b, c)
					send(b, c, m)
					c.Close()
				}
			})
		}
	}
}

// BenchmarkRecipient is what the MTA waits for one recipient to be taken.
func BenchmarkRecipient(b *testing.B) {
	f := start(b, passing{newFake()}, Options{MaxRecipients: 1 << 30})
	r := f.raw(b)
	r.negotiate(6, allActions, allProtocol)
	frames := wire()
	r.put(strings.Join(frames[:4], ""))
	for n := 0; b.Loop(); n++ {
		if n%100 == 99 { // another message
			r.put(frames[3])
		}
		r.put(frames[4])
		r.reply()
	}
}

// quiet has no clean-up, of which a loop would make a million.
type quiet struct{ *testing.B }

func (quiet) Cleanup(func()) {}

func ours(t testing.TB) string {
	f := startWith(t, always(passing{newFake()}), Options{}, spool.New("", 256<<20, 0))
	f.Server.log = zap.NewNop()
	return f.path()
}

// noop is a milter that answers and keeps nothing.
func noop(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "m")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := gomilter.NewServer(gomilter.WithProtocol(gomilter.OptNoReplies), gomilter.WithMilter(func() gomilter.Milter { return silent{} }))
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return path
}

// silent reads all and says nothing.
type silent struct{ gomilter.NoOpMilter }

func (silent) RcptTo(string, string, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}

func (silent) Header(string, string, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}

func (silent) BodyChunk([]byte, gomilter.Modifier) (*gomilter.Response, error) {
	return gomilter.RespContinue, nil
}
