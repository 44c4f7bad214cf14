package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mails "github.com/milterscan/milterscan/tests/sample"
)

// openWith opens a container with words of a message.
func openWith(t *testing.T, name string, data []byte, b *Budget, words ...string) walked {
	t.Helper()
	f := NewDetector(Formats()).Detect(bytes.NewReader(data), []string{name})
	if f == nil {
		t.Fatalf("%s: not recognised", name)
	}
	b.Words = func() []string { return words }
	return walkBytes(t, f, data, b)
}

// TestWordsOpen: what a password opens, a word of the message opens, and that is said.
func TestWordsOpen(t *testing.T) {
	body := string(makeZip(t, file{name: "xl/vbaProject.bin", text: strings.Repeat("macro ", 2000)}))
	samples := map[string][]byte{
		"agile.xlsx":    agile("secret", "SHA512", 256, 1000, body),
		"standard.xlsx": standard("secret", algAES128, 16, body),
		"data.rar":      mails.Rar5Locked("secret", false, mails.EicarFile(), mails.File{Name: "d/x.txt", Content: []byte("text")}),
		"names.rar":     mails.Rar5Locked("secret", true, mails.EicarFile(), mails.File{Name: "d/x.txt", Content: []byte("text")}),
	}
	for _, name := range []string{"zipcrypto.zip", "aes128.zip", "aes192.zip", "aes256.zip", "encrypted.7z", "encrypted-copy.7z", "encrypted-names.7z", "garbled.arj", "locked128.pdf", "locked256.pdf"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		samples[name] = data
	}
	for name, data := range samples {
		for _, words := range [][]string{{"secret"}, {"Secret", "wrong", "", "secret"}} {
			w := openWith(t, name, data, NewBudget(testLimits), words...)
			if !strings.Contains(w.codes(), openedByWord) || strings.Contains(w.codes(), "encrypted") {
				t.Errorf("%s with %q: %s; %s", name, words, w.names(), w.codes())
			}
			for _, n := range w.notes {
				if strings.Contains(n.Detail, "secret") {
					t.Errorf("%s: the note %q tells the password", name, n.Detail)
				}
			}
		}
		if w := openWith(t, name, data, NewBudget(testLimits), "wrong"); strings.Contains(w.codes(), openedByWord) || !strings.Contains(w.codes(), "encrypted") {
			t.Errorf("%s with a wrong word: %s", name, w.codes())
		}
		b := NewBudget(testLimits)
		b.Passwords = []string{"secret"}
		if w := openWith(t, name, data, b, "secret"); strings.Contains(w.codes(), openedByWord) {
			t.Errorf("%s: a configured password counts as a word", name)
		}
	}
}

// TestWordsAreBounded: words in vain leave enough of the work to open the rest, and that
// they were not all tried is said.
func TestWordsAreBounded(t *testing.T) {
	var words []string
	for i := range 100 {
		words = append(words, fmt.Sprint("word", i))
	}
	locked := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const limit = time.Second
	for name, data := range map[string][]byte{
		"encrypted-names.7z": locked("encrypted-names.7z"),
		"encrypted.7z":       locked("encrypted.7z"),
		"aes256.zip":         locked("aes256.zip"),
		"locked256.pdf":      locked("locked256.pdf"),
		"slow.xlsx":          agile("secret", "SHA512", 256, 300_000, "x"),
	} {
		b := NewBudget(testLimits)
		_, done := b.Within(t.Context(), limit)
		w := openWith(t, name, data, b, words...)
		done()
		if b.Overworked() || b.Worked() > limit*6/10 || !strings.Contains(w.codes(), "encrypted") {
			t.Errorf("%s: work %v; %s", name, b.Worked(), w.codes())
		}
	}
}

// TestManyLockedMembers: of a zip with many members that no word opens, words are tried on
// the first of them only.
func TestManyLockedMembers(t *testing.T) {
	data, err := os.ReadFile("testdata/zipcrypto.zip")
	if err != nil {
		t.Fatal(err)
	}
	b := NewBudget(testLimits)
	tried := 0
	b.Words = func() []string { tried++; return []string{"wrong"} }
	w := walkBytes(t, zipFormat{}, data, b)
	if tried > len(w.members)+1 || !strings.Contains(w.codes(), encryptedMember) {
		t.Errorf("tried %d times; %s", tried, w.codes())
	}
	r := &zipReader{walk: &walk{budget: b}, vain: strayWords}
	if list := r.secrets(); len(list) != 0 {
		t.Errorf("after %d members in vain: %v", r.vain, list)
	}
}

// rar5Of returns an archive of RAR 5 with headers, each without checksum and size.
func rar5Of(headers ...[]byte) []byte {
	b := []byte(rar5Magic)
	for _, h := range headers {
		b = append(b, 0, 0, 0, 0)
		b = binary.AppendUvarint(b, uint64(len(h)))
		b = append(b, h...)
	}
	return b
}

// TestRoundsOfRAR: what an archive asks for is known before it is tried.
func TestRoundsOfRAR(t *testing.T) {
	main := []byte{1, 0, 0}
	file := []byte{2, rar5Extra, 5, 0, 0, 4, rar5Encrypted, 0, 0, 19}
	for name, c := range map[string]struct {
		data   []byte
		rounds int64
		price  Price
	}{
		"RAR 3":                {[]byte("Rar!\x1a\x07\x00 and more"), 1, priceRAR3},
		"no encryption":        {rar5Of(main), 1, priceRAR5},
		"all of it":            {rar5Of([]byte{rar5Encryption, 0, 0, 1, 15, 0}), 1 << 15, priceRAR5},
		"a file":               {rar5Of(main, file), 1 << 19, priceRAR5},
		"the second file":      {rar5Of(main, []byte{2, 0, 0}, file), 1 << 19, priceRAR5},
		"more than anybody":    {rar5Of([]byte{rar5Encryption, 0, 0, 1, 255}), 1 << (rar5Slowest + 1), priceRAR5},
		"cut off":              {rar5Of(main, file)[:20], 1, priceRAR5},
		"a size without sense": {append([]byte(rar5Magic), "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"...), 1, priceRAR5},
	} {
		w := &rarWalk{walk: begin(t.Context(), bytes.NewReader(c.data), NewBudget(testLimits), nil)}
		if rounds, price := w.rounds(); rounds != c.rounds || price != c.price {
			t.Errorf("%s: %d rounds of %d, want %d of %d", name, rounds, price, c.rounds, c.price)
		}
	}
}
