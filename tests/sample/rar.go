package sample

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Rar4 returns an archive as WinRAR 2.9 to 4 write it, of files that are stored as they are
// (the technical note of unrar, "RAR archive format").
func Rar4(files ...File) []byte {
	out := []byte("Rar!\x1a\x07\x00")
	out = append(out, block4(0x73, 0, make([]byte, 6))...)
	for _, f := range files {
		b := binary.LittleEndian.AppendUint32(nil, uint32(len(f.Content)))     // packed
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Content)))        // unpacked
		b = append(b, 3)                                                       // made under Unix
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(f.Content)) //
		// time, version, stored, length of the name
		b = append(binary.LittleEndian.AppendUint32(b, 46<<25|1<<21|1<<16), 20, 0x30, byte(len(f.Name)), 0)
		b = append(binary.LittleEndian.AppendUint32(b, 0o100644), f.Name...) // mode
		out = append(append(out, block4(0x74, 0x8000, b)...), f.Content...)
	}
	return append(out, block4(0x7b, 0x4000, nil)...)
}

// block4 returns a header of RAR 4: the lower half of a checksum, type, flags, length, and the rest.
func block4(kind byte, flags uint16, rest []byte) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{kind}, flags)
	b = append(binary.LittleEndian.AppendUint16(b, uint16(7+len(rest))), rest...)
	return append(binary.LittleEndian.AppendUint16(nil, uint16(crc32.ChecksumIEEE(b))), b...)
}

// Rar5 returns an archive as WinRAR 5 to 7 write it, of files that are stored as they are
// (rarlab.com/technote.htm).
func Rar5(files ...File) []byte {
	out := []byte("Rar!\x1a\x07\x01\x00")
	out = append(out, block5(1, 0, []byte{0})...)
	for _, f := range files {
		b := binary.AppendUvarint(nil, uint64(len(f.Content))) // packed
		b = append(b, 4)                                       // there is a checksum
		b = binary.AppendUvarint(b, uint64(len(f.Content)))    // unpacked
		b = binary.AppendUvarint(b, 0o100644)
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(f.Content))
		b = append(b, 0, 1) // stored, made under Unix
		b = append(binary.AppendUvarint(b, uint64(len(f.Name))), f.Name...)
		out = append(append(out, block5(2, 2, b)...), f.Content...)
	}
	return append(out, block5(5, 0, []byte{0})...)
}

// block5 returns a header of RAR 5: a checksum, length, type, flags, and the rest.
func block5(kind, flags byte, rest []byte) []byte {
	b := slices.Concat(binary.AppendUvarint(nil, uint64(2+len(rest))), []byte{kind, flags}, rest)
	return append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)), b...)
}
