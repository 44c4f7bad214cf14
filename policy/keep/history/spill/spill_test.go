package spill

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/scan/breaker"
)

// far is a history that may be away.
type far struct {
	mu      sync.Mutex
	away    bool
	poison  string // the id of a record that is refused
	cut     int    // after so many records it is away; 0: never
	records []policy.Record
}

var (
	errAway   = errors.New("it is away")
	errPoison = errors.New("no such record")
)

// Append adds records that are not there yet, unless the history is away.
func (f *far) Append(_ context.Context, records []policy.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away || f.cut > 0 && len(f.records) >= f.cut {
		return errAway
	}
	if slices.ContainsFunc(records, func(r policy.Record) bool { return r.ID == f.poison }) {
		return errPoison
	}
	for _, r := range records {
		if !slices.ContainsFunc(f.records, func(was policy.Record) bool { return was.ID == r.ID }) {
			f.records = append(f.records, r)
		}
	}
	return nil
}

// host is a Spill, and what it told.
type host struct {
	*Spill
	lost int
	told []string
}

func newHost(t *testing.T, to *far, file string, bytes int64) *host {
	h := &host{}
	h.Spill = New(to, Terms{File: file, Bytes: bytes, Lost: func(n int) { h.lost += n },
		Warn:    func(err error) { h.told = append(h.told, err.Error()) },
		Refused: func(err error) bool { return errors.Is(err, errPoison) }})
	return h
}

// back has the history asked again at once, and records loaded.
func (h *host) back(t *testing.T) int {
	t.Helper()
	h.rests = breaker.Breaker{}
	n, err := h.Load(t.Context())
	if err != nil {
		t.Error(err)
	}
	return n
}

func (h *host) add(t *testing.T, first, n int) {
	t.Helper()
	var list []policy.Record
	for i := range n {
		list = append(list, historytest.Record(first+i))
	}
	if err := h.Append(t.Context(), list); err != nil {
		t.Error(err)
	}
}

// inOrder reports an error unless the history has the first n records in their order.
func (f *far) inOrder(t *testing.T, n int) {
	t.Helper()
	if len(f.records) != n {
		t.Errorf("%d records, want %d", len(f.records), n)
	}
	for i, r := range f.records {
		if r.ID != historytest.Record(i).ID {
			t.Fatalf("%s is in place %d", r.ID, i)
		}
	}
}

func (h *host) waits(t *testing.T, want int64) {
	t.Helper()
	if n, size := h.Waiting(); n != want || (size > 0) != (want > 0) {
		t.Errorf("%d records in %d bytes wait, want %d", n, size, want)
	}
}

func TestSpill(t *testing.T) {
	to := &far{}
	h := newHost(t, to, filepath.Join(t.TempDir(), "spill"), 1<<20)
	h.add(t, 0, 3)
	h.waits(t, 0)
	to.away = true
	h.add(t, 3, 3)
	h.add(t, 6, 300)
	h.waits(t, 303)
	h.rests = breaker.Breaker{}
	if _, err := h.Load(t.Context()); !errors.Is(err, errAway) {
		t.Error(err)
	}
	h.add(t, 306, 4) // to another file: one is being loaded
	h.waits(t, 307)
	to.inOrder(t, 3)
	to.away = false
	if n := h.back(t); n != 307 {
		t.Errorf("%d are loaded", n)
	}
	to.inOrder(t, 310)
	h.waits(t, 0)
	h.add(t, 310, 1)
	to.inOrder(t, 311)
	if len(h.told) != 1 || !strings.Contains(h.told[0], "records wait in") || h.lost > 0 {
		t.Errorf("told: %q, %d lost", h.told, h.lost)
	}
}

// TestInterrupted: loading that is broken off, or begun again by another process, loses nothing and brings nothing
// twice.
func TestInterrupted(t *testing.T) {
	to := &far{away: true}
	file := filepath.Join(t.TempDir(), "spill")
	h := newHost(t, to, file, 1<<20)
	h.add(t, 0, 1000)
	to.away, to.cut = false, 300
	h.rests = breaker.Breaker{}
	if _, err := h.Load(t.Context()); !errors.Is(err, errAway) || len(to.records) != 512 {
		t.Errorf("%v, %d records", err, len(to.records))
	}
	to.cut = 0
	next := newHost(t, to, file, 1<<20)
	next.waits(t, 1000)
	if n := next.back(t); n != 1000 {
		t.Errorf("%d are loaded", n)
	}
	to.inOrder(t, 1000)
}

// TestTorn: a record that was cut short is dropped and told, and those before it and after it are not.
func TestTorn(t *testing.T) {
	for name, damage := range map[string]func(text []byte) []byte{
		"short":  func(text []byte) []byte { return text[:len(text)-5] },
		"header": func(text []byte) []byte { return append(text, 1, 0, 0) },
		"sum":    func(text []byte) []byte { text[len(text)-3] ^= 1; return text },
		"zeros":  func(text []byte) []byte { return append(text, make([]byte, 4096)...) },
		"length": func(text []byte) []byte { return append(text, bytes.Repeat([]byte{0xff}, 20)...) },
	} {
		for _, again := range []string{"loaded", "written", "counted and written"} { // what is done with it first
			to := &far{away: true}
			file := filepath.Join(t.TempDir(), "spill")
			newHost(t, to, file, 1<<20).add(t, 0, 4)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(text), 0o600); err != nil {
				t.Fatal(err)
			}
			whole := 4
			if name == "short" || name == "sum" {
				whole = 3
			}
			h := newHost(t, to, file, 1<<20)
			want := whole
			if again == "counted and written" { // as a metrics scrape does
				h.waits(t, int64(whole))
			}
			if again != "loaded" {
				h.add(t, whole, 2)
				want += 2
			}
			to.away = false
			h.back(t)
			to.inOrder(t, want)
			if !slices.ContainsFunc(h.told, func(s string) bool { return strings.Contains(s, "are no whole record, and are dropped") }) {
				t.Errorf("%s, %s: told: %q", name, again, h.told)
			}
			h.waits(t, 0)
		}
	}
}

// TestUnread: a disk that does not give what a file has is no reason to drop it, nor to ask the history less.
func TestUnread(t *testing.T) {
	to := &far{away: true}
	file := filepath.Join(t.TempDir(), "spill")
	h := newHost(t, to, file, 1<<20)
	h.add(t, 0, 4)
	if err := os.Rename(file, h.loading()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(h.loading())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("input/output error")
	to.away = false
	for at := len(magic); at < len(text); at += 61 {
		in := io.MultiReader(bytes.NewReader(text[len(magic):at]), iotest.ErrReader(broken))
		r := &reader{in: bufio.NewReader(in), at: int64(len(magic)), size: int64(len(text))}
		if _, err := h.empty(t.Context(), r); !errors.Is(err, broken) || !there(h.loading()) {
			t.Fatalf("after %d bytes: %v", at, err)
		}
	}
	if n := h.back(t); n != 4 {
		t.Errorf("%d are loaded", n)
	}
	to.inOrder(t, 4)
	if err := os.Mkdir(h.loading(), 0o700); err != nil { // which can be opened, and not read
		t.Fatal(err)
	}
	told := len(h.told)
	for range 2 {
		if _, err := h.Load(t.Context()); !errors.Is(err, syscall.EISDIR) || !there(h.loading()) {
			t.Errorf("%v", err)
		}
	}
	h.add(t, 4, 1)
	to.inOrder(t, 5)
	if len(h.told) != told+1 || !strings.Contains(h.told[told], "cannot be read, and stay") {
		t.Errorf("told: %q", h.told[told:])
	}
}

// TestFull: what there is no room for is counted and said once, and once more when there is room.
func TestFull(t *testing.T) {
	to := &far{away: true}
	h := newHost(t, to, filepath.Join(t.TempDir(), "spill"), 8<<10)
	for n := range 40 {
		h.add(t, n, 1)
	}
	kept, size := h.Waiting()
	if kept == 0 || kept+int64(h.lost) != 40 || h.lost == 0 || size > 8<<10 {
		t.Errorf("%d are kept in %d bytes, %d lost", kept, size, h.lost)
	}
	if err := h.Check(t.Context(), func(context.Context) error { return errAway }); !errors.Is(err, errAway) {
		t.Errorf("it can take records: %v", err)
	}
	to.away = false
	h.back(t)
	to.inOrder(t, int(kept))
	to.away = true
	h.rests = breaker.Breaker{}
	h.add(t, 50, 1)
	if len(h.told) != 4 || !strings.Contains(h.told[1], "are lost from now on") || !strings.Contains(h.told[3], "were lost") {
		t.Errorf("told: %q", h.told)
	}
	h.waits(t, 1)
}

// TestNoDirectory: where there is no place for the file, records are lost and counted, and mail goes on.
func TestNoDirectory(t *testing.T) {
	h := newHost(t, &far{away: true}, filepath.Join(t.TempDir(), "none", "spill"), 1<<20)
	h.add(t, 0, 5)
	h.add(t, 5, 5)
	if h.lost != 10 || len(h.told) != 2 {
		t.Errorf("%d lost, told: %q", h.lost, h.told)
	}
	if err := h.Check(t.Context(), func(context.Context) error { return errAway }); !errors.Is(err, errAway) {
		t.Error(err)
	}
	if err := h.Check(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}

// TestPoison: a record that the history refuses keeps no other from it.
func TestPoison(t *testing.T) {
	to := &far{poison: historytest.Record(7).ID}
	h := newHost(t, to, filepath.Join(t.TempDir(), "spill"), 1<<20)
	h.add(t, 0, 7)
	h.add(t, 7, 10)
	h.waits(t, 10)
	if n := h.back(t); n != 9 || h.lost != 1 || len(to.records) != 16 {
		t.Errorf("%d are loaded, %d lost, %d in all", n, h.lost, len(to.records))
	}
	h.waits(t, 0)
}

// TestTwoProcesses: several write to one file and load it, and all comes once.
func TestTwoProcesses(t *testing.T) {
	to := &far{away: true}
	file := filepath.Join(t.TempDir(), "spill")
	var wg sync.WaitGroup
	hosts := []*host{newHost(t, to, file, 1<<20), newHost(t, to, file, 1<<20)}
	for i, h := range hosts {
		wg.Go(func() {
			for n := range 50 {
				h.add(t, 100*i+n, 1)
			}
		})
	}
	wg.Wait()
	hosts[0].waits(t, 100)
	to.away = false
	for _, h := range hosts {
		h.rests = breaker.Breaker{}
		wg.Go(func() {
			if _, err := h.Load(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(to.records) != 100 || hosts[0].lost+hosts[1].lost > 0 {
		t.Errorf("%d records", len(to.records))
	}
	hosts[1].waits(t, 0)
}

// FuzzRead: whatever a file holds, reading ends, and what was written is read.
func FuzzRead(f *testing.F) {
	text, _, err := frames([]policy.Record{historytest.Record(1), historytest.Record(2)}, 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte(magic), text...), uint16(30), byte(1))
	f.Add([]byte(magic), uint16(0), byte(0))
	f.Add([]byte{}, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, text []byte, at uint16, flip byte) {
		if len(text) > 0 {
			text[int(at)%len(text)] ^= flip
		}
		path := filepath.Join(t.TempDir(), "spill")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := open(path, 0)
		if err != nil {
			return
		}
		defer r.file.Close()
		for n := 0; ; n++ {
			if _, err := r.next(); errors.Is(err, io.EOF) && r.left() == 0 || errors.Is(err, errTorn) {
				return
			} else if err != nil || n > len(text) {
				t.Fatalf("%v after %d, %d left", err, n, r.left())
			}
		}
	})
}
