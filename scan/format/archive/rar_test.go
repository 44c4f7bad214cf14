package archive

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	mails "github.com/milterscan/milterscan/tests/sample"
)

// rar4 and rar5 write stored archives; no program that is free does.

// rar4Block is a block of RAR 1.5 to 4: its checksum is half a CRC-32.
func rar4Block(kind byte, flags int, fields string) string {
	block := string(kind) + u16(flags) + u16(7+len(fields)) + fields
	return u16(int(crc32.ChecksumIEEE([]byte(block))&0xffff)) + block
}

func rar4File(flags int, name, text string) string {
	sizes := u32(len(text)) + u32(len(text))
	sum := u32(int(crc32.ChecksumIEEE([]byte(text))))
	return rar4Block(0x74, 0x8000|flags, sizes+"\x03"+sum+u32(0)+"\x14\x30"+u16(len(name))+u32(0o100644)+name) + text
}

func rar4(flags int, files ...string) []byte {
	return []byte(rarMagic + "\x00" + rar4Block(0x73, flags, "\x00\x00\x00\x00\x00\x00") + strings.Join(files, "") + rar4Block(0x7b, 0x4000|flags&1, ""))
}

func vint(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }

// rar5Block is a block of RAR 5.
func rar5Block(fields string) string {
	block := vint(len(fields)) + fields
	return u32(int(crc32.ChecksumIEEE([]byte(block)))) + block
}

// rar5File is a file whose compression is told by info: 0 is stored.
func rar5File(info int, name, text string) string {
	const hasData, hasCRC = 2, 4
	sum := u32(int(crc32.ChecksumIEEE([]byte(text))))
	return rar5Block(vint(2)+vint(hasData)+vint(len(text))+vint(hasCRC)+vint(len(text))+vint(0o100644)+sum+vint(info)+vint(1)+vint(len(name))+name) + text
}

func rar5(files ...string) []byte {
	return []byte(rarMagic + "\x01\x00" + rar5Block(vint(1)+vint(0)+vint(0)) + strings.Join(files, "") + rar5Block(vint(5)+vint(0)+vint(0)))
}

// rar5Locked has encrypted headers.
func rar5Locked() []byte {
	head := rar5Block(vint(4) + vint(0) + vint(0) + vint(0) + vint(15) + strings.Repeat("s", 16))
	return []byte(rarMagic + "\x01\x00" + head + strings.Repeat("0123456789abcdef", 8))
}

func TestRar(t *testing.T) {
	const solidHuge = 3<<7 | 1<<6 | 15<<10 // normal compression, solid, 4 GB dictionary
	two4 := rar4(0, rar4File(0, "eicar.com", eicar), rar4File(0, `d\x.txt`, "text"))
	two5 := rar5(rar5File(0, "eicar.com", eicar), rar5File(0, "d/x.txt", "text"))
	for name, c := range map[string]struct {
		data  []byte
		names string
		codes string
		found bool
	}{
		"rar4":                        {two4, "eicar.com d/x.txt", "", true},
		"rar5":                        {two5, "eicar.com d/x.txt", "", true},
		"program before it":           {append([]byte("MZ"+strings.Repeat("\x00", 50_000)), two5...), "eicar.com d/x.txt", prefixed, true},
		"rar4, encrypted member":      {rar4(0, rar4File(4, "eicar.com", eicar)), "eicar.com", encryptedMember, false},
		"rar4, encrypted names":       {rar4(0x80), "", encryptedNames, false},
		"rar5, encrypted names":       {rar5Locked(), "", encryptedNames, false},
		"rar5, dictionary":            {rar5(rar5File(solidHuge, "x", "text")), "", windowTooLarge, false},
		"rar4, damaged second header": {patch(t, two4, edit{"x.txt", 0, "X"}), "eicar.com", damagedContainer, true},
		"rar5, checksum":              {patch(t, two5, edit{"EICAR", 0, "E1CAR"}), "eicar.com d/x.txt", checksumMismatch, false},
		"rar4, cut":                   {two4[:70], "eicar.com", damagedContainer + " " + damagedMember, false},
		"rar4, second volume":         {rar4(1, rar4File(1, "eicar.com", eicar)), "", volume, false},
		"rar4, first volume":          {rar4(1, rar4File(2, "eicar.com", eicar)), "eicar.com", volume, true},
	} {
		got := open(t, name, c.data)
		if got.err != nil || got.names() != c.names || got.codes() != c.codes || got.has("eicar.com", eicar) != c.found {
			t.Errorf("%s: members %q, want %q; notes %v, want %q; %v", name, got.names(), c.names, got.notes, c.codes, got.err)
		}
	}
}

func TestRarPasswordsDoNotFit(t *testing.T) {
	for _, data := range [][]byte{rar4(0x80), rar4(0, rar4File(4, "eicar.com", eicar))} {
		got := open(t, "x.rar", data, "wrong", "secret")
		if c := got.codes(); got.err != nil || c != encryptedNames && c != encryptedMember {
			t.Errorf("%v, %v", got.notes, got.err)
		}
	}
	if got := open(t, "x.rar", rar5Locked(), "wrong"); got.err != nil || len(got.notes) == 0 {
		t.Errorf("%v, %v", got.notes, got.err)
	}
}

// TestRarLocked opens what is encrypted, with its names or without, by a password and by a word of an earlier message, and
// nothing of it without.
func TestRarLocked(t *testing.T) {
	for _, names := range []bool{false, true} {
		data := mails.Rar5Locked("secret", names, mails.EicarFile(), mails.File{Name: "d/x.txt", Content: []byte("sixteen bytes...")})
		got := open(t, "x.rar", data, "wrong", "secret")
		if got.err != nil || !got.has("notes.txt", eicar) || !got.has("d/x.txt", "sixteen bytes...") || !strings.Contains(got.codes(), openedByPassword) {
			t.Errorf("names %v: %s; %s; %v", names, got.names(), got.codes(), got.err)
		}
		b := NewBudget(testLimits)
		b.Earlier = func() []string { return []string{"nothing", "secret"} }
		if got := openWith(t, "x.rar", data, b, "wrong"); !got.has("notes.txt", eicar) || !strings.Contains(got.codes(), openedByEarlier) {
			t.Errorf("names %v: %s; %s; %v", names, got.names(), got.codes(), got.err)
		}
		if got := open(t, "x.rar", data, "wrong"); got.has("notes.txt", eicar) || !strings.Contains(got.codes(), "encrypted") {
			t.Errorf("names %v: opened without the password: %s", names, got.codes())
		}
	}
}

// TestRarBlocks: what the decoder takes for the end of an archive, or for the whole of a stored file,
// need not be that for other programs.
func TestRarBlocks(t *testing.T) {
	four := func(packed, size, flags int, method string, more string) []byte {
		head := u32(packed) + u32(size) + "\x03" + u32(0) + u32(0) + "\x14" + method + u16(1) + u32(0o100644) + "a"
		return rar4(0, rar4Block(0x74, 0x8000|flags, head)+strings.Repeat("x", 20)+more)
	}
	five := func(packed, size, flags, info int, extra string) []byte {
		head := vint(2) + vint(2|flags|min(len(extra), 1))
		if extra != "" {
			head += vint(len(extra))
		}
		head += vint(packed) + vint(0) + vint(size) + vint(0o100644) + vint(info) + vint(1) + vint(1) + "a" + extra
		return rar5(rar5Block(head) + strings.Repeat("x", 20))
	}
	for name, c := range map[string]struct {
		data []byte
		bad  bool
	}{
		"4":                           {four(20, 20, 0, "\x30", ""), false},
		"4, ends later":               {four(1000, 20, 0, "\x30", ""), true},
		"4, ends much later":          {four(-1, 20, 0, "\x33", ""), true},
		"4, stored and longer":        {four(20, 10, 0, "\x30", ""), true},
		"4, stored and shorter":       {four(20, 30, 0, "\x30", ""), true},
		"4, packed":                   {four(20, 30, 0, "\x33", ""), false},
		"4, encrypted":                {four(20, 17, 4, "\x30", ""), false},
		"4, goes on elsewhere":        {four(20, 30, 2, "\x30", ""), false},
		"4, a comment that ends late": {four(20, 20, 0, "\x30", rar4Block(0x7a, 0x8000, u32(500))), true},
		"5":                           {five(20, 20, 0, 0, ""), false},
		"5, ends later":               {five(1000, 20, 0, 0, ""), true},
		"5, stored and longer":        {five(20, 10, 0, 0, ""), true},
		"5, stored and shorter":       {five(20, 30, 0, 0, ""), true},
		"5, packed":                   {five(20, 30, 0, 3<<7, ""), false},
		"5, encrypted":                {five(20, 17, 0, 0, "\x03\x01\x00\x00"), false},
		"5, with another record":      {five(20, 17, 0, 0, "\x03\x02\x00\x00"), true},
		"5, goes on elsewhere":        {five(20, 30, 16, 0, ""), false},
	} {
		for _, before := range []string{"", "MZ and more"} {
			data := []byte(before + string(c.data))
			if err := checkBlocks(bytes.NewReader(data), int64(len(before)), 100); (err != nil) != c.bad {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	files := []mails.File{{Name: "a"}, {Name: "b", Content: []byte("text")}}
	for _, whole := range [][]byte{mails.Rar4(files...), mails.Rar5(files...), rar5Locked(), rar4(0x80)} {
		if err := checkBlocks(bytes.NewReader(whole), 0, 100); err != nil {
			t.Error(err)
		}
	}
}
