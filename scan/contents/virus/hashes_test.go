package virus

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/scratch"
)

func hashEngine(t *testing.T, lists ...string) scan.Scanner {
	t.Helper()
	engines, err := New([]Config{{Name: "hashes", Type: TypeHashes, Lists: lists}})
	if err != nil {
		t.Fatal(err)
	}
	return engines[0]
}

func TestHashesContract(t *testing.T) {
	list := filepath.Join(t.TempDir(), "all.hdb")
	line := fmt.Sprintf("%x:*:Known.Member\n", md5.Sum([]byte("member")))
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	scantest.Run(t, hashEngine(t, list), Catalogue()...)
}

// TestEICARAnywhere puts the string where blocks meet, and at both ends.
func TestEICARAnywhere(t *testing.T) {
	const size = 3*blockSize + 1000
	offsets := []int{0, 1, 66, 67, 68, size - len(eicar)}
	for _, edge := range []int{blockSize, 2 * blockSize, 3 * blockSize} {
		for _, d := range []int{-69, -68, -67, -41, -27, -26, -1, 0, 1} {
			offsets = append(offsets, edge+d)
		}
	}
	e := hashEngine(t)
	for _, at := range offsets {
		b := make([]byte, size)
		copy(b[at:], eicar)
		m := scantest.Message("x", scan.Part{Parent: -1, Path: "1"}, scan.Part{Parent: -1, Path: "2", Content: scantest.Bytes(b)})
		found, err := e.Scan(context.Background(), m)
		if err != nil || len(found) != 1 || found[0].Part != 1 || found[0].Rule != "virus/Eicar-Test-Signature" {
			t.Errorf("at %d: found %v, error %v", at, found, err)
		}
	}
}

// TestEICARFarIn looks on both sides of what clamd takes by default.
func TestEICARFarIn(t *testing.T) {
	for _, at := range []int{24_900_000, 25 << 20, 26_300_000} {
		b := make([]byte, 27_000_000)
		copy(b[at:], eicar)
		m := scantest.Message("x", scan.Part{Parent: -1, Path: "1", Content: scantest.Bytes(b)})
		found, err := hashEngine(t).Scan(context.Background(), m)
		if err != nil || len(found) != 1 || found[0].Part != 0 {
			t.Errorf("at %d: found %v, error %v", at, found, err)
		}
	}
}

func TestEICARBetweenParts(t *testing.T) {
	m := scantest.Message("Subject: x\r\n\r\npreamble " + string(eicar))
	found, err := hashEngine(t).Scan(context.Background(), m)
	if err != nil || len(found) != 1 || found[0].Part != scan.WholeMessage {
		t.Errorf("found %v, error %v; want one for the whole message", found, err)
	}
}

func TestEICARNearMisses(t *testing.T) {
	misses := []string{string(eicar[1:]), string(eicar[:67]), string(eicar[:30]) + " " + string(eicar[30:])}
	for i := range eicar {
		misses = append(misses, string(eicar[:i])+"~"+string(eicar[i+1:]), strings.Repeat(string(eicar[i:min(i+2, len(eicar))]), 100))
	}
	for _, text := range misses {
		if hasEICAR([]byte(text)) {
			t.Errorf("found in %q", text)
		}
	}
}

func TestEICARAtAnyPlace(t *testing.T) {
	for before := range 3 * len(eicar) {
		for _, around := range []string{"x", "X", string(eicar[:stride]), "\x00"} {
			b := append(bytes.Repeat([]byte(around), before)[:before], eicar...)
			if !hasEICAR(b) || !hasEICAR(append(b, around...)) {
				t.Fatalf("not found after %d bytes of %q", before, around)
			}
		}
	}
}

func FuzzEICARSearch(f *testing.F) {
	f.Add([]byte("abc"), uint8(3), uint16(1))
	f.Add(eicar, uint8(7), uint16(0))
	f.Fuzz(func(t *testing.T, around []byte, step uint8, at uint16) {
		i := int(at) % (len(around) + 1)
		b := slices.Concat(around[:i], eicar, around[i:])
		var s eicarSearch
		for rest := b; len(rest) > 0; {
			n := min(len(rest), int(step)+1)
			s.See(rest[:n])
			rest = rest[n:]
		}
		if !s.found {
			t.Errorf("not found at %d in %d bytes, written %d at a time", i, len(b), int(step)+1)
		}
	})
}

func TestHashLists(t *testing.T) {
	a, b, c := []byte("first content"), []byte("second content"), []byte("third")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hdb := write("a.hdb", fmt.Sprintf("# comment\r\n\r\n%X:%d:By.MD5:73\r\n", md5.Sum(a), len(a)))
	hsb := write("a.hsb", fmt.Sprintf("%x:%d:By.SHA1\n%x:*:By.SHA256:73:100\n%x:%d:Wrong.Size\n",
		sha1.Sum(b), len(b), sha256.Sum256(c), sha1.Sum(c), len(c)+1))
	e := hashEngine(t, hdb, hsb)
	m := scantest.Message("x")
	for i, text := range [][]byte{a, b, c, []byte("fourth")} {
		m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: fmt.Sprint(i), Content: scantest.Bytes(text)})
	}
	found, err := e.Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprint(f.Part, f.Rule))
	}
	if want := []string{"0virus/By.MD5", "1virus/By.SHA1", "2virus/By.SHA256"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

func TestHashListErrors(t *testing.T) {
	good := strings.Repeat("0", 32)
	for line, want := range map[string]string{
		"zz:1:Name":                              "not hexadecimal",
		"0011:1:Name":                            "none of MD5",
		good + ":1":                              "fields",
		good + ":1:Name:1:2:3":                   "fields",
		good + ":0:Name":                         "size",
		good + ":-5:Name":                        "size",
		good + ":many:Name":                      "size",
		good + ":1:":                             "name",
		good + ":1:Name:x":                       "level",
		good + ":1:" + strings.Repeat("n", 5000): "too long",
	} {
		path := filepath.Join(t.TempDir(), "bad.hdb")
		if err := os.WriteFile(path, []byte("# one\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New([]Config{{Name: "h", Type: TypeHashes, Lists: []string{path}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path+":2:") {
			t.Errorf("%.60s: error %v; want %q in line 2", line, err, want)
		}
	}
}

func TestHashListMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.hdb")
	_, err := New([]Config{{Name: "h", Type: TypeHashes, Lists: []string{path}}})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"h"`) {
		t.Errorf("error %v; want it to name engine and file", err)
	}
}

func FuzzHashList(f *testing.F) {
	f.Add(strings.Repeat("0", 32) + ":*:Name:73\n# x\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := newHashList()
		err := l.read("fuzz", strings.NewReader(text))
		for k, name := range l.signatures {
			if name == "" || k.size == 0 || k.size < anySize || !slices.Contains(l.sizes[k.size], k.algorithm) {
				t.Errorf("entry %v %q", k, name)
			}
		}
		if err != nil && !strings.Contains(err.Error(), "fuzz:") {
			t.Errorf("error without file: %v", err)
		}
	})
}

func BenchmarkHashes(b *testing.B) {
	engines, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 8<<20)
	m := scantest.Message("x", scan.Part{Parent: -1, Path: "1", Content: scantest.Bytes(data)})
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := engines[0].Scan(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
}

// watched is a content that is watched, and cannot be read again once it was.
type watched struct {
	scan.Content
	lore scratch.Lore
	over bool
}

func (w *watched) Lore() *scratch.Lore { return &w.lore }

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	if w.over {
		return 0, errors.New("read again")
	}
	return w.Content.ReadAt(p, off)
}

// What was searched while it was opened is not read again, and the same is found in it; where hashes are wanted, it is.
func TestWatches(t *testing.T) {
	const size = 3 * scratch.Size
	for _, at := range []int{-1, 0, scratch.Size - 30, 2*scratch.Size - 67, size - len(eicar)} {
		b := bytes.Repeat([]byte{'x'}, size)
		if at >= 0 {
			copy(b[at:], eicar)
		}
		w := &watched{Content: scantest.Bytes(b)}
		w.lore.Watch(Watches())
		scratch.Windows(w, 0, 100, func([]byte, int64) error { return nil })
		w.over = true
		found, err := hashEngine(t).Scan(t.Context(), scantest.Message("x", scan.Part{Parent: -1, Path: "1", Content: w}))
		if err != nil || (len(found) == 1) != (at >= 0) {
			t.Errorf("at %d: found %v, error %v", at, found, err)
		}
	}
}
