//go:build linux

package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// The test binary is its own worker: which one, the environment says.
const actVariable = "MILTERSCAN_TEST_WORKER"

func TestMain(m *testing.M) {
	if act, ok := os.LookupEnv(actVariable); ok {
		os.Exit(acts[act]())
	}
	os.Exit(m.Run())
}

// acts are the ways a worker may behave.
var acts = map[string]func() int{
	"proper": func() int { return Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr) },
	"daemon": runProgram,
	"proper, on a thread of its own": func() int {
		runtime.LockOSThread()
		status := make(chan int)
		go func() { status <- Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr) }()
		return <-status
	},
	"mute":  hang,
	"dead":  func() int { return 1 },
	"dies":  func() int { stage(job); return 7 },
	"hangs": func() int { stage(job); return hang() },
	"garbage": func() int {
		stage(job)
		io.Copy(os.Stdout, strings.NewReader(strings.Repeat("nonsense", 1000)))
		return 0
	},
	"long frame": func() int { return say(func(c *channel) { c.send(member, make([]byte, 2<<20)) }) },
	"bad entry":  func() int { return say(func(c *channel) { c.send(member, []byte("{}}")) }) },
	"empty bodies": func() int {
		return say(func(c *channel) {
			c.sendValue(member, entry{Names: [][]byte{[]byte("a")}, Body: true})
			c.send(body, nil)
		})
	},
	"body without member": func() int { return say(func(c *channel) { c.send(body, []byte("x")) }) },
	"reads outside":       func() int { return say(func(c *channel) { c.send(read, bytes.Repeat([]byte{0xff}, 16)) }) },
	"endless body": func() int {
		return say(func(c *channel) {
			c.sendValue(member, entry{Names: [][]byte{[]byte("a")}, Body: true})
			for c.send(body, make([]byte, pieceSize)) == nil {
			}
		})
	},
	"endless members": func() int {
		return say(func(c *channel) {
			for c.sendValue(member, entry{Names: [][]byte{[]byte("a")}}) == nil {
			}
		})
	},
	// What it can still do it sends as names of members.
	"escapes": func() int {
		return say(func(c *channel) {
			left := confine(192 * units.MB)
			var can entry
			if f, err := os.Open("/etc/passwd"); err == nil {
				f.Close()
				can.Names = append(can.Names, []byte("open"))
			}
			if _, err := os.Create(filepath.Join(os.TempDir(), "milterscan-escape")); err == nil {
				can.Names = append(can.Names, []byte("create"))
			}
			if err := os.Mkdir(filepath.Join(os.TempDir(), "milterscan-escape"), 0o700); err == nil {
				can.Names = append(can.Names, []byte("mkdir"))
			}
			if _, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
				can.Names = append(can.Names, []byte("listen"))
			}
			c.sendValue(member, can)
			c.sendValue(done, outcome{Notes: []note{{Detail: []byte(strings.Join(left, ", "))}}})
		})
	},
	"spins": func() int {
		return say(func(*channel) {
			allowCPU(0, func() { os.Exit(exitCPU) })
			for n := 1; n != 0; n += 2 { // odd for ever
			}
		})
	},
	"hoards": func() int {
		return say(func(*channel) {
			limit(2 /* RLIMIT_DATA */, 128<<20)
			var all [][]byte
			for len(all) < 1<<20 {
				all = append(all, bytes.Repeat([]byte("x"), 8<<20))
			}
			fmt.Fprintln(os.Stderr, len(all), "pieces: no limit")
		})
	},
}

// stage greets and waits for a frame of a kind.
func stage(k kind) *channel {
	c := newChannel(os.Stdin, os.Stdout)
	c.sendValue(hello, greeting{})
	if got, n, err := c.next(); err != nil || got != k {
		os.Exit(exitProtocol)
	} else {
		c.peek(n)
	}
	return c
}

// hang does nothing for as long as the parent is there.
func hang() int {
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// say answers a job with a line of its own, and hangs.
func say(line func(c *channel)) int {
	c := stage(job)
	line(c)
	c.out.Flush()
	return hang()
}

func testConfig(t *testing.T, act string) Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.Command, cfg.Env = []string{self}, []string{actVariable + "=" + act}
	if raceDetector {
		cfg.Memory = 1 << 46
	}
	return cfg
}

func newTestPool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	p := NewPool(cfg)
	t.Cleanup(p.Close)
	return p
}

var testLimits = archive.Limits{Expanded: 16 * units.MB, Member: 8 * units.MB, Ratio: 1000, Entries: 100, Depth: 5}

// walked is what a walk brought to light.
type walked struct {
	names  []string
	bodies []string
	notes  []archive.Note
	err    error
}

func (w walked) codes() string {
	var codes []string
	for _, n := range w.notes {
		codes = append(codes, n.Code)
	}
	return strings.Join(codes, " ")
}

func walkAll(ctx context.Context, f archive.Format, data []byte, passwords ...string) walked {
	b := archive.NewBudget(testLimits)
	b.Passwords = passwords
	return walkWith(ctx, f, data, b)
}

func walkWith(ctx context.Context, f archive.Format, data []byte, b *archive.Budget) (out walked) {
	out.notes, out.err = f.Walk(ctx, bytes.NewReader(data), b, func(m archive.Member, body io.Reader) error {
		out.names = append(out.names, strings.Join(m.Names, "|"))
		if body != nil {
			text, _ := io.ReadAll(body)
			out.bodies = append(out.bodies, string(text))
		}
		return nil
	})
	return out
}

func sampleFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../format/archive/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func formatOf(t *testing.T, data []byte) archive.Format {
	t.Helper()
	f := archive.NewDetector(archive.Formats()).Detect(bytes.NewReader(data), nil)
	if f == nil {
		t.Fatal("not recognised")
	}
	return f
}

// A worker finds what the format itself finds.
func TestSameAsInProcess(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	for _, name := range []string{"lzma2.7z", "solid-bcj.7z", "encrypted.7z", "encrypted-names.7z", "eicar.com.xz", "x86.xz", "eicar.com.zst", "eicar.com.lz", "info.zip", "eicar.com.tar.gz"} {
		data := sampleFile(t, name)
		f := formatOf(t, data)
		for _, passwords := range [][]string{nil, {"wrong", "secret"}} {
			want, got := walkAll(t.Context(), f, data, passwords...), walkAll(t.Context(), pool.Format(f), data, passwords...)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s %v:\n got %v\nwant %v", name, passwords, got, want)
			}
		}
	}
}

func TestBadWorkers(t *testing.T) {
	data := sampleFile(t, "eicar.com.xz")
	for act, code := range map[string]string{
		"mute": archive.Unavailable, "dead": archive.Unavailable, "dies": archive.DecoderFailed, "garbage": archive.DecoderFailed,
		"long frame": archive.DecoderFailed, "bad entry": archive.DecoderFailed, "empty bodies": archive.DecoderFailed,
		"body without member": archive.DecoderFailed, "reads outside": archive.DecoderFailed,
		"hangs": archive.Unavailable, "endless body": archive.DecoderFailed, "endless members": archive.TooManyMembers,
		"spins": archive.DecoderLimit, "hoards": archive.DecoderLimit,
	} {
		t.Run(act, func(t *testing.T) {
			if act == "hoards" && raceDetector {
				t.Skip("memory cannot be limited under the race detector")
			}
			cfg := testConfig(t, act)
			if cfg.Wall = time.Minute; act == "mute" || act == "hangs" { // what does nothing ends by the clock alone
				cfg.Wall = 300 * time.Millisecond
			}
			pool := newTestPool(t, cfg)
			for range 2 { // the second meets the replacement
				got := walkAll(t.Context(), pool.Format(formatOf(t, data)), data)
				if act == "hoards" && got.codes() == archive.DecoderFailed {
					continue // a binary linked with C dies of it in other ways
				}
				if got.codes() != code || got.err != nil && !(code == archive.TooManyMembers && got.err == archive.ErrLimit) {
					t.Errorf("notes %v, want %s; error %v", got.notes, code, got.err)
				}
			}
		})
	}
}

// sevenZipOf is a 7z of 45 bytes whose directory declares n members.
func sevenZipOf(n uint32) []byte {
	directory := append([]byte{0x01, 0x05, 0xf0}, binary.LittleEndian.AppendUint32(nil, n)...)
	directory = append(directory, 0, 0)
	start := binary.LittleEndian.AppendUint64(nil, 0)
	start = binary.LittleEndian.AppendUint64(start, uint64(len(directory)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(directory))
	out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return append(append(out, start...), directory...)
}

func TestMemoryIsTheChilds(t *testing.T) {
	if raceDetector {
		t.Skip("memory cannot be limited under the race detector")
	}
	pool := newTestPool(t, testConfig(t, "proper"))
	bomb := sevenZipOf(1 << 27)
	got := walkAll(t.Context(), pool.Format(formatOf(t, bomb)), bomb)
	if got.codes() != archive.DecoderLimit || got.err != nil {
		t.Errorf("%v, %v", got.notes, got.err)
	}
	good := sampleFile(t, "lzma2.7z")
	if got := walkAll(t.Context(), pool.Format(formatOf(t, good)), good); len(got.bodies) != 2 || len(got.notes) > 0 {
		t.Errorf("after it: %v", got)
	}
}

func TestXZDictionaryIsRefused(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	data := sampleFile(t, "eicar.com.xz")
	i := bytes.Index(data, []byte{0x21, 0x01})
	data[i+2] = 38 // 2 GB
	if got := walkAll(t.Context(), pool.Format(formatOf(t, data)), data); got.codes() != "window-too-large" || got.err != nil {
		t.Errorf("%v, %v", got.notes, got.err)
	}
}

func TestVisitEndsTheWalk(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	data, enough := sampleFile(t, "lzma2.7z"), errors.New("enough")
	f := pool.Format(formatOf(t, data))
	calls := 0
	_, err := f.Walk(t.Context(), bytes.NewReader(data), archive.NewBudget(testLimits), func(archive.Member, io.Reader) error {
		calls++
		return enough
	})
	if err != enough || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	// A body that is not read does no harm to the next.
	var names []string
	_, err = f.Walk(t.Context(), bytes.NewReader(data), archive.NewBudget(testLimits), func(m archive.Member, _ io.Reader) error {
		names = append(names, m.Names...)
		return nil
	})
	if err != nil || len(names) != 2 {
		t.Errorf("%v, %v", names, err)
	}
}

func TestContextEndsTheWalk(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "hangs"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	data := sampleFile(t, "eicar.com.xz")
	if got := walkAll(ctx, pool.Format(formatOf(t, data)), data); got.err != context.DeadlineExceeded {
		t.Errorf("%v", got.err)
	}
}

func TestLimitsAreSharedWithTheChild(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	data := sampleFile(t, "lzma2.7z")
	f := pool.Format(formatOf(t, data))
	for name, l := range map[string]archive.Limits{
		"too-many-members": {Expanded: units.MB, Member: units.MB, Ratio: 100, Entries: 1},
		"too-much-data":    {Expanded: 100, Member: units.MB, Ratio: 100, Entries: 100},
	} {
		b := archive.NewBudget(l)
		notes, err := f.Walk(t.Context(), bytes.NewReader(data), b, func(_ archive.Member, body io.Reader) error {
			_, err := io.Copy(io.Discard, body)
			return err
		})
		if err != archive.ErrLimit || len(notes) == 0 || notes[len(notes)-1].Code != name {
			t.Errorf("%s: %v, %v", name, notes, err)
		}
	}
}

// Walks inside walks need several children; there are enough or it is noted.
func TestNestedAndAtOnce(t *testing.T) {
	cfg := testConfig(t, "proper")
	cfg.Most = 2
	pool := newTestPool(t, cfg)
	data := sampleFile(t, "lzma2.7z")
	f := pool.Format(formatOf(t, data))
	var b *archive.Budget
	var nest func(depth int) (codes string)
	nest = func(depth int) (codes string) {
		notes, err := f.Walk(t.Context(), bytes.NewReader(data), b, func(archive.Member, io.Reader) error {
			if depth > 1 {
				codes += nest(depth - 1)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, n := range notes {
			codes += n.Code
		}
		return codes
	}
	b = archive.NewBudget(testLimits)
	if codes := nest(2); codes != "" {
		t.Errorf("two levels: %s", codes)
	}
	pool.cfg.Patience = 100 * time.Millisecond
	b = archive.NewBudget(testLimits)
	if codes := nest(3); !strings.Contains(codes, archive.Unavailable) {
		t.Errorf("three levels: %s", codes)
	}
	pool.cfg.Patience = cfg.Patience
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := walkAll(t.Context(), f, data); len(got.bodies) != 2 {
				t.Errorf("at once: %v", got)
			}
		})
	}
	wg.Wait()
}

func TestConfined(t *testing.T) {
	if raceDetector {
		t.Skip("memory cannot be limited under the race detector")
	}
	defer os.Remove(filepath.Join(os.TempDir(), "milterscan-escape"))
	pool := newTestPool(t, testConfig(t, "escapes"))
	data := sampleFile(t, "eicar.com.xz")
	got := walkAll(t.Context(), pool.Format(formatOf(t, data)), data)
	if len(got.notes) != 1 || got.err != nil {
		t.Fatal(got.notes, got.err)
	}
	want := ""
	if left := got.notes[0].Detail; left != "" {
		t.Log("not taken away here:", left)
		want = "mkdir" // which takes no descriptor
	}
	if len(got.names) != 1 || got.names[0] != want {
		t.Errorf("it can still: %q", got.names)
	}
}

func TestCheckSaysWhatIsLeft(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	left, err := pool.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range left {
		t.Log("not taken away here:", l)
	}
	dead := newTestPool(t, testConfig(t, "dead"))
	if _, err := dead.Check(t.Context()); err == nil {
		t.Error("a dead worker is no error")
	}
}

func TestMainByHand(t *testing.T) {
	var stderr strings.Builder
	if status := Main(nil, nil, io.Discard, &stderr); status != exitUsage || stderr.Len() == 0 {
		t.Errorf("%d %q", status, stderr.String())
	}
}

func BenchmarkWorker(b *testing.B) {
	self, _ := os.Executable()
	cfg := Defaults()
	cfg.Command, cfg.Env = []string{self}, []string{actVariable + "=proper"}
	pool := NewPool(cfg)
	defer pool.Close()
	data, err := os.ReadFile("../../format/archive/testdata/lzma2.7z")
	if err != nil {
		b.Fatal(err)
	}
	here := archive.NewDetector(archive.Formats()).Detect(bytes.NewReader(data), nil)
	for name, f := range map[string]archive.Format{"worker": pool.Format(here), "here": here} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				walkAll(b.Context(), f, data)
			}
		})
	}
}

// FuzzSevenZip reads 7z files whose directory was changed and whose checksums are
// right all the same: whatever the library makes of them happens in a child.
func FuzzSevenZip(f *testing.F) {
	for _, name := range []string{"copy.7z", "lzma2.7z", "ppmd.7z", "solid-bcj.7z", "encrypted.7z"} {
		data, err := os.ReadFile(filepath.Join("../../format/archive/testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	cfg := Defaults()
	cfg.Command, cfg.Env = []string{self}, []string{actVariable + "=proper"}
	pool := NewPool(cfg)
	f.Cleanup(pool.Close)
	format := pool.Format(archive.Named("7z"))
	f.Fuzz(func(t *testing.T, data []byte) {
		repairSevenZip(data)
		got := walkAll(t.Context(), format, data, "secret")
		if got.err != nil && got.err != archive.ErrLimit && t.Context().Err() == nil {
			t.Errorf("%v", got.err)
		}
	})
}

// repairSevenZip makes the checksums of start header and directory right.
func repairSevenZip(data []byte) {
	if len(data) < 32 {
		return
	}
	copy(data, "7z\xbc\xaf\x27\x1c")
	at, n := binary.LittleEndian.Uint64(data[12:]), binary.LittleEndian.Uint64(data[20:])
	if left := uint64(len(data) - 32); at <= left && n <= left-at {
		binary.LittleEndian.PutUint32(data[28:], crc32.ChecksumIEEE(data[32+at:32+at+n]))
	}
	binary.LittleEndian.PutUint32(data[8:], crc32.ChecksumIEEE(data[12:32]))
}
