package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// spoiled is a tar of three files, with something written into the header of the
// second. Its name is long where that says so.
func spoiled(t *testing.T, long bool, at int, text string) []byte {
	t.Helper()
	name := "b.exe"
	if long {
		name = strings.Repeat("directory/", 20) + "b.exe"
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []string{"a.txt", name, "c.txt"} {
		if err := w.WriteHeader(&tar.Header{Name: f, Mode: 0o644, Size: 5, Typeflag: tar.TypeReg, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("hello"))
	}
	w.Close()
	b := out.Bytes()
	for from := 0; ; {
		if from = int(nextTarHeader(bytes.NewReader(b), int64(from), 0)); b[from] == 'b' || long && strings.HasPrefix(string(b[from:]), "directory/") && b[from+156] == '0' {
			mark(b[from:from+tarBlock], at, text)
			return b
		}
		from += tarBlock
	}
}

// mark writes into a header and makes its checksum right.
func mark(block []byte, at int, text string) {
	copy(block[at:], text)
	copy(block[148:156], "        ")
	sum := 0
	for _, c := range block {
		sum += int(c)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// What GNU tar unpacks with a warning, or with none, is a member with its name.
func TestTarWithOddNumbers(t *testing.T) {
	for _, long := range []bool{false, true} {
		for name, c := range map[string]struct {
			at   int
			text string
		}{
			"mode":  {100, "garbage!"},
			"owner": {108, "\xff\xff\xff\xff\xff\xff\xff\xff"},
			"group": {116, "8z9    \x00"},
			"time":  {136, "not a time!!"},
			"major": {329, "garbage"},
			"minor": {337, "\x01\x02\x03\x04\x05\x06\x07"},
			"size":  {124, "garbage size"},
			"all":   {100, strings.Repeat("x", 48)},
		} {
			w := open(t, "a.tar", spoiled(t, long, c.at, c.text))
			second := len(w.members) == 3 && strings.HasSuffix(w.members[1].name(), "b.exe") && strings.HasPrefix(w.members[1].body, "hello")
			if !second || w.members[2].name() != "c.txt" || strings.Contains(w.codes(), damagedContainer) || w.members[1].Hidden {
				t.Errorf("%s, long %v: %s; %s", name, long, w.names(), w.codes())
			}
			if long && len(w.members) == 3 && len(w.members[1].name()) < 200 {
				t.Errorf("%s: the long name is lost: %s", name, w.members[1].name())
			}
		}
	}
}

// Other headers that belong to a member may be wrong as well.
func TestTarWithOddRecords(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	w.WriteHeader(&tar.Header{Name: "b.exe", Size: 5, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{"TEST.x": "12345"}})
	w.Write([]byte("hello"))
	w.Close()
	b := bytes.Replace(out.Bytes(), []byte("17 TEST.x=12345\n"), []byte("17 mtime=abcdef\n"), 1)
	b = bytes.Replace(b, []byte("16 TEST.x=12345\n"), []byte("16 mtime=abcdef\n"), 1)
	if got := open(t, "a.tar", b); !got.has("b.exe", "hello") || strings.Contains(got.codes(), damagedContainer) {
		t.Errorf("%s; %s", got.names(), got.codes())
	}
}
