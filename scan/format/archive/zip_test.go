package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
)

// file is a member to be written.
type file struct {
	name, text string
	deflate    bool
}

// makeZip writes a zip as archive/zip does it, without data descriptors.
func makeZip(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		packed := []byte(f.text)
		h := &zip.FileHeader{Name: f.name, CRC32: crc32.ChecksumIEEE(packed), UncompressedSize64: uint64(len(packed))}
		if f.deflate {
			packed, h.Method = deflated(t, f.text), zip.Deflate
		}
		h.CompressedSize64 = uint64(len(packed))
		m, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		m.Write(packed)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deflated(t testing.TB, text string) []byte { return deflatedAt(t, text, 9) }

func deflatedAt(t testing.TB, text string, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return out.Bytes()
}

// patch returns data with the bytes at each mark's first place plus an offset
// overwritten; the mark may begin with "last:" to mean the last place.
func patch(t testing.TB, data []byte, edits ...edit) []byte {
	t.Helper()
	data = bytes.Clone(data)
	for _, e := range edits {
		mark, find := e.mark, bytes.Index
		if rest, ok := strings.CutPrefix(mark, "last:"); ok {
			mark, find = rest, bytes.LastIndex
		}
		i := find(data, []byte(mark))
		if i < 0 {
			t.Fatalf("no %q", mark)
		}
		copy(data[i+e.at:], e.with)
	}
	return data
}

type edit struct {
	mark string
	at   int
	with string
}

const (
	localMark   = "PK\x03\x04"
	centralMark = "PK\x01\x02"
	endMark     = "PK\x05\x06"
)

func u16(n int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// zipCase is a zip and what must come of it.
type zipCase struct {
	name    string
	data    []byte
	members string // names in order, several of one member joined by |
	codes   string // in order, each once
	opened  bool   // EICAR is found
}

func TestZip(t *testing.T) {
	stored := makeZip(t, file{name: "eicar.com", text: eicar})
	packed := makeZip(t, file{name: "eicar.com", text: eicar, deflate: true})
	clean := makeZip(t, file{name: "clean.txt", text: "nothing to see"})
	cases := []zipCase{
		{"stored", stored, "eicar.com", "", true},
		{"deflated", packed, "eicar.com", "", true},
		{"empty", makeZip(t), "", "", false},
		{"directory", makeZip(t, file{name: "d/"}, file{name: "d/x", text: eicar}), "d/x", "", true},
		{"prefixed", append([]byte(strings.Repeat("junk", 256)), packed...), "eicar.com", prefixed, true},
		{"appended", append(bytes.Clone(packed), "one more"...), "eicar.com", trailingData, true},
		{"appended much", append(bytes.Clone(packed), make([]byte, 100_000)...), "eicar.com", trailingData, true},
		{"concatenated, first", append(bytes.Clone(packed), clean...), "clean.txt eicar.com", hiddenMember + " " + prefixed + " " + several, true},
		{"concatenated, last", append(bytes.Clone(clean), packed...), "eicar.com clean.txt", hiddenMember + " " + prefixed + " " + several, true},
		{"truncated before the directory", packed[:bytes.Index(packed, []byte(centralMark))], "eicar.com", noDirectory, true},
		{"truncated in the data", stored[:60], "eicar.com", damagedMember + " " + noDirectory, false},
		{"directory destroyed", patch(t, packed, edit{centralMark, 0, "XXXX"}), "eicar.com", noDirectory, true},
		{"end points astray", patch(t, packed, edit{endMark, 12, u32(9999)}, edit{endMark, 16, u32(9999)}), "eicar.com", noDirectory, true},
		{"count lies", patch(t, packed, edit{endMark, 8, u16(0) + u16(0)}), "eicar.com", "", true},
		{"only locally listed", localOnly(t), "clean.txt eicar.com", hiddenMember, true},
		{"offset past the end", patch(t, packed, edit{centralMark, 42, u32(99999)}), "eicar.com eicar.com", duplicateOrMissing, true},
		{"names differ", patch(t, packed, edit{localMark, 30, "eicar.exe"}), "eicar.com|eicar.exe", nameMismatch, true},
		{"zombie: deflated, said to be stored", patch(t, packed, edit{localMark, 8, u16(0)}, edit{centralMark, 10, u16(0)}), "eicar.com eicar.com", checksumMismatch + " " + methodLie + " " + sizeMismatch, true},
		{"stored, said to be deflated", patch(t, stored, edit{localMark, 8, u16(8)}, edit{centralMark, 10, u16(8)}), "eicar.com eicar.com", damagedMember + " " + methodLie, true},
		{"method differs in local header", patch(t, packed, edit{centralMark, 10, u16(0)}), "eicar.com eicar.com", checksumMismatch + " " + methodLie + " " + sizeMismatch, true},
		{"unknown method", patch(t, packed, edit{localMark, 8, u16(97)}, edit{centralMark, 10, u16(97)}), "eicar.com", unsupportedMethod, false},
		{"encrypted flag on clear data", patch(t, packed, edit{localMark, 6, u16(1)}, edit{centralMark, 8, u16(1)}), "eicar.com", encryptionLie, true},
		{"encrypted flag on clear stored data", patch(t, stored, edit{localMark, 6, u16(1)}, edit{centralMark, 8, u16(1)}), "eicar.com", encryptionLie, true},
		{"encrypted flag in one header", patch(t, packed, edit{centralMark, 8, u16(1)}), "eicar.com", encryptionLie, true},
		{"size too small", patch(t, packed, edit{localMark, 22, u32(10)}, edit{centralMark, 24, u32(10)}), "eicar.com", sizeMismatch, true},
		{"size too large", patch(t, packed, edit{localMark, 22, u32(1<<32 - 2)}, edit{centralMark, 24, u32(1<<32 - 2)}), "eicar.com", sizeMismatch, true},
		{"packed size too small", patch(t, packed, edit{localMark, 18, u32(3)}, edit{centralMark, 20, u32(3)}), "eicar.com", "", true},
		{"stored, cut short by its size", patch(t, stored, edit{localMark, 18, u32(3) + u32(3)}, edit{centralMark, 20, u32(3) + u32(3)}), "eicar.com", checksumMismatch, false},
		{"stored, sizes differ", patch(t, stored, edit{centralMark, 20, u32(3) + u32(3)}), "eicar.com eicar.com", checksumMismatch + " " + sizeMismatch, true},
		{"checksum", patch(t, packed, edit{localMark, 14, "abcd"}, edit{centralMark, 16, "abcd"}), "eicar.com", checksumMismatch, true},
		{"same name twice", makeZip(t, file{name: "a", text: eicar}, file{name: "a", text: "x"}), "a a", duplicateName, true},
		{"data behind a directory's name", bytes.ReplaceAll(makeZip(t, file{name: "a.exe_", text: eicar}), []byte("a.exe_"), []byte("a.exe/")), "a.exe/", "", true},
		{"zip64", zip64(packed, 0, 0), "eicar.com", "", true},
		{"zip64, prefixed", append(make([]byte, 100), zip64(packed, 0, 0)...), "eicar.com", prefixed, true},
		{"zip64 and plain records disagree", zip64Lie(t), "eicar.com clean.txt", hiddenMember + " " + several, true},
		{"zip64 sizes of no use", zip64Sizes(packed), "eicar.com", overlapping + " " + sizeMismatch, true},
		{"Unicode path", unicodePath(t, "\xe9.com", "é.com"), "\xe9.com|é.com", "", true},
		{"Unicode path leads elsewhere", unicodePath(t, "a.txt", "eicar.exe"), "a.txt|eicar.exe", nameMismatch, true},
		{"symbolic link", patch(t, stored, edit{centralMark, 5, "\x03"}, edit{centralMark, 40, u16(0o120777)}), "eicar.com", link, true},
		{"descriptor, not listed", streamed(t), "eicar.com", noDirectory, true},
		{"member behind a member's data", behindData(t), "big.txt eicar.com", hiddenMember, true},
		{"first disk of two", patch(t, packed, edit{endMark, 4, u16(1)}), "eicar.com", volume, true},
		{"zip in a zip, stored", makeZip(t, file{name: "a.zip", text: string(packed)}), "a.zip", "", false},
		{"end record in the comment", endInComment(t), "clean.txt eicar.com", hiddenMember + " " + several, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

// duplicateOrMissing: the listed member is missing, the real one is hidden.
const duplicateOrMissing = hiddenMember + " " + missingMember

func (c zipCase) check(t *testing.T) {
	got := open(t, "x.zip", c.data)
	if got.err != nil {
		t.Error(got.err)
	}
	if got.names() != c.members || got.codes() != c.codes {
		t.Errorf("members %q, want %q\nnotes %q\n want %q", got.names(), c.members, got.codes(), c.codes)
	}
	found := false
	for _, m := range got.members {
		found = found || m.body == eicar
	}
	if found != c.opened {
		t.Errorf("EICAR found: %v", found)
	}
}

// localOnly has two members of which the directory lists the first.
func localOnly(t *testing.T) []byte {
	data := makeZip(t, file{name: "clean.txt", text: "clean"}, file{name: "eicar.com", text: eicar})
	start, last, end := bytes.Index(data, []byte(centralMark)), bytes.LastIndex(data, []byte(centralMark)), bytes.Index(data, []byte(endMark))
	cut := append(bytes.Clone(data[:last]), data[end:]...)
	return patch(t, cut, edit{endMark, 8, u16(1) + u16(1) + u32(last-start) + u32(start)})
}

// endInComment ends in a comment that is an end record itself: programs that
// look for the last record see clean.txt, those that check the comment's length
// see eicar.com.
func endInComment(t *testing.T) []byte {
	data := makeZip(t, file{name: "eicar.com", text: eicar})
	at := len(data)
	inner := makeZip(t, file{name: "clean.txt", text: "clean"})
	data = append(data, inner...)
	data = patch(t, data, edit{"last:" + centralMark, 42, u32(at)}, edit{"last:" + endMark, 16, u32(at + bytes.Index(inner, []byte(centralMark)))})
	return patch(t, data, edit{endMark, 20, u16(len(inner))})
}

// zip64 gives a zip of one member a zip64 end record, with the plain one saying
// nothing but that; or, with size and offset, something else.
func zip64(data []byte, size, offset int) []byte {
	start, end := bytes.LastIndex(data, []byte(centralMark)), bytes.LastIndex(data, []byte(endMark))
	out := string(data[:end]) + "PK\x06\x06" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(1) + u64(1) + u64(end-start) + u64(start)
	out += "PK\x06\x07" + u32(0) + u64(end) + u32(1)
	if size == 0 {
		size, offset = 1<<32-1, 1<<32-1
	}
	return []byte(out + endRecord(1<<16-1, size, offset))
}

func u64(n int) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

// zip64Lie has two directories, one for those who look at zip64 records and one
// for those who do not.
func zip64Lie(t *testing.T) []byte {
	clean, bad := makeZip(t, file{name: "clean.txt", text: "clean"}), makeZip(t, file{name: "eicar.com", text: eicar})
	end := bytes.LastIndex(bad, []byte(endMark))
	directory := bytes.LastIndex(bad, []byte(centralMark))
	data := append(bytes.Clone(bad[:end]), clean[:bytes.LastIndex(clean, []byte(endMark))]...)
	wide := len(data)
	cleanStart := wide - (len(clean) - 22 - bytes.Index(clean, []byte(centralMark)))
	out := string(data) + "PK\x06\x06" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(1) + u64(1) + u64(wide-cleanStart) + u64(cleanStart-end)
	out += "PK\x06\x07" + u32(0) + u64(wide) + u32(1)
	return []byte(out + endRecord(1, end-directory, directory))
}

// zip64Sizes says in a zip64 field that its member has 2^62 bytes.
func zip64Sizes(packed []byte) []byte {
	start, end := bytes.LastIndex(packed, []byte(centralMark)), bytes.LastIndex(packed, []byte(endMark))
	field := u16(1) + u16(16) + u64(1<<62) + u64(1<<62)
	header := bytes.Clone(packed[start:end])
	copy(header[20:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	copy(header[30:], u16(len(field)))
	out := string(packed[:start]) + string(header) + field
	return []byte(out + endRecord(1, len(out)-start, start))
}

// unicodePath has a Unicode path field in the central header.
func unicodePath(t *testing.T, name, unicode string) []byte {
	data := makeZip(t, file{name: name, text: eicar})
	start, end := bytes.LastIndex(data, []byte(centralMark)), bytes.LastIndex(data, []byte(endMark))
	field := u16(0x7075) + u16(5+len(unicode)) + "\x01" + u32(int(crc32.ChecksumIEEE([]byte(name)))) + unicode
	header := bytes.Clone(data[start:end])
	copy(header[30:], u16(len(field)))
	out := string(data[:start]) + string(header) + field
	return []byte(out + endRecord(1, len(out)-start, start))
}

// streamed is a member whose sizes follow its data, without a directory.
func streamed(t *testing.T) []byte {
	packed := deflated(t, eicar)
	sum := u32(int(crc32.ChecksumIEEE([]byte(eicar))))
	return []byte(localMark + u16(20) + u16(zipDescriptor) + u16(8) + u32(0) + u32(0) + u32(0) + u32(0) + u16(9) + u16(0) + "eicar.com" +
		string(packed) + "PK\x07\x08" + sum + u32(len(packed)) + u32(len(eicar)))
}

// behindData hides a member in what another claims as its data but does not use.
func behindData(t *testing.T) []byte {
	hidden := makeZip(t, file{name: "eicar.com", text: eicar})
	data := string(deflated(t, "big")) + string(hidden[:bytes.Index(hidden, []byte(centralMark))])
	out := makeZip(t, file{name: "big.txt", text: data})
	size, sum := u32(3), u32(int(crc32.ChecksumIEEE([]byte("big"))))
	return patch(t, out, edit{localMark, 8, u16(8)}, edit{localMark, 14, sum}, edit{localMark, 22, size},
		edit{centralMark, 10, u16(8)}, edit{centralMark, 16, sum}, edit{centralMark, 24, size})
}

func TestZipPasswords(t *testing.T) {
	for name, data := range map[string][]byte{"ZipCrypto": zipCryptoSample(t)} {
		shut := open(t, "x.zip", data, "wrong")
		if shut.codes() != encryptedMember || len(shut.members) != 1 || !shut.members[0].Encrypted || !shut.members[0].none || shut.names() != "eicar.com" {
			t.Errorf("%s without password: %v %v", name, shut.members, shut.notes)
		}
		if got := open(t, "x.zip", data, "wrong", "secret"); got.codes() != openedByPassword || !got.has("eicar.com", eicar) {
			t.Errorf("%s with password: %v %v", name, got.members, got.notes)
		}
	}
}

// zipCryptoSample encrypts a stored member with "secret".
func zipCryptoSample(t *testing.T) []byte {
	z := &zipCrypto{keys: [3]uint32{0x12345678, 0x23456789, 0x34567890}}
	for _, c := range []byte("secret") {
		z.update(c)
	}
	plain := append(make([]byte, 11), byte(crc32.ChecksumIEEE([]byte(eicar))>>24))
	plain = append(plain, eicar...)
	sealed := make([]byte, len(plain))
	for i, c := range plain {
		k := z.keys[2] | 2
		sealed[i] = c ^ byte(k*(k^1)>>8)
		z.update(c)
	}
	data := makeZip(t, file{name: "eicar.com", text: string(sealed)})
	crc, size := u32(int(crc32.ChecksumIEEE([]byte(eicar)))), u32(len(eicar))
	return patch(t, data,
		edit{localMark, 6, u16(1)}, edit{localMark, 14, crc}, edit{localMark, 22, size},
		edit{centralMark, 8, u16(1)}, edit{centralMark, 16, crc}, edit{centralMark, 24, size})
}

func TestZipBombsOfSharedData(t *testing.T) {
	kernel := deflated(t, strings.Repeat("\x00", 8<<20))
	for name, data := range map[string][]byte{
		"full overlap":   fullOverlap(t, kernel, 900),
		"quoted overlap": quotedOverlap(kernel, 900),
	} {
		b := NewBudget(testLimits)
		b.Ratio = 10_000
		got := walkBytes(t, zipFormat{}, data, b)
		total := 0
		for _, m := range got.members {
			total += len(m.body)
		}
		if len(got.members) != 900 || total > 9<<20 || !strings.Contains(got.codes(), overlapping) {
			t.Errorf("%s: %d bytes from %d in %d members, %q, %v", name, total, len(data), len(got.members), got.codes(), got.err)
		}
	}
}

// fullOverlap lists one member many times.
func fullOverlap(t *testing.T, kernel []byte, n int) []byte {
	data := makeZip(t, file{name: "k", text: string(kernel)})
	data = patch(t, data, edit{localMark, 8, u16(8)}, edit{localMark, 14, u32(0)}, edit{centralMark, 10, u16(8)}, edit{centralMark, 16, u32(0)}, edit{centralMark, 24, u32(8 << 20)})
	start, end := bytes.LastIndex(data, []byte(centralMark)), bytes.LastIndex(data, []byte(endMark))
	header := bytes.Clone(data[start:end])
	out := bytes.Clone(data[:start])
	for range n {
		out = append(out, header...)
	}
	return append(out, endRecord(n, len(out)-start, start)...)
}

func endRecord(n, size, offset int) string {
	return endMark + u16(0) + u16(0) + u16(n) + u16(n) + u32(size) + u32(offset) + u16(0)
}

// quotedOverlap is the bomb of Fifield, section 2: each member's data are a
// stored block that quotes the next local header, and then that one's data.
func quotedOverlap(kernel []byte, n int) []byte {
	out, size := "", 8<<20
	var directory string
	var fromEnd []int // place of each header, counted from the end of the members
	for i := range n {
		name := string([]byte{'a' + byte(i/100), 'a' + byte(i/10%10), 'a' + byte(i%10)})
		data := string(kernel)
		if i > 0 {
			h := out[:30+len(name)]
			data = "\x00" + u16(len(h)) + u16(^len(h)) + out
			size += len(h)
		}
		middle := u16(0) + u16(8) + u32(0) + u32(0) + u32(len(data)) + u32(size) + u16(len(name)) + u16(0)
		out = localMark + u16(20) + middle + name + data
		fromEnd = append(fromEnd, len(out))
		directory += centralMark + u16(20) + u16(20) + middle + u16(0) + u16(0) + u16(0) + u32(0) + u32(0) + name
	}
	entries := []byte(directory)
	for i, back := range fromEnd {
		copy(entries[i*49+42:], u32(len(out)-back))
	}
	return append(append([]byte(out), entries...), endRecord(n, len(entries), len(out))...)
}
