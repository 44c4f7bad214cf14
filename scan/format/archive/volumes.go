package archive

import "strings"

// isFileSystem recognises the first sector of a volume as Windows makes it.
func isFileSystem(head []byte, _ Content) bool {
	if len(head) < 512 || head[510] != 0x55 || head[511] != 0xaa {
		return false
	}
	return hasAny(head[3:], "NTFS    ", "EXFAT   ") || hasAny(head[54:], "FAT") || hasAny(head[82:], "FAT32")
}

// isUDF recognises a disc whose descriptors are of UDF only (ECMA-167, volume
// recognition).
func isUDF(_ []byte, c Content) bool {
	b := fixed(c, isoFirst*isoSector+1, 5)
	return b != nil && string(b) == "BEA01"
}

// isARC recognises the header of a member: a byte, a method, a name of up to 12
// letters with its NUL, a size that is possible.
func isARC(head []byte, c Content) bool {
	const nameSize = 13
	if len(head) < 29 || head[0] != 0x1a || head[1] < 1 || head[1] > 11 {
		return false
	}
	name, _, ok := cstring(head[2 : 2+nameSize])
	packed := int64(le32(head[2+nameSize:]))
	return ok && name != "" && packed < c.Size() && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
