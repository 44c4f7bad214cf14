package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

// TestSurveyMissesNothing puts every sample, and what else may begin anywhere, after text
// and other data, across the ends of windows: where a format finds itself inside, the
// survey has seen it.
func TestSurveyMissesNothing(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 40 {
		t.Fatal(files, err)
	}
	contents := map[string][]byte{
		"mail": []byte("\nX: y\nmiMe-VErsion: 1.0\ncontent-type: text/html\n\n<p>"), "rar": []byte(rarMagic + "\x00"), "ustar": oneTar(t, false), "V7": oneTar(t, true),
	}
	for _, file := range files {
		if contents[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for name, data := range contents {
		for _, filling := range []string{"text, with u7M- in it\n", "\x00", "q\xc7\x71\x1a\xbc\x05"} {
			for _, before := range []int{0, 1, 511, 512, 64<<10 - 5, 64<<10 - 300, 200 << 10} {
				all := slices.Concat(bytes.Repeat([]byte(filling), before/len(filling)+1)[:before], data)
				holdSurvey(t, name, bytes.NewReader(all), seen)
			}
		}
	}
	if !seen["V7"] {
		t.Error("the tar without a mark is nowhere inside")
	}
	for _, f := range NewDetector(Formats()).further {
		if !seen[f.Name()] {
			t.Errorf("no sample has %s inside", f.Name())
		}
	}
}

// oneTar returns a tar archive with one member; that of V7 has no mark.
func oneTar(t *testing.T, v7 bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a", Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	block := b.Bytes()[:tarBlock]
	if v7 {
		clear(block[257:])
		copy(block[148:156], "        ")
		sum := 0
		for _, c := range block {
			sum += int(c)
		}
		copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	}
	return b.Bytes()
}

func holdSurvey(t *testing.T, name string, c Content, seen map[string]bool) {
	t.Helper()
	got := survey(c, allSights)
	for _, f := range NewDetector(Formats()).further {
		if e := f.(embedded); e.inside(c, nil) {
			seen[f.Name()], seen[name] = true, true
			if begins := NewDetector([]Format{f}).Beginning(c); !got.isSeen(e) && len(begins) == 0 { // one that the content begins with is not asked for
				t.Errorf("%s of %d bytes: %s is inside and was not seen", strings.TrimPrefix(name, "testdata/"), c.Size(), f.Name())
			}
		}
	}
}

// shown is a content that is watched. It lies in memory in pieces, or is read.
type shown struct {
	*bytes.Reader
	all  []byte
	ends []int
	lore scratch.Lore
}

func (s *shown) Lore() *scratch.Lore { return &s.lore }

func (s *shown) Piece(off int64) []byte {
	for _, end := range s.ends {
		if int(off) < end {
			return s.all[off:end]
		}
	}
	return nil
}

// Who surveys a content while others pass over it sees what a survey of its own sees, however the bytes are shown.
func TestSurveyInPassing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	marks, _ := samples()
	marks = append(marks, string(oneTar(t, false)), string(oneTar(t, true)), zipEndMark, "\xc7\x71\x00\x00", string(arjSample(t)))
	seen := sights(0)
	for range 600 {
		data := make([]byte, scratch.Size+1+r.IntN(3*scratch.Size))
		for range r.IntN(4) {
			copy(data[r.IntN(len(data)):], marks[r.IntN(len(marks))])
		}
		want := survey(bytes.NewReader(data), allSights)
		c := &shown{Reader: bytes.NewReader(data), all: data}
		for end := r.IntN(20000); end < len(data); end += 1 + r.IntN(20000) {
			c.ends = append(c.ends, end)
		}
		c.ends = append(c.ends, len(data))[:r.IntN(len(c.ends)+2)]
		c.lore.Watch([]scratch.Watch{Watch()})
		if r.IntN(2) == 0 {
			scratch.Windows(c, 0, r.IntN(2000), func([]byte, int64) error { return nil })
		}
		if got := survey(c, sightZip); got != want {
			t.Fatalf("%d bytes: %b, want %b", len(data), got, want)
		}
		s := &surveyor{c: c, wanted: allSights}
		for int(s.at) < len(data) { // in pieces as small as no window is
			s.See(data[s.at:min(len(data), int(s.at)+1+r.IntN(900))])
		}
		if s.seen != want {
			t.Fatalf("%d bytes piece by piece: %b, want %b", len(data), s.seen, want)
		}
		seen |= want
	}
	if seen != allSights {
		t.Errorf("only %b of %b were ever there", seen, allSights)
	}
}

// arjSample returns an archive of ARJ.
func arjSample(t *testing.T) []byte {
	t.Helper()
	files, _ := filepath.Glob("testdata/*.arj")
	if len(files) == 0 {
		t.Fatal("no sample of ARJ")
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}
