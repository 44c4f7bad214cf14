package sample

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
)

// RPM returns a package of RPM with files in it, as rpmbuild writes them: a lead, a signature
// (here an empty one), a header, and an archive of cpio in gzip (the LSB, "RPM Package Format").
func RPM(files ...File) []byte {
	lead := make([]byte, 96)
	copy(lead, "\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01sample-1-1")
	binary.BigEndian.PutUint16(lead[76:], 1) // Linux
	binary.BigEndian.PutUint16(lead[78:], 5) // a signature like a header follows
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(CPIO(files...))
	z.Close()
	out := append(lead, rpmHeader(62)...)
	for len(out)%8 != 0 {
		out = append(out, 0)
	}
	out = append(out, rpmHeader(63, "\x00\x00\x03\xe8sample", "\x00\x00\x03\xe91", "\x00\x00\x03\xea1",
		"\x00\x00\x04\x64cpio", "\x00\x00\x04\x65gzip", "\x00\x00\x04\x669")...) // name, version, release, and how the rest is packed
	return append(out, packed.Bytes()...)
}

// rpmHeader returns a header of texts, each after the four bytes of its tag. The first entry says
// where the header begins.
func rpmHeader(region byte, texts ...string) []byte {
	var index, store []byte
	for _, t := range texts {
		index = append(index, t[:4]...)
		index = binary.BigEndian.AppendUint32(index, 6) // a string
		index = binary.BigEndian.AppendUint32(index, uint32(len(store)))
		index = binary.BigEndian.AppendUint32(index, 1)
		store = append(append(store, t[4:]...), 0)
	}
	n := len(texts) + 1
	mark := append([]byte{0, 0, 0, region}, 0, 0, 0, 7) // binary
	first := binary.BigEndian.AppendUint32(bytes.Clone(mark), uint32(len(store)))
	first = binary.BigEndian.AppendUint32(first, 16)
	last := binary.BigEndian.AppendUint32(bytes.Clone(mark), uint32(-16*n))
	store = append(store, binary.BigEndian.AppendUint32(last, 16)...)
	out := append([]byte("\x8e\xad\xe8\x01\x00\x00\x00\x00"), binary.BigEndian.AppendUint32(nil, uint32(n))...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(store)))
	return append(append(append(out, first...), index...), store...)
}

// CPIO returns an archive of cpio as SVR4 wrote it, with the numbers in hexadecimal.
func CPIO(files ...File) []byte {
	var out bytes.Buffer
	entry := func(name string, content []byte, mode int) {
		fmt.Fprintf(&out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
		fill(&out)
		out.Write(content)
		fill(&out)
	}
	for _, f := range files {
		entry("./"+f.Name, f.Content, 0o100644)
	}
	entry("TRAILER!!!", nil, 0)
	return out.Bytes()
}

// fill adds zeros up to a whole number of words.
func fill(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
