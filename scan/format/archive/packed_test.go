package archive

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
)

func sampleBytes(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// flip changes a byte counted from where text is.
func flip(t testing.TB, b []byte, text string, at int) []byte {
	t.Helper()
	i := bytes.Index(b, []byte(text))
	if i < 0 || i+at >= len(b) {
		t.Fatalf("no %q", text)
	}
	b = bytes.Clone(b)
	b[i+at] ^= 0xff
	return b
}

func TestDamagedArchives(t *testing.T) {
	cab, arj, lzh := sampleBytes(t, "stored.cab"), sampleBytes(t, "m0.arj"), sampleBytes(t, "level0-lh5.lzh")
	packed := sampleBytes(t, "mszip.cab")
	second := bytes.LastIndex(lzh, []byte("-lh5-")) - 2
	for name, c := range map[string]struct {
		data  []byte
		codes string
		first bool // eicar.com is whole
		more  bool // text.txt is there as well, however damaged
	}{
		"cab, byte in the data":      {flip(t, cab, eicar, 80), checksumMismatch, true, true},
		"cab, cut in the data":       {cab[:len(cab)-100], damagedMember, true, true},
		"cab, cut in the header":     {cab[:30], damagedContainer, false, false},
		"cab, cut in a name":         {cab[:bytes.Index(cab, []byte("text.txt"))+3], damagedContainer, false, false},
		"cab, no such folder":        {flip(t, cab, "eicar.com", -8), damagedMember, false, true},
		"cab, Quantum":               {flip2(cab, 42, 2), unsupportedMethod, false, true},
		"cab, LZX":                   {flip2(cab, 42, 3), unsupportedMethod, false, true},
		"cab, a method of its own":   {flip2(cab, 42, 9), unsupportedMethod, false, true},
		"cab, one of a set":          {flip2(cab, bytes.Index(cab, []byte("eicar.com"))-8, 0xfd), volume, false, true},
		"cab, mark of a block":       {flip(t, packed, mszipMark, 0), checksumMismatch + " " + damagedMember, false, true},
		"cab, a block":               {flip(t, packed, mszipMark, 4), checksumMismatch + " " + damagedMember, false, true},
		"arj, byte in the data":      {flip(t, arj, eicar, 60), checksumMismatch, false, true},
		"arj, cut in the data":       {arj[:len(arj)-100], damagedContainer + " " + damagedMember, true, true},
		"arj, byte in a header":      {flip(t, arj, "text.txt", 2), damagedContainer, true, false},
		"arj, byte in the first":     {flip(t, arj, "eicar.com", 2), damagedContainer, false, true},
		"arj, no end":                {arj[:len(arj)-4], damagedContainer, true, true},
		"lha, byte in the data":      {flip(t, lzh, "eicar.com", 20), damagedMember, false, true},
		"lha, cut in the data":       {lzh[:len(lzh)-40], damagedMember, true, true},
		"lha, cut in a header":       {lzh[:second+10], damagedContainer, true, false},
		"lha, byte in a header":      {flip(t, lzh, "eicar.com", 1), damagedContainer, false, true},
		"lha, method that is none":   {flip2(lzh, 5, 'x'), damagedContainer, false, true},
		"lha, method without reader": {sampleBytes(t, "lh2.lzh"), unsupportedMethod, true, true},
	} {
		got := open(t, name, c.data)
		if got.err != nil || !strings.Contains(got.codes(), strings.Fields(c.codes)[0]) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
		if got.has("eicar.com", eicar) != c.first && c.first || strings.Contains(got.names(), "text.txt") != c.more {
			t.Errorf("%s: members %q", name, got.names())
		}
	}
}

// flip2 sets a byte, and the one behind it to 0xff if it is one of a number that
// says that a member is in another cabinet.
func flip2(b []byte, at int, value byte) []byte {
	b = bytes.Clone(b)
	if b[at] = value; value == 0xfd {
		b[at+1] = 0xff
	}
	return b
}

// A cabinet whose members all begin before the last one ends is unpacked again
// only so often.
func TestOverlappingCabinet(t *testing.T) {
	const members = 200
	b := bytes.Clone(sampleBytes(t, "stored.cab"))
	header, data := b[:36], b[len(b)-len(eicar)-len(sampleText(20))-cabData:]
	folder := binary.LittleEndian.AppendUint32(nil, 0)
	folder = append(folder, 1, 0, 0, 0)
	var files []byte
	for range members {
		files = append(files, le32s(len(eicar))+le32s(0)+"\x00\x00\x00\x00\x00\x00\x00\x00x\x00"...)
	}
	put32(folder, uint32(36+8+len(files)))
	put32(header[16:], 44)
	binary.LittleEndian.PutUint16(header[28:], members)
	got := open(t, "x.cab", bytes.Join([][]byte{header, folder, files, data}, nil))
	read := 0
	for _, m := range got.members {
		if m.body == eicar {
			read++
		}
	}
	if len(got.members) != members || read != cabRewinds+1 || !strings.Contains(got.codes(), overlapping) {
		t.Errorf("%d of %d members read, notes %v", read, len(got.members), got.notes)
	}
}

// Archives of zeros stop at the ratio, however they are packed.
func TestBombsInOldArchives(t *testing.T) {
	const size = 64 << 20
	// A block of the longest matches at the shortest distance: single symbols.
	blocks := bitString(strings.Repeat("1111111111111111"+"00000"+"00000"+"000000000"+"111111101"+"0000"+"0000", 200))
	lzh := lhaHeader("-lh5-", len(blocks), size, "zeros") + blocks
	if got := walkBytes(t, lhaFormat{}, []byte(lzh), NewBudget(bombLimits)); got.err != ErrLimit || got.codes() != ratioExceeded {
		t.Errorf("lha: notes %v, %v", got.notes, got.err)
	}
}

// bitString packs digits, highest bit first.
func bitString(digits string) string {
	var b []byte
	for i := 0; i < len(digits); i += 8 {
		var c byte
		for j := range 8 {
			c <<= 1
			if i+j < len(digits) && digits[i+j] == '1' {
				c |= 1
			}
		}
		b = append(b, c)
	}
	return string(b)
}

// lhaHeader is a header of level 0.
func lhaHeader(method string, packed, size int, name string) string {
	body := method + le32s(packed) + le32s(size) + "\x00\x00\x00\x00\x20\x00" + string(rune(len(name))) + name + "\x00\x00"
	var sum byte
	for i := range len(body) {
		sum += body[i]
	}
	return string([]byte{byte(len(body)), sum}) + body
}

func TestLHANames(t *testing.T) {
	ext := func(kind byte, data string) string { return string([]byte{kind}) + data }
	level2 := func(extensions ...string) []byte {
		head := "-lh0-" + le32s(len(eicar)) + le32s(len(eicar)) + "\x00\x00\x00\x00\x20\x02\x00\x00U"
		var area string
		for _, e := range extensions {
			area += string(binary.LittleEndian.AppendUint16(nil, uint16(len(e)+2))) + e
		}
		area += "\x00\x00"
		return []byte(string(binary.LittleEndian.AppendUint16(nil, uint16(2+len(head)+len(area)))) + head + area + eicar + "\x00")
	}
	level3 := "\x04\x00-lh0-" + le32s(len(eicar)) + le32s(len(eicar)) + "\x00\x00\x00\x00\x20\x03\x00\x00U" + le32s(32+4+14) + le32s(14) + "\x01eicar.com" + le32s(0) + "\x00\x00\x00\x00" + eicar + "\x00"
	for name, c := range map[string]struct {
		data  []byte
		names string
	}{
		"long":          {level2(ext(1, "eicar.com")), "eicar.com"},
		"in a folder":   {level2(ext(1, "eicar.com"), ext(2, "a\xffb\xff")), "a/b/eicar.com"},
		"folder first":  {level2(ext(2, "a\xff"), ext(0, "\x00\x00"), ext(1, "eicar.com")), "a/eicar.com"},
		"Unicode":       {level2(ext(1, "eicar.com"), ext(0x44, utf16le("ü.com")), ext(0x45, utf16le("ä\uffff"))), "eicar.com|ä/ü.com"},
		"large sizes":   {level2(ext(1, "eicar.com"), ext(0x42, le32s(len(eicar))+le32s(0)+le32s(len(eicar))+le32s(0))), "eicar.com"},
		"no name":       {level2(), ""},
		"level 3":       {[]byte(level3), "eicar.com"},
		"level 0, NULs": {[]byte(lhaHeader("-lh0-", len(eicar), len(eicar), `a\eicar.com`) + eicar + "\x00"), `a\eicar.com`},
	} {
		got := open(t, name, c.data)
		if got.names() != c.names || len(got.members) != 1 || got.members[0].body != eicar || strings.ReplaceAll(got.codes(), checksumMismatch, "") != "" {
			t.Errorf("%s: %q, notes %v", name, got.names(), got.notes)
		}
	}
}

// 7-Zip reads one stream of .lzma after the other into one file.
func TestLZMAStreams(t *testing.T) {
	one := sampleBytes(t, "eicar.com.lzma")
	for name, c := range map[string]struct {
		data        []byte
		body, codes string
	}{
		"two":         {slices.Concat(one, one), eicar + eicar, ""},
		"text after":  {slices.Concat(one, []byte("some words that follow")), eicar, trailingData},
		"zeros after": {slices.Concat(one, make([]byte, 13)), eicar, trailingData},
		"cut second":  {slices.Concat(one, one[:40]), eicar, damagedMember},
	} {
		got := open(t, "a.lzma", c.data)
		if len(got.members) != 1 || !strings.HasPrefix(got.members[0].body, c.body) || got.codes() != c.codes {
			t.Errorf("%s: %d members, %s", name, len(got.members), got.codes())
		}
	}
}
