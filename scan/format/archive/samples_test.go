package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleText is what testdata/make.sh packs beside EICAR.
func sampleText(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "line %d of a text that repeats itself\n", i+1)
	}
	return b.String()
}

// sample is a file that a real program wrote.
type sample struct {
	file     string
	names    string
	codes    string
	password string
}

func TestSamples(t *testing.T) {
	both, one := "eicar.com text.txt", "eicar.com"
	for _, s := range []sample{
		{"7z-copy.zip", both, "", ""},
		{"7z-deflate.zip", both, "", ""},
		{"7z-deflate64.zip", both, "", ""},
		{"7z-bzip2.zip", both, "", ""},
		{"7z-lzma.zip", both, "", ""},
		{"info.zip", both, "", ""},
		{"stream.zip", "-", "", ""},
		{"bsd.zip", both, "", ""},
		{"zipcrypto.zip", both, openedByPassword, "secret"},
		{"aes128.zip", both, openedByPassword, "secret"},
		{"aes192.zip", both, openedByPassword, "secret"},
		{"aes256.zip", both, openedByPassword, "secret"},
		{"odc.cpio", one, "", ""},
		{"newc.cpio", one, "", ""},
		{"crc.cpio", one, "", ""},
		{"bin.cpio", one, "", ""},
		{"gnu.ar", both, "", ""},
		{"long.ar", "a-name-that-is-too-long-for-the-header.com eicar.com", "", ""},
		{"bsd-long.ar", "a-name-that-is-too-long-for-the-header.com eicar.com", "", ""},
		{"eicar.com.xz", "", "", ""},
		{"sha256.xz", "", "", ""},
		{"none.xz", "", "", ""},
		{"blocks-text.xz", "", "", ""},
		{"eicar.com.lzma", "", "", ""},
		{"eicar.com.lz", "", "", ""},
		{"eicar.com.zst", "", "", ""},
		{"eicar.com.lz4", "", "", ""},
		{"legacy.lz4", "", "", ""},
		{"eicar.com.Z", "", "", ""},
		{"long-text.Z", "", "", ""},
		{"narrow-text.Z", "", "", ""},
		{"eicar.com.bz2", "", "", ""},
		{"copy.7z", both, "", ""},
		{"lzma.7z", both, "", ""},
		{"lzma2.7z", both, "", ""},
		{"bzip2.7z", both, "", ""},
		{"deflate.7z", both, "", ""},
		{"ppmd.7z", both, "", ""},
		{"solid-bcj.7z", both, "", ""},
		{"encrypted.7z", both, openedByPassword, "secret"},
		{"encrypted-copy.7z", both, openedByPassword, "secret"},
		{"encrypted-names.7z", both, openedByPassword, "secret"},
		{"stored.cab", both, "", ""},
		{"mszip.cab", both, "", ""},
		{"long-text.cab", "long.txt", "", ""},
		{"m0.arj", both, "", ""},
		{"m1.arj", both, "", ""},
		{"m2.arj", both, "", ""},
		{"m3.arj", both, "", ""},
		{"m4.arj", both, "", ""},
		{"garbled.arj", both, openedByPassword, "secret"},
		{"level0-lh5.lzh", both, "", ""},
		{"level0-lh6.lzh", both, "", ""},
		{"level0-lh7.lzh", both, "", ""},
		{"level1-lh5.lzh", both, "", ""},
		{"level1-lh6.lzh", both, "", ""},
		{"level1-lh7.lzh", both, "", ""},
		{"level2-lh5.lzh", both, "", ""},
		{"level2-lh6.lzh", both, "", ""},
		{"level2-lh7.lzh", both, "", ""},
		{"lh1.lzh", both, "", ""},
		{"lh4.lzh", both, "", ""},
		{"lzs.lzh", both, "", ""},
		{"lz4.lzh", both, "", ""},
		{"lz5.lzh", both, "", ""},
		{"qpdf.pdf", one, "", ""},
		{"objects.pdf", one, "", ""},
		{"poppler.pdf", both, "", ""},
		{"owner40.pdf", one, "", ""},
		{"owner128.pdf", one, "", ""},
		{"owner128aes.pdf", one, "", ""},
		{"owner256.pdf", one, "", ""},
		{"owner256objects.pdf", one, "", ""},
		{"locked128.pdf", one, openedByPassword, "secret"},
		{"locked256.pdf", one, openedByPassword, "secret"},
	} {
		t.Run(s.file, s.check)
	}
}

func (s sample) check(t *testing.T) {
	got := s.open(t, "wrong", s.password)
	if got.err != nil || got.names() != s.names || got.codes() != s.codes {
		t.Errorf("members %q, want %q; notes %v; %v", got.names(), s.names, got.notes, got.err)
	}
	for _, m := range got.members {
		want := eicar
		if strings.Contains(s.file, "-text") {
			want = sampleText(200)
		} else if strings.HasPrefix(m.name(), "text") {
			want = sampleText(20)
		}
		if m.body != want {
			t.Errorf("%s: %d bytes %.40q", m.name(), len(m.body), m.body)
		}
	}
}

func (s sample) open(t *testing.T, passwords ...string) walked {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", s.file))
	if err != nil {
		t.Fatal(err)
	}
	return open(t, "sample", data, passwords...)
}

func TestSamplesThatStayShut(t *testing.T) {
	for _, s := range []sample{
		{"7z-ppmd.zip", "eicar.com text.txt", unsupportedMethod, ""},
		{"x86.xz", "", unsupportedMethod, ""},
		{"zipcrypto.zip", "eicar.com text.txt", encryptedMember, ""},
		{"aes256.zip", "eicar.com text.txt", encryptedMember, ""},
		{"encrypted.7z", "eicar.com text.txt", encryptedMember, ""},
		{"encrypted-names.7z", "", encryptedNames, ""},
		{"encrypted-copy.7z", "eicar.com text.txt", encryptedMember, ""},
		{"garbled.arj", "eicar.com text.txt", encryptedMember, ""},
		{"locked128.pdf", "", encryptedDocument, ""},
		{"locked256.pdf", "", encryptedDocument, ""},
	} {
		got := s.open(t, "wrong")
		if got.err != nil || got.names() != s.names || got.codes() != s.codes {
			t.Errorf("%s: members %q, want %q; notes %v; %v", s.file, got.names(), s.names, got.notes, got.err)
		}
	}
}

func TestSamplesCutAnywhere(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 40 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := NewDetector(Formats()).Detect(strings.NewReader(string(data)), nil)
		if f == nil || strings.Contains(file, "encrypted") || strings.Contains(file, ".iso.") {
			continue
		}
		for n := len(data) - 1; n > 0; n -= 7 {
			if got := walkBytes(t, f, data[:n], NewBudget(testLimits)); got.err != nil {
				t.Errorf("%s cut to %d bytes: %v", file, n, got.err)
			}
		}
	}
}
