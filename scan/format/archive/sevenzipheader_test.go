package archive

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// readAll is all of c.
func readAll(c Content) []byte {
	b, _ := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	return b
}

// plainDirectory is the directory of a 7z, unpacked.
func plainDirectory(t *testing.T, c Content) []byte {
	t.Helper()
	h := sevenZipDirectory(c, 0)
	if len(h) > 0 && h[0] == sevenEncoded {
		h = unpackedDirectory(c, 0, h[1:], newWindows(NewBudget(Limits{}), int64(maxWindow)))
	}
	if len(h) < 2 || h[0] != sevenMain {
		t.Fatalf("directory % x", h)
	}
	return h
}

// packedDirectory is an archive whose directory is stored like a file, as 7-Zip does.
func packedDirectory(c Content, header []byte) Content {
	n := byte(len(header)) // below 128: one byte each
	at := c.Size() - sevenStart
	whole := bytes.NewReader(append(readAll(c), header...))
	number := []byte{0xc0 | byte(at>>16), byte(at), byte(at >> 8)}
	encoded := append([]byte{sevenEncoded, sevenPack}, number...)
	encoded = append(encoded, 1, sevenSize, 0x80, n, sevenEnd, sevenUnpack, sevenFolder, 1, 0, 1, 1, 0, sevenCodersSize, 0x80, n, sevenEnd, sevenEnd)
	return withDirectory(whole, 0, encoded)
}

// What 7-Zip reads over hides no member, in a directory that is packed or not.
func TestSevenZipProperties(t *testing.T) {
	for _, file := range []string{"copy.7z", "bzip2.7z", "deflate.7z"} {
		data := sampleBytes(t, file)
		good := open(t, file, data)
		if len(good.members) == 0 {
			t.Fatalf("%s has no members", file)
		}
		c := bytes.NewReader(data)
		plain := plainDirectory(t, c)
		properties := func(kind byte) []byte {
			i := bytes.LastIndexByte(plain[:len(plain)-1], sevenEnd)
			return append(append(bytes.Clone(plain[:i]), kind, 3, 'a', 'b', 'c'), plain[i:]...)
		}
		for name, header := range map[string][]byte{
			"archive properties": append([]byte{sevenMain, sevenArchiveProperties, 0x20, 2, 'x', 'y', 0x21, 0, sevenEnd}, plain[1:]...),
			"additional streams": append([]byte{sevenMain, sevenAdditional, sevenPack, 0, 0, sevenEnd, sevenEnd}, plain[1:]...),
			"places":             properties(24),
			"comment":            properties(22),
			"unknown":            properties(30),
		} {
			changed := map[string]Content{"plain": withDirectory(c, 0, header)}
			if len(header) < 256 {
				changed["packed"] = packedDirectory(c, header)
			}
			for how, archive := range changed {
				w := open(t, "a.7z", readAll(archive))
				if w.names() != good.names() || len(w.notes) != len(good.notes) || w.members[0].body != good.members[0].body {
					t.Errorf("%s, %s, %s: %q, want %q; %s", file, name, how, w.names(), good.names(), w.codes())
				}
			}
		}
	}
}

// 7-Zip reads names that are in a stream of their own.
func TestSevenZipNamesElsewhere(t *testing.T) {
	for _, file := range []string{"copy.7z", "bzip2.7z", "deflate.7z"} {
		data := sampleBytes(t, file)
		good := open(t, file, data)
		plain := plainDirectory(t, bytes.NewReader(data))
		at := strings.Index(string(plain), utf16le(strings.Fields(good.names())[0]+"\x00")) - 3 // kind, size, not elsewhere
		if at < 0 || plain[at] != sevenName || plain[at+2] != 0 {
			t.Fatalf("%s: % x", file, plain)
		}
		size := int(plain[at+1])
		names := plain[at+3 : at+2+size]
		stream := len(data) - sevenStart
		additional := []byte{sevenAdditional, sevenPack, 0xc0 | byte(stream>>16), byte(stream), byte(stream >> 8), 1, sevenSize, 0x80, byte(len(names)), sevenEnd,
			sevenUnpack, sevenFolder, 1, 0, 1, 1, 0, sevenCodersSize, 0x80, byte(len(names)), sevenEnd, sevenEnd}
		header := append(append([]byte{sevenMain}, additional...), plain[1:at]...)
		header = append(append(header, sevenName, 2, 1, 0), plain[at+2+size:]...)
		whole := bytes.NewReader(append(bytes.Clone(data), names...))
		w := open(t, "a.7z", readAll(withDirectory(whole, 0, header)))
		if w.names() != good.names() || w.codes() != good.codes() || w.members[0].body != good.members[0].body {
			t.Errorf("%s: %q, want %q; %v", file, w.names(), good.names(), w.notes)
		}
		header[len(header)-len(plain[at+2+size:])-1] = 1 // of streams there is one
		if w := open(t, "a.7z", readAll(withDirectory(whole, 0, header))); !strings.Contains(w.codes(), damagedContainer) {
			t.Errorf("%s: names nowhere: %s", file, w.codes())
		}
	}
}

// The names of what cannot be read are told all the same.
func TestSevenZipNamesInDamage(t *testing.T) {
	header := append([]byte{sevenMain, sevenFiles, 1, sevenName, 21, 1}, utf16le("setup.exe\x00")...)
	w := open(t, "a.7z", readAll(withDirectory(bytes.NewReader(sampleBytes(t, "copy.7z")), 0, header)))
	if !strings.Contains(w.names(), "setup.exe") || !strings.Contains(w.codes(), damagedContainer) {
		t.Errorf("%s; %s", w.names(), w.codes())
	}
}

func FuzzSevenZipHeader(f *testing.F) {
	f.Add([]byte{sevenMain, sevenArchiveProperties, 0x20, 2, 'x', 'y', sevenEnd, sevenEnd})
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, ok := (&sevenZipHeader{b: b}).tamed(); ok && len(out) >= len(b) {
			t.Errorf("nothing was left out of % x", b)
		}
	})
}
