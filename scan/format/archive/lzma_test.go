package archive

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lzmaTexts are files that encoders treat differently: text, what does not pack, a program, and
// what repeats from far away.
func lzmaTexts(t *testing.T) map[string]string {
	t.Helper()
	noise := make([]byte, 300_000)
	rand.NewChaCha8([32]byte{3}).Read(noise)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"text": sampleText(5000), "noise": string(noise), "program": string(program[:400<<10]),
		"far": string(noise) + sampleText(2000) + string(noise), "one": "x",
	}
}

// TestLZMAOfTheProgramsIsRead packs files with the programs that are installed, as they may be
// told to, and reads them.
func TestLZMAOfTheProgramsIsRead(t *testing.T) {
	texts := lzmaTexts(t)
	for _, command := range []string{
		"xz -0 -k", "xz -6 -k", "xz -9e -k", "xz --check=sha256 -k", "xz --check=none -k", "xz --block-size=100000 -k",
		"xz --lzma2=dict=64KiB,lc=1,lp=3,pb=4 -k", "xz --lzma2=dict=4KiB,lc=0,lp=0,pb=0,mode=fast,mf=hc3 -k", "xz --format=lzma -k",
		"xz --format=lzma --lzma1=lc=0,lp=4,pb=0,dict=8KiB -k", "lzip -k", "lzip -0 -k",
		"7z a -m0=lzma x.7z", "7z a -m0=lzma:d=64k:lc=8:lp=0:pb=0 x.7z", "7z a -m0=lzma2:d=64m x.7z", "7z a -m0=bcj -m1=lzma x.7z",
		"7z a -m0=bcj2 -m1=lzma -m2=lzma -m3=lzma -mb0:1 -mb0s1:2 -mb0s2:3 x.7z", "7z a -mx=9 x.7z", "7z a -tzip -mm=lzma x.zip", "7z a -tzip -mm=xz x.zip",
	} {
		t.Run(command, func(t *testing.T) {
			args := strings.Fields(command)
			if _, err := exec.LookPath(args[0]); err != nil {
				t.Skip(err)
			}
			for name, text := range texts {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(args[0], append(args[1:], name)...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Skipf("%v: %s", err, out)
				}
				os.Remove(filepath.Join(dir, name))
				files, _ := filepath.Glob(dir + "/*")
				data, err := os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				w := open(t, filepath.Base(files[0]), data)
				if len(w.members) != 1 || w.members[0].body != text || len(w.notes) > 0 || w.err != nil {
					t.Errorf("%s: %d members, %v, %v", name, len(w.members), w.notes, w.err)
				}
			}
		})
	}
}

// TestWindowsOfSevenZipsAreLimited has a folder with a dictionary of 64 MB, and one with more:
// the limit is named, and no memory is taken for what is not there.
func TestWindowsOfSevenZipsAreLimited(t *testing.T) {
	data, err := os.ReadFile("testdata/lzma.7z")
	if err != nil {
		t.Fatal(err)
	}
	b := newWindows(NewBudget(Limits{}), int64(maxWindow))
	if err := b.take(int64(maxWindow)); err != nil {
		t.Errorf("64 MB: %v", err)
	}
	for _, c := range []struct {
		dict  byte // its highest byte
		size  int64
		codes string
	}{{4, 1 << 32, ""}, {8, 1000, ""}, {8, 1 << 32, windowTooLarge}} {
		r, err := openLZMA([]byte{0x5d, 0, 0, 0, c.dict, byte(c.size), byte(c.size >> 8), byte(c.size >> 16), byte(c.size >> 24), byte(c.size >> 32), 0, 0, 0},
			bufio.NewReader(strings.NewReader("\x00\x00\x00\x00\x00")), b)
		if got := err != nil && codeOf(err) == windowTooLarge; got != (c.codes != "") || (err == nil) != (r != nil) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	small := windows{most: 10, left: 1 << 20, budget: NewBudget(testLimits)}
	reader, err := openSevenZip(bytes.NewReader(data), "", newWindows(NewBudget(testLimits), int64(maxWindow)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openMember(reader.File[0], &small); !errors.Is(err, errWindow) || codeOf(err) != windowTooLarge {
		t.Errorf("a member whose window is too large: %v", err)
	}
}

// TestSymbolsOfLZMAAreCharged has files whose bytes take very different times to decode: the
// work that is charged goes by that in all formats.
func TestSymbolsOfLZMAAreCharged(t *testing.T) {
	noise := make([]byte, 200_000)
	rand.NewChaCha8([32]byte{3}).Read(noise)
	for _, command := range []string{"xz --lzma2=mode=fast,nice=2 --format=xz", "xz --format=lzma", "lzip", "7z a -m0=lzma x.7z", "7z a -tzip -mm=lzma x.zip"} {
		args := strings.Fields(command)
		if _, err := exec.LookPath(args[0]); err != nil {
			continue
		}
		for name, c := range map[string]struct {
			text        string
			least, most time.Duration
		}{"zeros": {strings.Repeat("\x00", 200_000), 0, 6 * time.Millisecond}, "nearly": {string(low(noise)), 5 * time.Millisecond, 20 * time.Millisecond}} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(args[0], append(args[1:], name)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Logf("%s: %v: %s", command, err, out)
				continue
			}
			files, _ := filepath.Glob(dir + "/*.*")
			data, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			b := NewBudget(testLimits)
			walkBytes(t, NewDetector(Formats()).Detect(bytes.NewReader(data), files), data, b)
			if got := b.Worked(); got < c.least || got > c.most {
				t.Errorf("%s, %s: work of %v, want %v to %v", command, name, got, c.least, c.most)
			}
		}
	}
}

// low returns bytes of four bits: literals that take half of their room.
func low(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] &= 0x0f
	}
	return out
}
