package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
