package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// damaged is a compound file whose header points nowhere.
func damaged(b []byte) []byte {
	b = slices.Clone(b)
	binary.LittleEndian.PutUint32(b[48:], 0x00ffffff)
	return b
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// activeMime wraps a compound file as Word's web pages do.
func activeMime(b []byte) []byte {
	head := make([]byte, 0x32)
	copy(head, activeMimeMark)
	return append(head, deflated(b)...)
}

// templateDoc is a Word document that is attached to a template.
func templateDoc(template string) []byte {
	fib := make([]byte, wordAssociated+8)
	binary.LittleEndian.PutUint16(fib, wordMark)
	binary.LittleEndian.PutUint16(fib[wordFlags:], wordTableStream)
	table := []byte("\xff\xff\x02\x00\x00\x00\x00\x00")
	table = binary.LittleEndian.AppendUint16(table, uint16(len(template)))
	table = append(table, utf16le(template)...)
	binary.LittleEndian.PutUint32(fib[wordAssociated:], 16)
	binary.LittleEndian.PutUint32(fib[wordAssociated+4:], uint32(len(table)))
	return compoundFile(streamData{"WordDocument", fib}, streamData{"1Table", append(make([]byte, 16), table...)})
}

// rtfWith is an RTF document with an object in it.
func rtfWith(class string, native []byte) []byte {
	b := []byte("\x01\x05\x00\x00\x02\x00\x00\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(class)+1))
	b = append(b, class+"\x00"+strings.Repeat("\x00", 8)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(native)))
	digits := hex.EncodeToString(append(b, native...))
	var lines strings.Builder
	for line := range slices.Chunk([]byte(digits), 64) {
		lines.Write(line)
		lines.WriteString("\r\n")
	}
	return []byte(`{\rtf1\ansi{\object\objemb{\*\objclass ` + class + `}{\*\objdata ` + lines.String() + `}}}`)
}

// equationWith is an object of the old equation editor with a font.
func equationWith(font string) []byte {
	head := make([]byte, 28)
	head[0] = 0x1c
	return append(append(head, 3, 1, 1, 3, 10, 0x0a, 0x01, 0x08, 0x5a, 0x5a), font+"\x00"...)
}

// pdfOf is a PDF of those objects.
func pdfOf(objects ...string) []byte {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer << /Root 1 0 R /Size 9 >>\nstartxref\n0\n%%EOF\n")
	return []byte(b.String())
}

// objectStream is a stream with one object in it, its length given elsewhere.
func objectStream(object string) string {
	packed := deflated([]byte("7 0 " + object))
	return fmt.Sprintf("<< /Type /ObjStm /N 1 /First 4 /Length 8 0 R /Filter [ /ASCIIHexDecode /Fl ] >>\nstream\n%x>\nendstream", packed)
}

// oneNoteWith is a section with a file in it.
func oneNoteWith(data string) []byte {
	b := append([]byte(oneNoteMark), make([]byte, 1000)...)
	b = append(b, embeddedFile...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = append(b, make([]byte, 12)...)
	return append(b, data+strings.Repeat("\x00", 16)...)
}

// shellLinkTo is a shortcut.
func shellLinkTo(target, arguments, icon string) []byte {
	b := make([]byte, 76)
	copy(b, shellLinkMark)
	binary.LittleEndian.PutUint32(b[20:], linkHasInfo|linkHasArguments|linkHasIcon|linkIsUnicode)
	info := make([]byte, 28)
	binary.LittleEndian.PutUint32(info, uint32(28+len(target)+2))
	binary.LittleEndian.PutUint32(info[16:], 28)
	binary.LittleEndian.PutUint32(info[24:], uint32(28+len(target)+1))
	b = append(append(b, info...), target+"\x00\x00"...)
	for _, s := range []string{arguments, icon} {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, utf16le(s)...)
	}
	return append(b, 0, 0, 0, 0)
}
