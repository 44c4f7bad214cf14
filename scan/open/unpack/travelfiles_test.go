package unpack

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// yEnc is a file in yEnc.
func yEnc(f traveller) string {
	var b strings.Builder
	fmt.Fprintf(&b, "=ybegin line=128 size=%d name=%s\r\n", len(f.body), f.name)
	for _, c := range f.body {
		if c += 42; strings.IndexByte("\x00\r\n=.\t ", c) >= 0 {
			b.WriteByte('=')
			c += 64
		}
		b.WriteByte(c)
	}
	return b.String() + fmt.Sprintf("\r\n=yend size=%d crc32=%08x\r\n", len(f.body), crc32.ChecksumIEEE(f.body))
}

// fileWays are those through other mails, mailboxes, pages, documents and notes.
func fileWays() map[string]way {
	inner := func(f traveller) string {
		return "From: a@example.org\r\nTo: b@example.org\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n" + multipart("inner", text, entityOf(f))
	}
	rtf := func(f traveller) string {
		native := "\x02\x00" + f.name + "\x00C:\\" + f.name + "\x00\x00\x00\x03\x00" + string(le(4)) + "x" + f.name[:2] + "\x00" + string(le(len(f.body))) + string(f.body)
		object := string(le(0x501)) + string(le(2)) + string(le(8)) + "Package\x00" + string(le(0)) + string(le(0)) + string(le(len(native))) + native
		return `{\rtf1{\object\objemb{\*\objdata ` + hex.EncodeToString([]byte(object)) + `}}}`
	}
	pdf := func(f traveller) string {
		return fmt.Sprintf("%%PDF-1.7\n1 0 obj\n<</Type/Filespec/F(%s)/UF(%s)/EF<</F 2 0 R>>>>\nendobj\n2 0 obj\n<</Type/EmbeddedFile/Length %d>>\nstream\n%s\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n%%%%EOF\n", f.name, f.name, len(f.body), f.body)
	}
	note := func(f traveller) string {
		return "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3" + strings.Repeat("\x00", 64) +
			"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(f.body)))) + strings.Repeat("\x00", 12) + string(f.body)
	}
	file := func(name string, wrap func(traveller) string, named bool) way {
		return way{func(f traveller) string { return attached("application/octet-stream", name, []byte(wrap(f))) }, named}
	}
	return map[string]way{
		"mail as a file":          file("a.eml", inner, true),
		"mail by another name":    file("a.dat", inner, true),
		"mailbox":                 file("a.mbox", func(f traveller) string { return "From a@example.org Mon Jan  5 09:00:00 2026\n" + inner(f) }, true),
		"page saved with all":     file("a.mht", savedPage, true),
		"page saved, as a doc":    file("a.doc", savedPage, true),
		"yEnc in a text":          {func(f traveller) string { return "Subject: x\r\n\r\nhello\r\n" + yEnc(f) }, true},
		"object in RTF":           file("a.rtf", rtf, true),
		"object in RTF, as a doc": file("a.doc", rtf, true),
		"store of data in RTF":    file("a.rtf", func(f traveller) string { return `{\rtf1{\*\datastore ` + hex.EncodeToString(f.body) + `}}` }, false),
		"theme of RTF":            file("a.rtf", func(f traveller) string { return `{\rtf1{\*\themedata ` + hex.EncodeToString(f.body) + `}}` }, false),
		"picture in RTF":          file("a.rtf", func(f traveller) string { return `{\rtf1{\pict\picw9\pngblip ` + hex.EncodeToString(f.body) + `}}` }, false),
		"picture in RTF, bytes": file("a.rtf", func(f traveller) string {
			return fmt.Sprintf(`{\rtf1{\pict\pngblip\bin%d %s}}`, len(f.body), f.body)
		}, false),
		"attachment of a PDF": file("a.pdf", pdf, true),
		"file in OneNote":     file("a.one", note, false),
		"file in a package": {func(f traveller) string {
			return attached("application/octet-stream", "a.docx", zippedBytes("word/embeddings/"+f.name, f.body))
		}, false},
		"mail in a mail in a mail": file("a.eml", func(f traveller) string {
			return "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + inner(f)
		}, true),
	}
}

func le(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

func TestFilesInsideFiles(t *testing.T) { travel(t, fileWays()) }
