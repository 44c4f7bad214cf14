package virus

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

// engine returns a clamd engine for the addresses.
func engine(t *testing.T, addresses ...string) *Engine {
	t.Helper()
	c := Config{Name: "clam1", Type: TypeClamd, Address: addresses, Timeout: units.Duration(20 * time.Second), MaxStream: units.MB}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	e, err := clamdEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// two is a message of a text and an attachment with the given contents.
func two(text, attachment string) *scan.Message {
	return scantest.Message("Subject: two\r\n\r\n"+text,
		scan.Part{Parent: -1, Path: "1", Type: "text/plain", Content: scantest.Bytes([]byte(text))},
		scan.Part{Parent: -1, Path: "2", Names: []string{"a.bin"}, Content: scantest.Bytes([]byte(attachment))})
}

func networks(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

func TestContract(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		good := &fakes.Clamd{Virus: "member"}
		scantest.Run(t, engine(t, good.Start(t, network)), Catalogue()...)
	})
}

func TestClamdFinds(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		for name, fake := range map[string]*fakes.Clamd{
			"plain":        {Virus: "evil"},
			"byte by byte": {Virus: "evil", ByteByByte: true},
			"backwards":    {Virus: "evil", Backwards: 3},
			"odd name":     {Virus: "evil", Signature: "Win.Test: a/b (x):1"},
		} {
			t.Run(name, func(t *testing.T) { checkFinds(t, engine(t, fake.Start(t, network)), fake) })
		}
	})
}

func checkFinds(t *testing.T, e *Engine, fake *fakes.Clamd) {
	m := two("hello", "some evil bytes")
	found, err := scantest.Scan(t, context.Background(), e, m)
	if err != nil || len(found) != 1 || found[0].Part != 1 || found[0].Kind != scan.Infected {
		t.Fatalf("found %v, error %v; want one infected part 1", found, err)
	}
	scantest.Check(t, e, m, found, Catalogue()...)
	if fake.Signature != "" && found[0].Rule != "virus/Win.Test:_a_b_(x):1" {
		t.Errorf("rule is %q", found[0].Rule)
	}
}

// TestClamdMisbehaves: whatever clamd does wrong is an error, and what was found
// before stands.
func TestClamdMisbehaves(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	networks(t, func(t *testing.T, network string) {
		for name, c := range map[string]struct {
			fake *fakes.Clamd
			want error
		}{
			"hangs up":         {&fakes.Clamd{Hangup: true}, nil},
			"drops at once":    {&fakes.Clamd{DropWhen: 1}, ErrNoReply},
			"drops the third":  {&fakes.Clamd{DropWhen: 3}, ErrNoReply},
			"drops in content": {&fakes.Clamd{DropAfter: 2}, nil},
			"error":            {&fakes.Clamd{Answer: "%d: fd[10]: Can't allocate memory ERROR\x00"}, ErrDaemon},
			"unknown command":  {&fakes.Clamd{Answer: "UNKNOWN COMMAND\x00"}, ErrGarbage},
			"no number":        {&fakes.Clamd{Answer: "stream: OK\x00"}, ErrGarbage},
			"wrong number":     {&fakes.Clamd{Answer: "77: stream: OK\x00"}, ErrGarbage},
			"two lines":        {&fakes.Clamd{Answer: "%d: stream: OK\x00%d: stream: OK\x00"}, ErrGarbage},
			"two opinions":     {&fakes.Clamd{Answer: "%d: stream: OK\x00%d: stream: X FOUND\x00"}, ErrGarbage},
			"no verdict":       {&fakes.Clamd{Answer: "%d: stream: \x00"}, ErrGarbage},
			"NOT OK":           {&fakes.Clamd{Answer: "%d: stream: NOT OK\x00"}, ErrGarbage},
			"nameless":         {&fakes.Clamd{Answer: "%d: stream:  FOUND\x00"}, ErrGarbage},
			"lower case":       {&fakes.Clamd{Answer: "%d: stream: ok\x00"}, ErrGarbage},
			"cut":              {&fakes.Clamd{Answer: "%d: stream: O", DropWhen: 3}, nil},
			"empty lines":      {&fakes.Clamd{Answer: "\x00\x00"}, ErrGarbage},
			"over a megabyte":  {&fakes.Clamd{Answer: long}, ErrGarbage},
			"megabyte lines":   {&fakes.Clamd{Answer: "%d: stream: " + long + " FOUND\x00"}, ErrGarbage},
			"binary":           {&fakes.Clamd{Answer: "\xff\xfe\x01\x00"}, ErrGarbage},
		} {
			t.Run(name, func(t *testing.T) {
				e := engine(t, c.fake.Start(t, network))
				found, err := scantest.Scan(t, context.Background(), e, two("hello", "attachment"))
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v; found %v", err, c.want, found)
				}
			})
		}
	})
}

func TestClamdHangs(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		for name, fake := range map[string]*fakes.Clamd{"mute": {Mute: true}, "deaf": {Deaf: true}} {
			t.Run(name, func(t *testing.T) {
				e := engine(t, fake.Start(t, network))
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				defer cancel()
				_, err := scantest.Scan(t, ctx, e, two("hello", strings.Repeat("attachment", 90_000)))
				if err == nil {
					t.Error("a clamd that says nothing counts as clean")
				}
			})
		}
	})
}

func TestClamdRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, a := range []string{"unix:" + filepath.Join(t.TempDir(), "none"), "tcp:" + l.Addr().String()} {
		if found, err := engine(t, a).Scan(context.Background(), two("a", "b")); err == nil || len(found) != 0 {
			t.Errorf("%s: found %v, error %v; want an error", a, found, err)
		}
	}
}

// TestClamdAway: the error of a check says what the system says, by which advice is chosen, and names the address once.
func TestClamdAway(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]error{"none": fs.ErrNotExist, "nowhere/none": fs.ErrNotExist, "dead": syscall.ECONNREFUSED} {
		path := filepath.Join(dir, name)
		if name == "dead" {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
		}
		if _, err := engine(t, "unix:"+path).Health(t.Context()); !errors.Is(err, want) || want == fs.ErrNotExist && strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClamdFailsOver(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		bad := &fakes.Clamd{DropWhen: 2, Virus: "evil"}
		good := &fakes.Clamd{Virus: "evil"}
		e := engine(t, bad.Start(t, network), good.Start(t, network))
		for range 2 {
			found, err := e.Scan(context.Background(), two("hello", "evil"))
			if err != nil || len(found) != 1 {
				t.Fatalf("found %v, error %v; want one finding", found, err)
			}
		}
		before := bad.Dialled()
		if _, err := e.Scan(context.Background(), two("other", "bytes")); err != nil || bad.Dialled() != before {
			t.Errorf("error %v; the address that failed was asked again at once", err)
		}
	})
}

// TestClamdFindingOutlivesSession: what was found counts although the session
// then failed.
func TestClamdFindingOutlivesSession(t *testing.T) {
	fake := &fakes.Clamd{Virus: "evil", DropWhen: 3}
	e := engine(t, fake.Start(t, "unix"))
	found, err := e.Scan(context.Background(), two("evil", "clean"))
	if err == nil || len(found) == 0 {
		t.Errorf("found %v, error %v; want both", found, err)
	}
}

func TestClamdRecovers(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{}
		address := fake.Start(t, network)
		e := engine(t, address)
		if _, err := e.Scan(context.Background(), two("a", "b")); err != nil {
			t.Fatal(err)
		}
		fake.Stop()
		if _, err := e.Scan(context.Background(), two("c", "d")); err == nil {
			t.Fatal("a stopped clamd counts as clean")
		}
		again := &fakes.Clamd{}
		_, at, _ := units.ParseAddress(address)
		again.StartAt(t, network, at)
		if _, err := e.Scan(context.Background(), two("e", "f")); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	})
}

// TestClamdStreamTooLong sends more than clamd is configured to take, though the
// engine was told otherwise: the rest is asked about all the same. On TCP the
// kernel may throw away the last words of a peer that closed while bytes for it
// were under way; then nothing is known.
func TestClamdStreamTooLong(t *testing.T) {
	fake := &fakes.Clamd{Limit: 100_000, Virus: "evil"}
	e := engine(t, fake.Start(t, "tcp"))
	m := two("hello", strings.Repeat("z", 200_000))
	m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: "3", Content: scantest.Bytes([]byte("evil"))})
	found, err := e.Scan(context.Background(), m)
	if err != nil && !errors.Is(err, ErrNoReply) {
		t.Fatalf("error %v", err)
	}
	if err == nil && (len(found) != 2 || found[0].Rule != ruleTooBig || found[1].Part != 2) {
		t.Errorf("found %v; want part 1 too big and part 2 infected", found)
	}
}

func TestClamdLargeIsSearchedInWindows(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		for _, at := range []int{0, 1<<20 - 2, 1 << 20, 2_500_000 - 4} {
			fake := &fakes.Clamd{Virus: "evil"}
			b := make([]byte, 2_500_000)
			copy(b[at:], "evil")
			found, err := engine(t, fake.Start(t, network)).Scan(context.Background(), two("hello", string(b)))
			if err != nil || len(found) != 2 || found[0].Kind != scan.Infected || found[1].Rule != ruleTooBig {
				t.Errorf("at %d: found %v, error %v", at, found, err)
			}
			for _, got := range fake.Got() {
				if len(got) > 1<<20 {
					t.Errorf("at %d: %d bytes at once", at, len(got))
				}
			}
		}
	})
}

func TestClamdOwnLimits(t *testing.T) {
	for signature, want := range map[string]string{
		"Heuristics.Limits.Exceeded.MaxFileSize": ruleLimits,
		"Heuristics.Encrypted.Zip":               ruleEncrypted,
	} {
		fake := &fakes.Clamd{Virus: "evil", Signature: signature}
		found, err := engine(t, fake.Start(t, "unix")).Scan(context.Background(), two("hello", "evil"))
		if err != nil || len(found) != 1 || found[0].Rule != want || found[0].Kind != scan.Unscannable {
			t.Errorf("%s: found %v, error %v", signature, found, err)
		}
	}
}

func TestClamdUnreadablePartIsNoFaultOfTheServer(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{}
		e := engine(t, fake.Start(t, network))
		m := two("hello", "")
		m.Raw = short{1000}
		if _, err := e.Scan(context.Background(), m); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
		}
		if e.servers[0].rests(time.Now()) {
			t.Error("the server is blamed for it")
		}
	})
}

// TestClamdUnpassedPartOwesNoAnswer: what was never sent is not waited for, and the server is not blamed.
func TestClamdUnpassedPartOwesNoAnswer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are passed on Linux only")
	}
	fake := &fakes.Clamd{}
	e := engine(t, fake.Start(t, "unix"))
	file, err := os.Create(filepath.Join(t.TempDir(), "content"))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	m := two("hello", "")
	m.Parts[1].Content = closed{scantest.Bytes([]byte("attachment")), file}
	if _, err := e.Scan(context.Background(), m); !isOurs(err) {
		t.Errorf("error %v, want one of our own", err)
	}
	if e.servers[0].rests(time.Now()) {
		t.Error("the server is blamed for it")
	}
}

// closed is content that can be read, but whose file is closed.
type closed struct {
	scan.Content
	file *os.File
}

func (c closed) File() *os.File { return c.file }

// short is content that ends before its size.
type short struct{ size int64 }

func (s short) Size() int64 { return s.size }

func (s short) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.size/2 {
		return 0, io.EOF
	}
	return int(min(int64(len(p)), s.size/2-off)), io.EOF
}

func TestClamdManyAtOnce(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{Virus: "evil"}
		e := engine(t, fake.Start(t, network))
		results := make(chan error, 64)
		for i := range cap(results) {
			go func() {
				text := strings.Repeat("text ", i)
				found, err := e.Scan(context.Background(), two(text, "evil"+text))
				if err == nil && (len(found) != 1 || found[0].Part != 1) {
					err = errors.New("wrong findings")
				}
				results <- err
			}()
		}
		for range cap(results) {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestClamdManyParts(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{Virus: "evil"}
		e := engine(t, fake.Start(t, network))
		m := two("hello", "evil 1")
		for i := range 300 {
			m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: "x", Content: scantest.Bytes([]byte(strings.Repeat("p", i+10)))})
		}
		m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: "y", Content: scantest.Bytes([]byte("evil 2"))})
		found, err := e.Scan(context.Background(), m)
		if err != nil || len(found) != 2 || found[0].Part != 1 || found[1].Part != 302 {
			t.Errorf("found %v, error %v", found, err)
		}
	})
}
